"""Summaries tell what the segments hold, in the members of X-Ray's model."""

from typing import Any

import pytest

from relambda.api.traces.sampling import is_sampled, share_of
from relambda.api.traces.summary import summary
from relambda.api.traces.trace import Trace

START: dict[str, Any] = {"name": "a", "id": "a" * 16, "start_time": 1.0}


def service(name: str, type_: str, account: str = "111111111111") -> dict[str, Any]:
    """A ServiceId."""
    return {"Name": name, "Names": [name], "AccountId": account, "Type": type_}


SHOP = service("shop", "AWS::EC2::Instance", "222222222222")
FUNCTION = service("buy", "AWS::Lambda::Function")


def test_what_the_root_tells(shop: Trace) -> None:
    """Given a trace whose root failed, then the summary has its times, its request and its fault."""
    told = summary(shop)

    assert (told["StartTime"], told["Duration"], told["ResponseTime"], told["Revision"]) == (100.0, 6.0, 6.0, 4)
    assert (told["HasFault"], told["HasError"], told["HasThrottle"], told["IsPartial"]) == (True, False, True, False)
    assert told["EntryPoint"] == SHOP
    assert told["Http"] == {
        "HttpURL": "http://shop.example.com/v2/buy",
        "HttpMethod": "POST",
        "UserAgent": "curl/8",
        "ClientIp": "10.0.0.1",
        "HttpStatus": 502,
    }


def test_what_all_segments_tell(shop: Trace) -> None:
    """Given annotations, users, places and calls, then they are there, with the services that told of them."""
    told = summary(shop)

    assert told["Users"] == [{"UserName": "alice", "ServiceIds": [SHOP]}]
    assert told["Annotations"] == {
        "gameid": [{"AnnotationValue": {"StringValue": "817DL6VO"}, "ServiceIds": [SHOP]}],
        "premium": [{"AnnotationValue": {"BooleanValue": True}, "ServiceIds": [SHOP]}],
        "age": [{"AnnotationValue": {"NumberValue": 30.0}, "ServiceIds": [FUNCTION]}],
    }
    assert [each["Type"] for each in told["ServiceIds"]] == [
        "AWS::EC2::Instance",
        "AWS::Lambda",
        "AWS::Lambda::Function",
        "AWS::DynamoDB",
        "remote",
    ]
    assert told["ResourceARNs"] == [{"ARN": "arn:aws:lambda:us-east-1:111111111111:function:buy"}]
    assert (told["InstanceIds"], told["AvailabilityZones"]) == ([{"Id": "i-1"}], [{"Name": "us-east-1a"}])


def test_root_causes(shop: Trace) -> None:
    """Given a fault that came up from a host, then its cause is the way down to it; an error in between is its own."""
    told = summary(shop)
    (fault,), (error,) = told["FaultRootCauses"], told["ErrorRootCauses"]

    assert fault["ClientImpacting"]
    assert [(each["Name"], each["Inferred"]) for each in fault["Services"]] == [
        ("shop", False),
        ("buy", False),
        ("buy", False),
        ("bank.example.com", True),
    ]
    assert [entity["Name"] for entity in fault["Services"][2]["EntityPath"]] == [
        "buy",
        "Invocation",
        "work",
        "bank.example.com",
    ]
    exceptions = [{"Name": "PaymentError", "Message": "declined"}]
    assert fault["Services"][2]["EntityPath"][2] == {"Name": "work", "Exceptions": exceptions, "Remote": False}
    assert (error["ClientImpacting"], [each["Name"] for each in error["Services"]]) == (False, ["buy", "DynamoDB"])


def test_a_handled_error_is_no_error_of_the_trace() -> None:
    """Given a subsegment that failed in a segment that did not, then the trace has no fault."""
    call = {"name": "c", "id": "c" * 16, "start_time": 1.0, "end_time": 2.0, "fault": True}
    told = summary(Trace("1", [{**START, "end_time": 2.0, "subsegments": [call]}], "1"))

    assert not told["HasFault"]
    assert [cause["ClientImpacting"] for cause in told["FaultRootCauses"]] == [False]


def test_a_segment_under_way() -> None:
    """Given a segment that has not ended, then the trace is partial, and has no duration yet."""
    told = summary(Trace("1", [{**START, "in_progress": True}], "1"))
    assert (told["IsPartial"], told["Duration"], told["ResponseTime"]) == (True, 0.0, 0.0)


@pytest.mark.parametrize(
    "odd",
    [
        {"parent_id": "a" * 16},
        {"parent_id": 7, "type": "subsegment"},
        {"subsegments": [7, {"name": "x"}, {"name": "x", "start_time": "y"}]},
        {"subsegments": {"a": 1}, "aws": [], "http": "x", "annotations": [], "cause": "abc", "user": 5, "fault": 1},
        {"http": {"request": [], "response": {"status": "200"}}, "annotations": {"a": None, "b": [1]}},
        {"cause": {"exceptions": [1, {}]}, "fault": True, "aws": {"ec2": 3}, "origin": None},
    ],
)
def test_odd_documents(odd: dict[str, Any]) -> None:
    """Given a document with members of other kinds than X-Ray's, then there is a summary all the same."""
    told = summary(Trace("1", [{**START, "end_time": 2.0, **odd}], "1"))
    assert (told["EntryPoint"]["Name"], told["Duration"]) == ("a", 1.0)


def test_segments_that_call_each_other() -> None:
    """Given segments whose parents go in a circle, then the trace has a root, and a call each way."""
    ring = [
        {**START, "end_time": 2.0, "parent_id": "b" * 16, "fault": True},
        {**START, "name": "b", "id": "b" * 16, "end_time": 2.0, "parent_id": "a" * 16, "fault": True},
    ]
    trace = Trace("1", ring, "1")

    assert summary(trace)["EntryPoint"]["Name"] == "a"
    assert [(hop.caller.name, hop.service.name) for hop in trace.hops if hop.caller] == [("b", "a"), ("a", "b")]


def test_deep_subsegments() -> None:
    """Given subsegments as deep as a document allows, then they are read."""
    inner: dict[str, Any] = {"name": "x", "start_time": 1.0, "end_time": 2.0, "annotations": {"deep": "yes"}}
    for _ in range(2000):
        inner = {"name": "x", "start_time": 1.0, "end_time": 2.0, "subsegments": [inner]}
    assert "deep" in summary(Trace("1", [{**inner, "id": "a" * 16}], "1"))["Annotations"]


def test_a_share_of_the_traces() -> None:
    """Given a sampling strategy, then about that share of traces is in it, all of 1 and none of 0."""
    traces = [f"1-00000000-{number * 0x9E3779B9 % 2**96:024x}" for number in range(1000)]
    strategy = {"Name": "FixedRate", "Value": 0.25}
    share = share_of({"Sampling": True, "SamplingStrategy": strategy})

    assert 150 < sum(is_sampled(trace, share) for trace in traces) < 350
    assert all(is_sampled(trace, 1.0) and not is_sampled(trace, 0.0) for trace in traces)
    assert share_of({"Sampling": True}) == share_of({}) == share_of({"Sampling": False}) == 1.0
