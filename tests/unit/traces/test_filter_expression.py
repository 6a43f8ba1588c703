"""Filter expressions are read as AWS's guide writes them, and refused by the place where they go wrong."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.domain.refusals import Refusal
from relambda.api.traces.filter_expression import MOST_CHARACTERS, MOST_NESTED, parse
from relambda.api.traces.filter_nodes import (
    Compares,
    Holds,
    Joined,
    Keyword,
    Node,
    Not,
    OnCause,
    OnEdge,
    OnService,
    ServiceId,
    depth,
)

TEXTS = st.text(string.printable, max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ORDERS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
WORDS = st.sampled_from(["=", "!=", "CONTAINS", "BEGINSWITH", "ENDSWITH"])
EQUALS = st.sampled_from(["=", "!="])
KEYS = st.text(string.ascii_letters + string.digits + "_.:-", min_size=1, max_size=6)


def keyword_tests(truths: list[str], numbers: list[str], texts: list[str]) -> st.SearchStrategy[Node]:
    """Tests of keywords that are true or false, numbers, or texts."""
    named = [st.sampled_from(each).map(Keyword) for each in (truths, numbers, texts)]
    return st.one_of(
        st.one_of(named).map(Holds),
        st.builds(Compares, named[0], EQUALS, st.booleans()),
        st.builds(Compares, named[1], ORDERS, NUMBERS),
        st.builds(Compares, named[2], WORDS, TEXTS),
    )


def combined(tests: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Tests, negated and joined."""
    return st.recursive(
        tests,
        lambda inner: st.one_of(
            inner.map(Not),
            st.builds(Joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3).map(tuple)),
        ),
        max_leaves=5,
    )


ANNOTATIONS = st.builds(Keyword, st.just("annotation"), KEYS)
TESTS = st.one_of(
    keyword_tests(
        ["ok", "error", "throttle", "fault", "partial", "inferred", "root"],
        ["responsetime", "duration", "http.status"],
        ["http.url", "http.method", "http.useragent", "http.clientip", "user", "name", "type", "resource.arn"],
    ),
    ANNOTATIONS.map(Holds),
    st.builds(Compares, ANNOTATIONS, WORDS, TEXTS),
    st.builds(Compares, ANNOTATIONS, ORDERS, NUMBERS),
    st.builds(Compares, ANNOTATIONS, EQUALS, st.booleans()),
)
CAUSES = keyword_tests(["first", "last", "remote", "inferred"], ["index"], ["name", "type", "message"])
SERVICES = st.builds(ServiceId, TEXTS, TEXTS, TEXTS).filter(lambda id_: id_ != ServiceId())
NODES = combined(
    st.one_of(
        TESTS,
        st.builds(OnService, st.none() | SERVICES, st.none() | combined(TESTS)),
        st.builds(OnEdge, SERVICES, SERVICES, st.none() | combined(TESTS)),
        st.builds(
            OnCause,
            st.sampled_from(["fault", "error"]),
            st.sampled_from(["service", "entity", "exception"]),
            st.none() | combined(CAUSES),
        ),
    )
)


@given(NODES)
def test_what_is_written_is_read(node: Node) -> None:
    """Given anything that can be said, when it is written and read again, then it is the same."""
    if len(str(node)) <= MOST_CHARACTERS and depth(node) <= MOST_NESTED:
        assert parse(str(node)) == node


@given(st.text(st.sampled_from(list('okerror!=<>(){}"\\,:. andservice19[]#')), max_size=40))
def test_nothing_else_is_raised(text: str) -> None:
    """Given any text, then it is read, or refused as X-Ray refuses."""
    assert outcome(text) in {"read", "InvalidRequestException"}


def outcome(text: str) -> str:
    """Whether it is read, or the code of its refusal."""
    try:
        parse(text)
    except Refusal as refusal:
        return refusal.code
    return "read"


