"""Filter patterns: what EventBridge's language allows, and that nothing else passes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.domain.filters import check_filters, is_pattern
from relambda.actors.domain.refusals import Refusal

PATTERNS = [
    {},
    {"body": {"kind": ["order"]}},
    {"dynamodb": {"NewImage": {"id": {"S": [{"prefix": "x"}, None, 1, True]}}}},
    {"a": [{"exists": False}], "b": [{"numeric": [">", 0, "<=", 5]}]},
    {"a": [{"anything-but": ["x", 1]}, {"anything-but": {"prefix": "y"}}, {"suffix": {"equals-ignore-case": "z"}}]},
    {"$or": [{"a": [1]}, {"b": [{"cidr": "10.0.0.0/8"}]}]},
]
NO_PATTERNS = [
    "",
    "{",
    "[]",
    "null",
    '"text"',
    '{"a": "x"}',
    '{"a": []}',
    '{"a": {}}',
    '{"a": [[1]]}',
    '{"a": [{"prefix": 1}]}',
    '{"a": [{"numeric": [">"]}]}',
    '{"a": [{"numeric": ["~", 1]}]}',
    '{"a": [{"numeric": [["="], 1]}]}',
    '{"a": [{"exists": "yes"}]}',
    '{"a": [{"prefix": "x", "suffix": "y"}]}',
    '{"a": [{"unheard-of": "x"}]}',
    '{"a": [{"anything-but": []}]}',
    '{"a": [NaN]}',
    '{"$or": [{"a": [1]}]}',
    "[" * 5000,
    '{"a":' * 1000 + "[1]" + "}" * 1000,
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern(pattern: dict[str, Any]) -> None:
    """Given a document in the pattern language, then it is a pattern."""
    assert is_pattern(json.dumps(pattern))


@pytest.mark.parametrize("text", NO_PATTERNS, ids=range(len(NO_PATTERNS)))
def test_no_pattern(text: str) -> None:
    """Given anything else, however deep, then it is none, in AWS's words."""
    assert not is_pattern(text)
    with pytest.raises(Refusal, match=r"^InvalidParameterValueException: Invalid filter pattern definition\.$"):
        check_filters({"Filters": [{"Pattern": text}]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@given(JSON)
def test_every_document_is_decided(document: Any) -> None:
    """Given any JSON, then it is a pattern or not, and only an object can be one."""
    assert not is_pattern(json.dumps(document)) or isinstance(document, dict)


def test_no_more_than_five() -> None:
    """Given six filters, then they are refused; five are taken."""
    check_filters({"Filters": [{"Pattern": "{}"}] * 5})
    with pytest.raises(Refusal):
        check_filters({"Filters": [{"Pattern": "{}"}] * 6})
