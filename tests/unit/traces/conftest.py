"""A trace of a shop: a web server calls a function, which calls a table that throttles and a host that fails."""

from typing import Any

import pytest

from relambda.api.traces.trace import Trace

ACCOUNT = "111111111111"
TRACE = "1-581cf771-a006649127e371903a2de979"


def documents() -> list[dict[str, Any]]:
    """Its documents: three segments, and a subsegment that came by itself."""
    ec2 = {"instance_id": "i-1", "availability_zone": "us-east-1a"}
    web = {
        "name": "shop",
        "id": "a" * 16,
        "start_time": 100.0,
        "end_time": 106.0,
        "origin": "AWS::EC2::Instance",
        "fault": True,
        "user": "alice",
        "aws": {"account_id": "222222222222", "ec2": ec2},
        "http": {
            "request": {
                "url": "http://shop.example.com/v2/buy",
                "method": "POST",
                "user_agent": "curl/8",
                "client_ip": "10.0.0.1",
            },
            "response": {"status": 502},
        },
        "annotations": {"gameid": "817DL6VO", "premium": True},
        "subsegments": [
            {
                "name": "Lambda",
                "id": "1" * 16,
                "start_time": 101.0,
                "end_time": 105.0,
                "namespace": "aws",
                "fault": True,
            }
        ],
    }
    service = {
        "name": "buy",
        "id": "b" * 16,
        "parent_id": "1" * 16,
        "start_time": 101.5,
        "end_time": 105.0,
        "origin": "AWS::Lambda",
        "fault": True,
        "resource_arn": "arn:aws:lambda:us-east-1:111111111111:function:buy",
    }
    invocation = {"name": "Invocation", "id": "2" * 16, "start_time": 102.0, "end_time": 104.0, "fault": True}
    function = {
        "name": "buy",
        "id": "c" * 16,
        "parent_id": "b" * 16,
        "start_time": 102.0,
        "end_time": 104.5,
        "origin": "AWS::Lambda::Function",
        "fault": True,
        "subsegments": [invocation],
    }
    work = {
        "name": "work",
        "id": "d" * 16,
        "parent_id": "2" * 16,
        "type": "subsegment",
        "start_time": 102.5,
        "end_time": 103.5,
        "fault": True,
        "annotations": {"age": 30},
        "cause": {"exceptions": [{"id": "e" * 16, "type": "PaymentError", "message": "declined"}]},
        "subsegments": [
            {
                "name": "DynamoDB",
                "id": "3" * 16,
                "start_time": 102.6,
                "end_time": 102.7,
                "namespace": "aws",
                "error": True,
                "throttle": True,
            },
            {
                "name": "bank.example.com",
                "id": "4" * 16,
                "start_time": 102.8,
                "end_time": 103.0,
                "namespace": "remote",
                "http": {"response": {"status": 503}},
                "cause": {"exceptions": [{"id": "f" * 16, "type": "Timeout", "message": 'said "no"'}]},
            },
        ],
    }
    return [{**each, "trace_id": TRACE} for each in (work, function, service, web)]


@pytest.fixture
def shop() -> Trace:
    """The trace."""
    return Trace(TRACE, documents(), ACCOUNT)