OK, FAULT, ERROR = (Holds(Keyword(name)) for name in ("ok", "fault", "error"))


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("ok", OK),
        ("!ok", Not(OK)),
        ("OK = False", Compares(Keyword("ok"), "=", False)),
        ("responseTime > 5", Compares(Keyword("responsetime"), ">", 5.0)),
        ("duration<=.5", Compares(Keyword("duration"), "<=", 0.5)),
        (
            "ok !partial duration <3",
            Joined("AND", (OK, Not(Holds(Keyword("partial"))), Compares(Keyword("duration"), "<", 3.0))),
        ),
        ("ok or fault and error", Joined("OR", (OK, Joined("AND", (FAULT, ERROR))))),
        ("(ok OR fault) error", Joined("AND", (Joined("OR", (OK, FAULT)), ERROR))),
        ('http.url CONTAINS "/api/game/"', Compares(Keyword("http.url"), "CONTAINS", "/api/game/")),
        (r'user beginswith "a\"b\\"', Compares(Keyword("user"), "BEGINSWITH", 'a"b\\')),
        ("annotation.age > 29", Compares(Keyword("annotation", "age"), ">", 29.0)),
        ('annotation[aws:api_id] = "a"', Compares(Keyword("annotation", "aws:api_id"), "=", "a")),
        ("!annotation.Age", Not(Holds(Keyword("annotation", "Age")))),
        ("service() { fault }", OnService(None, FAULT)),
        ('service("api.example.com")', OnService(ServiceId("api.example.com"))),
        ('edge("a", "b") { error }', OnEdge(ServiceId("a"), ServiceId("b"), ERROR)),
        (
            'service(id(name: "a", type:"AWS::Lambda", account.id: "1"))',
            OnService(ServiceId("a", "AWS::Lambda", "1")),
        ),
        (
            'rootcause.fault.exception { last and message = "no" }',
            OnCause(
                "fault",
                "exception",
                Joined("AND", (Holds(Keyword("last")), Compares(Keyword("message"), "=", "no"))),
            ),
        ),
    ],
)
def test_what_the_guide_writes(text: str, node: Node) -> None:
    """Given an expression of the guide's kinds, then it says what the guide says it does."""
    assert parse(text) == node


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("okay", "'okay' is not expected at character 0"),
        ("ok AND", "it ends too early"),
        ("(ok", "it ends too early"),
        ("ok)", "')' is not expected at character 2"),
        ("ok > 3", "'> 3' is not expected at character 3"),
        ('duration = "3"', "'\"3\"' is not expected at character 11"),
        ("duration > 5s", "'5s' is not expected at character 11"),
        ("user = alice", "'alice' is not expected at character 7"),
        ('user > "a"', "'> \"a\"' is not expected at character 5"),
        ('user = "a', "'\"a' is not expected at character 7"),
        ('edge("a")', "')' is not expected at character 8"),
        ('service() { service("a") }', "'service(\"a\") }' is not expected at character 12"),
        ('service(id(name: "a", name: "b"))', "id() names a member twice"),
        ("last", "'last' is not expected at character 0"),
        ("rootcause.fault.service { duration > 1 }", "'duration > 1 }' is not expected at character 26"),
        ('group.name = "slow"', "this cloud has no groups"),
        ("rootcause.json = #[]", "this cloud does not compare root causes as JSON"),
        ("ok rootcause.responsetime.entity { last }", "this cloud finds no root causes of response times"),
        ("!" * MOST_NESTED + "ok", f"its expressions nest deeper than {MOST_NESTED}"),
        ("ok " * MOST_CHARACTERS, f"it has more than {MOST_CHARACTERS} characters"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    """Given what is no expression, or means what this cloud has not, then the refusal says where or why."""
    with pytest.raises(Refusal) as refused:
        parse(text)
    assert (refused.value.code, refused.value.message) == (
        "InvalidRequestException",
        f"Invalid filter expression: {why}.",
    )
