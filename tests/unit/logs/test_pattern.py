"""Filter patterns: which messages they want, and what is no pattern."""

import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.api.logs.pattern import parse
from relambda.api.wire.errors import ServiceError

TEXT = "[ERROR 400] BAD REQUEST: not found"


@pytest.mark.parametrize(
    ("pattern", "is_wanted"),
    [
        ("", True),
        ("  ", True),
        ("ERROR", True),
        ("error", False),
        ("ERROR REQUEST", True),
        ("ERROR WARN", False),
        ('"BAD REQUEST"', True),
        ('"REQUEST BAD"', False),
        ("ERROR -WARN", True),
        ("ERROR -REQUEST", False),
        ("-WARN", True),
        ('-"not found"', False),
        ("?WARN ?ERROR", True),
        ("?WARN ?INFO", False),
        ("?WARN ERROR", True),
        (r"%4\d\d%", True),
        ("%^[hc]at%", False),
        (r"%4\d\d% REQUEST", True),
        (r'"\"quoted\""', False),
    ],
)
def test_terms(pattern: str, is_wanted: bool) -> None:
    """Given terms, then all plain ones must be there, none behind a dash, and one of those behind question marks."""
    assert parse(pattern)(TEXT) is is_wanted


EVENT = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "ThisFlag": True,
    "latency": 101.5,
    "status": "404",
    "a.b": {"c d": 1},
}


@pytest.mark.parametrize(
    ("pattern", "is_wanted"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{$.eventType=UpdateTrail}", True),
        ("{ $.eventType = Update* }", True),
        ('{ $.eventType = "*Trail" }', True),
        ('{ $.eventType != "*Trail" }', False),
        ("{ $.eventType = %^Up% }", True),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ("{ $.sourceIPAddress = 111.111.* }", True),
        ('{ $.arrayKey[0] = "value" }', True),
        ('{ $.arrayKey[1] = "value" }', False),
        ('{ $.arrayKey[7] = "value" }', False),
        ('{ $.arrayKey[*] = "another value" }', True),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.objectList[*].id > 1 }", True),
        ("{ $.objectList[*].id > 2 }", False),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.SomeObject IS NOT NULL }", False),
        ("{ $.SomeOtherObject NOT EXISTS }", True),
        ("{ $.SomeObject NOT EXISTS }", False),
        ("{ $.SomeObject EXISTS }", True),
        ("{ $.ThisFlag IS TRUE }", True),
        ("{ $.ThisFlag IS FALSE }", False),
        ("{ $.ThisFlag = true }", True),
        ("{ $.latency >= 101.5 }", True),
        ("{ $.latency = 1.015e2 }", True),
        ("{ $.latency != 101 }", True),
        ("{ $.status = 404 }", True),
        ("{ $.status >= 400 }", True),
        ("{ $.missing = 1 }", False),
        ("{ $.missing != 1 }", False),
        ("{ $['a.b']['c d'] = 1 }", True),
        ("{ ($.latency > 100) && ($.eventType = Nope) }", False),
        ("{ ($.latency > 100) || ($.eventType = Nope) }", True),
        ("{ $.latency > 1000 && $.ThisFlag IS TRUE || $.status = 404 }", True),
        ("{ $.latency > 1000 && ($.ThisFlag IS TRUE || $.status = 404) }", False),
    ],
)
def test_json(pattern: str, is_wanted: bool) -> None:
    """Given a condition on a JSON message, then it holds as the user guide says."""
    assert parse(pattern)(json.dumps(EVENT)) is is_wanted


COLUMNS = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize(
    ("pattern", "is_wanted"),
    [
        ("[ip, server, username, timestamp, request, status_code, bytes]", True),
        ("[ip, server, username, timestamp, request, status_code]", False),
        ("[ip, server, username, timestamp, request, status_code = 4*, bytes > 1000]", True),
        ("[ip, server, username, timestamp, request, status_code = 5*, bytes]", False),
        ("[ip != 127.0.0.1, ...]", False),
        ("[..., status_code = 404 || status_code = 410, bytes]", True),
        ("[ip, ..., request = *html*, status_code = 4* && status_code != 403, bytes]", True),
        ("[..., size < 1000]", False),
        ("[..., a, b, c, d, e, f, g, h]", False),
    ],
)
def test_columns(pattern: str, is_wanted: bool) -> None:
    """Given a pattern on columns, then each tests its own."""
    assert parse(pattern)(COLUMNS) is is_wanted


@pytest.mark.parametrize(
    "pattern",
    [
        '"open',
        "foo:bar",
        "%a(b)%",
        "%[%",
        "-",
        "{",
        "{}",
        "{ $.a }",
        "{ a = 1 }",
        "{ $.a = }",
        "{ $.a > x }",
        "{ $.a IS 1 }",
        "{ $.a = 1 && }",
        "{ ($.a = 1 }",
        "{ $.a = 1 } }",
        "{" + "(" * 400 + "$.a = 1" + ")" * 400 + "}",
        "[",
        "[]",
        "[a, ..., b, ...]",
        "[a = ]",
        "[a b]",
    ],
)
def test_what_is_no_pattern(pattern: str) -> None:
    """Given what cannot be read, then it is refused as an invalid parameter."""
    with pytest.raises(ServiceError) as refused:
        parse(pattern)
    assert refused.value.code == "InvalidParameterException"


@pytest.mark.parametrize("message", ["", "text", "[1, 2", '{"a":' * 100_000, "[" * 100_000, "3", "null"])
def test_json_patterns_want_json(message: str) -> None:
    """Given a message that is no JSON object or list, then a JSON pattern does not want it."""
    assert parse("{ $.a = 1 }")(message) is False
    assert parse("{ $.a NOT EXISTS }")(message) is False


@given(st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=4), st.text("ab ", max_size=12))
def test_terms_and_their_opposites(terms: list[str], message: str) -> None:
    """Given any terms, then `a b` wants what has all of them, `?a ?b` what has any, `-a -b` what has none."""
    has = [term in message for term in terms]

    assert parse(" ".join(terms))(message) is all(has)
    assert parse(" ".join(f"?{term}" for term in terms))(message) is any(has)
    assert parse(" ".join(f"-{term}" for term in terms))(message) is not any(has)


@given(st.text("a*b.", max_size=8), st.text("ab.\n", max_size=10))
def test_wildcards_stand_for_anything(pattern: str, value: str) -> None:
    """Given a value with wildcards, then it equals what it is when each of them is replaced by any text."""
    expression = re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)
    wanted = parse(f"{{ $.a = {json.dumps(pattern)} }}")
    assert wanted(json.dumps({"a": value})) is (expression.fullmatch(value) is not None)


VALUES = st.recursive(st.none() | st.integers() | st.text(), st.lists)


@given(st.text("ab{}[]()$.=!<>\"'%&|*?- 1,", max_size=40), VALUES)
def test_any_text_is_a_pattern_or_refused(pattern: str, value: Any) -> None:
    """Given any text, then it is read or refused in AWS's way, and what was read never fails."""
    with contextlib.suppress(ServiceError):
        assert parse(pattern)(json.dumps({"a": value})) in {True, False}
