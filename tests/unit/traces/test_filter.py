"""Filters let those traces pass of which they speak."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.api.traces.filter import fits
from relambda.api.traces.filter_expression import parse
from relambda.api.traces.filter_nodes import Joined, Node, Not
from relambda.api.traces.trace import Trace

TRUE = [
    "fault",
    "!ok",
    "ok = false",
    "fault != false",
    "!error",
    "!throttle",
    "inferred",
    "!partial",
    "responsetime = 6",
    "duration >= 6 AND duration <= 6",
    "http.status = 502",
    "http.status > 500",
    'http.url BEGINSWITH "http://shop" http.url ENDSWITH "/buy" http.url CONTAINS "/v2/"',
    'http.method = "POST"',
    'http.useragent != "chrome"',
    'http.clientip = "10.0.0.1"',
    'user = "alice"',
    'user CONTAINS ""',
    "user",
    'availabilityzone = "us-east-1a"',
    'instance.id = "i-1"',
    'resource.arn ENDSWITH ":buy"',
    'name = "bank.example.com"',
    'type = "remote"',
    "annotation.age > 29",
    "annotation.premium = true",
    'annotation[gameid] = "817DL6VO"',
    "annotation.gameid AND !annotation.other",
    'service("shop")',
    'service("shop") { root = true and fault = true }',
    'service("buy") { !root }',
    'service("buy") { annotation.age = 30 }',
    'service("shop") { user = "alice" duration = 6 }',
    'service(id(name: "buy", type: "AWS::Lambda::Function")) { fault }',
    'service(id(type: "AWS::DynamoDB")) { throttle inferred }',
    'service(id(account.id: "222222222222"))',
    'service(id(type: "remote")) { http.status = 503 and fault }',
    "service() { throttle }",
    'edge("shop", "buy")',
    'edge("buy", "bank.example.com") { fault }',
    'edge(id(type: "AWS::Lambda"), id(type: "AWS::Lambda::Function"))',
    'rootcause.fault.service { first and name = "shop" }',
    'rootcause.fault.service { last and inferred and type = "remote" }',
    "rootcause.fault.service { index > 2 }",
    'rootcause.fault.entity { name = "work" }',
    'rootcause.fault.entity { remote and name = "bank.example.com" }',
    'rootcause.fault.exception { last and message = "said \\"no\\"" }',
    'rootcause.fault.exception { name = "PaymentError" }',
    'rootcause.error.service { type = "AWS::DynamoDB" }',
]
FALSE = [
    "ok",
    "error",
    "throttle",
    "partial",
    "responsetime < 6",
    "http.status != 502",
    'http.url CONTAINS "/V2/"',
    'user = "bob"',
    'user != "alice"',
    "annotation.age < 30",
    'annotation.age = "30"',
    "annotation.gameid > 1",
    "annotation.premium = false",
    "annotation.other",
    "annotation.Age",
    'service("cart")',
    'service("shop") { throttle }',
    'service("shop") { annotation.age }',
    'service(id(name: "buy", type: "AWS::EC2::Instance"))',
    'edge("buy", "shop")',
    'edge("shop", "bank.example.com")',
    'edge("shop", "buy") { ok }',
    'rootcause.fault.service { first and name = "buy" }',
    'rootcause.error.exception { name = "PaymentError" }',
    "rootcause.fault.service { index > 9 }",
]
NODES = st.sampled_from([*TRUE, *FALSE]).map(parse)


@pytest.mark.parametrize("text", TRUE)
def test_what_is_so(shop: Trace, text: str) -> None:
    """Given a filter that says what is so, then the trace fits, and not its opposite."""
    assert fits(parse(text), shop)
    assert not fits(parse(f"!({text})"), shop)


@pytest.mark.parametrize("text", FALSE)
def test_what_is_not_so(shop: Trace, text: str) -> None:
    """Given a filter that says what is not so, then the trace does not fit."""
    assert not fits(parse(text), shop)


@pytest.fixture(scope="module")
def laws() -> list[Trace]:
    """Traces that differ."""
    plain = {"name": "a", "id": "a" * 16, "start_time": 1.0, "end_time": 2.0}
    busy: dict[str, Any] = {"name": "b", "id": "b" * 16, "start_time": 1.0, "in_progress": True, "user": "bob"}
    return [Trace("1", [plain], "1"), Trace("2", [busy, plain], "1")]


@given(NODES, NODES)
def test_the_laws_of_logic(laws: list[Trace], one: Node, other: Node) -> None:
    """Given any two filters, then not not is yes, and De Morgan was right."""
    for trace in laws:
        assert fits(Not(Not(one)), trace) == fits(one, trace)
        neither = Not(Joined("OR", (one, other)))
        assert fits(neither, trace) == fits(Joined("AND", (Not(one), Not(other))), trace)


def test_in_progress(laws: list[Trace]) -> None:
    """Given a segment that has not ended, then its trace is partial, and its service is."""
    assert fits(parse('partial service("b") { partial } !service("a") { partial }'), laws[1])
    assert not fits(parse("partial"), laws[0])
