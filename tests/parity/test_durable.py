"""Durable executions as an SDK sees them: started, read, listed, paused, stopped, deleted."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError

from relambda.actors.domain.durable_names import token_of

Make = Callable[..., Any]
MISSING = (404, "ResourceNotFoundException", "The durable execution does not exist.")
INPUT = '{"order": 1}'


@pytest.fixture
def orders(aws: Any, make_function: Make, fresh: Callable[..., str]) -> str:
    """The name of a durable function, its version 1 published."""
    name = fresh("durable")
    make_function(name, DurableConfig={"ExecutionTimeout": 600, "RetentionPeriodInDays": 7})
    aws.publish_version(FunctionName=name)
    return name


@pytest.fixture
def start(aws: Any, orders: str) -> Callable[..., str]:
    """Starts executions of version 1, by Event; answers their ARNs."""

    def starting(name: str, payload: str = INPUT) -> str:
        started = aws.invoke(
            FunctionName=orders, Qualifier="1", InvocationType="Event", DurableExecutionName=name, Payload=payload
        )
        assert started["StatusCode"] == 202
        return str(started["DurableExecutionArn"])

    return starting


def finish(aws: Any, arn: str, action: str, **outcome: Any) -> None:
    """End an execution as its function does: by a checkpoint of the execution itself."""
    own = arn.rsplit("/", 1)[1]
    end = {"Id": own, "Type": "EXECUTION", "Action": action, **outcome}
    aws.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken=token_of(own, 0), Updates=[end])


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@pytest.mark.proves("Invoke", "GetDurableExecution")
def test_an_execution_runs(aws: Any, orders: str, start: Any) -> None:
    """Given a durable function, when it is invoked by version, then an execution runs, described with its input."""
    arn = start("order-1")

    function = f"arn:aws:lambda:us-east-1:111111111111:function:{orders}:1"
    assert arn.startswith(f"{function}/durable-execution/order-1/")
    shown = plain(aws.get_durable_execution(DurableExecutionArn=arn))
    begun, ends = shown.pop("StartTimestamp"), shown.pop("ExpectedExecutionTimeoutTimestamp")
    assert isinstance(begun, datetime)
    assert ends - begun == timedelta(seconds=600)
    assert shown == {
        "DurableExecutionArn": arn,
        "DurableExecutionName": "order-1",
        "FunctionArn": function,
        "InputPayload": INPUT,
        "Status": "RUNNING",
        "Version": "1",
        "DurableConfig": {"ExecutionTimeout": 600, "RetentionPeriodInDays": 7},
        "ExecutionDataIncluded": True,
    }
    bare = plain(aws.get_durable_execution(DurableExecutionArn=arn, IncludeExecutionData=False))
    assert "InputPayload" not in bare
    assert bare["ExecutionDataIncluded"] is False


@pytest.mark.proves("Invoke")
def test_a_name_is_one_execution(aws: Any, orders: str, start: Any, refused: Any, position: Any) -> None:
    """Given an execution, when its name comes again, then the same input is the same one, another input a conflict."""
    arn, before = start("order-1"), position()
    assert start("order-1") == arn
    again = {"FunctionName": orders, "Qualifier": "1", "InvocationType": "Event", "DurableExecutionName": "order-1"}
    answer = refused(aws.invoke, **again, Payload='{"order": 2}')
    assert (answer.status, answer.code, answer.type) == (409, "DurableExecutionAlreadyStartedException", "User")
    assert answer.members["Message"].startswith(
        "The durable execution with the specified name has already been started"
    )
    assert position() == before


@pytest.mark.proves("Invoke")
def test_who_runs_as_an_execution(
    aws: Any, orders: str, make_function: Make, refused: Any, position: Any, start: Any
) -> None:
    """Given an unqualified durable function, or a name for an ordinary one, then AWS's refusals; a name is optional."""
    ordinary, before = make_function()["FunctionName"], position()
    answer = refused(aws.invoke, FunctionName=orders)
    assert (answer.status, answer.code) == (400, "InvalidParameterValueException")
    assert answer.message == "You cannot invoke a durable function using an unqualified ARN."
    for kind in ("Event", "RequestResponse"):
        answer = refused(aws.invoke, FunctionName=ordinary, InvocationType=kind, DurableExecutionName="n")
        assert (answer.status, answer.code) == (400, "InvalidParameterValueException")
    assert position() == before
    arn = aws.invoke(FunctionName=f"{orders}:1", InvocationType="Event")["DurableExecutionArn"]
    assert aws.get_durable_execution(DurableExecutionArn=arn)["InputPayload"] == "{}"


@pytest.mark.proves("Invoke", "CheckpointDurableExecution", "GetDurableExecution")
def test_a_waiting_caller_gets_the_result(aws: Any, orders: str, start: Any) -> None:
    """Given executions that have ended, when invoked by name and waited for, then their results and errors come."""
    done, failed = start("done"), start("failed")
    finish(aws, done, "SUCCEED", Payload='{"paid": true}')
    finish(aws, failed, "FAIL", Error={"ErrorType": "Broke", "ErrorMessage": "no money"})

    answer = aws.invoke(FunctionName=orders, Qualifier="1", DurableExecutionName="done", Payload=INPUT)
    assert (answer["StatusCode"], answer["ExecutedVersion"], answer["DurableExecutionArn"]) == (200, "1", done)
    assert json.load(answer["Payload"]) == {"paid": True}
    assert "FunctionError" not in answer
    answer = aws.invoke(FunctionName=orders, Qualifier="1", DurableExecutionName="failed", Payload=INPUT)
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.load(answer["Payload"]) == {"errorType": "Broke", "errorMessage": "no money"}
    shown = aws.get_durable_execution(DurableExecutionArn=done)
    assert (shown["Status"], shown["Result"]) == ("SUCCEEDED", '{"paid": true}')
    shown = aws.get_durable_execution(DurableExecutionArn=failed)
    assert (shown["Status"], shown["Error"]["ErrorType"]) == ("FAILED", "Broke")
    assert shown["EndTimestamp"] >= shown["StartTimestamp"]


@pytest.mark.proves("Invoke", "StopDurableExecution")
def test_a_caller_waits_for_the_end(aws: Any, orders: str, start: Any) -> None:
    """Given a caller that waits for an execution, when that is stopped, then the caller hears of it."""
    arn = start("order-1")
    asked = {"FunctionName": orders, "Qualifier": "1", "DurableExecutionName": "order-1", "Payload": INPUT}
    with ThreadPoolExecutor(1) as callers:
        waiting = callers.submit(aws.invoke, **asked)
        assert not waiting.done()
        aws.stop_durable_execution(DurableExecutionArn=arn)
        answer = waiting.result(30)
    assert (answer["FunctionError"], answer["DurableExecutionArn"]) == ("Unhandled", arn)
    assert json.load(answer["Payload"])["errorType"] == "DurableExecution.STOPPED"


@pytest.mark.proves("StopDurableExecution", "GetDurableExecutionHistory")
def test_it_is_stopped(aws: Any, start: Any, position: Any) -> None:
    """Given a running execution, when it is stopped, then it is STOPPED with the error, once; its history tells why."""
    arn, error = start("order-1"), {"ErrorType": "Cancelled", "ErrorMessage": "by the customer", "StackTrace": ["a"]}
    stopped = aws.stop_durable_execution(DurableExecutionArn=arn, Error=error)["StopTimestamp"]
    after = position()
    assert aws.stop_durable_execution(DurableExecutionArn=arn)["StopTimestamp"] == stopped
    assert position() == after
    shown = aws.get_durable_execution(DurableExecutionArn=arn)
    assert (shown["Status"], shown["Error"], shown["EndTimestamp"]) == ("STOPPED", error, stopped)
    last = aws.get_durable_execution_history(DurableExecutionArn=arn)["Events"][-1]
    assert last["EventType"] == "ExecutionStopped"
    assert last["ExecutionStoppedDetails"]["Error"]["Payload"] == error


@pytest.mark.proves("StopDurableExecution")
def test_an_error_has_a_limit(aws: Any, start: Any, refused: Any, position: Any) -> None:
    """Given an error of more than a megabyte in all, then it is refused, and the execution runs on."""
    arn, before = start("order-1"), position()
    large = {"ErrorData": "x" * 600_000, "StackTrace": ["y" * 500_000]}
    answer = refused(aws.stop_durable_execution, DurableExecutionArn=arn, Error=large)
    assert (answer.status, answer.code) == (400, "InvalidParameterValueException")
    assert position() == before


@pytest.mark.proves("PauseDurableExecution", "ResumeDurableExecution", "GetDurableExecution")
def test_a_pause(aws: Any, start: Any, refused: Any, position: Any) -> None:
    """Given a running execution, when it is paused and resumed, then its details say so, and each may be repeated."""
    arn, lunch = start("order-1"), {"Reason": "lunch", "ClientToken": "t-1"}
    paused = aws.pause_durable_execution(DurableExecutionArn=arn, **lunch)
    assert paused["ResponseMetadata"]["HTTPStatusCode"] == 202
    after = position()
    aws.pause_durable_execution(DurableExecutionArn=arn, **lunch)
    assert position() == after
    answer = refused(aws.pause_durable_execution, DurableExecutionArn=arn)
    assert (answer.status, answer.code) == (409, "ResourceConflictException")
    shown = aws.get_durable_execution(DurableExecutionArn=arn)
    assert shown["Status"] == "PAUSED"
    assert shown["PauseDetails"].pop("PauseRequestTimestamp") >= shown["StartTimestamp"]
    assert shown["PauseDetails"] == {"Reason": "lunch", "ExecutionTimeoutPaused": True}
    bare = aws.get_durable_execution(DurableExecutionArn=arn, IncludeExecutionData=False)
    assert "Reason" not in bare["PauseDetails"]
    resumed = aws.resume_durable_execution(DurableExecutionArn=arn, Reason="back")
    assert resumed["ResponseMetadata"]["HTTPStatusCode"] == 202
    shown = aws.get_durable_execution(DurableExecutionArn=arn)
    assert shown["Status"] == "RUNNING"
    assert "PauseDetails" not in shown
    answer = refused(aws.resume_durable_execution, DurableExecutionArn=arn)
    assert (answer.status, answer.code) == (409, "ResourceConflictException")


@pytest.mark.proves("DeleteDurableExecution", "GetDurableExecution")
def test_it_is_deleted(aws: Any, start: Any, refused: Any, position: Any) -> None:
    """Given a running execution, when deleted, then a conflict; once it has ended, it is gone and its name is free."""
    arn, before = start("order-1"), position()
    answer = refused(aws.delete_durable_execution, DurableExecutionArn=arn)
    assert (answer.status, answer.code) == (409, "ResourceConflictException")
    assert position() == before
    aws.stop_durable_execution(DurableExecutionArn=arn)
    deleted = aws.delete_durable_execution(DurableExecutionArn=arn)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert isinstance(deleted["DeletionRequestTimestamp"], datetime)
    assert any(_is_gone(aws, arn) for _ in range(5_000))
    assert start("order-1", '{"another": "input"}') != arn


def _is_gone(aws: Any, arn: str) -> bool:
    try:
        return bool(aws.get_durable_execution(DurableExecutionArn=arn)["Status"] != "DELETING")
    except aws.exceptions.ResourceNotFoundException:
        return True


@pytest.mark.proves(
    *("GetDurableExecution", "GetDurableExecutionHistory", "StopDurableExecution", "PauseDurableExecution"),
    *("ResumeDurableExecution", "DeleteDurableExecution"),
)
def test_what_is_not_there(aws: Any, other_aws: Any, start: Any, refused: Any, position: Any) -> None:
    """Given ARNs of no execution, and other accounts' ones, then they do not exist, and nothing happens."""
    arn = start("order-1")
    before = position()
    strangers = [(aws, f"{arn}0"), (aws, arn.replace("order-1", "order-2")), (other_aws("222222222222"), arn)]
    for client, missing in strangers:
        for call in (
            *(client.get_durable_execution, client.get_durable_execution_history, client.stop_durable_execution),
            *(client.pause_durable_execution, client.resume_durable_execution, client.delete_durable_execution),
        ):
            answer = refused(call, DurableExecutionArn=missing)
            assert (answer.told, answer.type) == (MISSING, "User")
    with pytest.raises(ParamValidationError):
        aws.get_durable_execution(DurableExecutionArn="")
    assert position() == before


@pytest.mark.proves("ListDurableExecutionsByFunction")
def test_lists(aws: Any, orders: str, start: Any) -> None:
    """Given executions, then they are listed the newest first or last, by name, by status, by time, by version."""
    arns = [start(name) for name in ("a", "b", "c")]
    aws.stop_durable_execution(DurableExecutionArn=arns[1])

    def listed(**given: Any) -> list[str]:
        found = aws.list_durable_executions_by_function(FunctionName=orders, **given)["DurableExecutions"]
        return [each["DurableExecutionName"] for each in found]

    assert sorted(listed()) == ["a", "b", "c"]
    assert listed(ReverseOrder=True) == listed()[::-1]
    assert listed(DurableExecutionName="b") == ["b"]
    assert listed(Statuses=["STOPPED", "FAILED"]) == ["b"]
    assert listed(Qualifier="1") == listed()
    assert listed(Qualifier="$LATEST") == []
    (b,) = aws.list_durable_executions_by_function(FunctionName=f"{orders}:1", Statuses=["STOPPED"])[
        "DurableExecutions"
    ]
    assert b.keys() == {
        *("DurableExecutionArn", "DurableExecutionName", "FunctionArn", "Status", "StartTimestamp", "EndTimestamp"),
    }
    assert listed(StartedAfter=b["StartTimestamp"] + timedelta(hours=1)) == []
    assert sorted(listed(StartedBefore=b["StartTimestamp"] + timedelta(hours=1))) == ["a", "b", "c"]


@pytest.mark.proves("ListDurableExecutionsByFunction")
def test_lists_in_pages(aws: Any, orders: str, start: Any, refused: Any) -> None:
    """Given executions, then pages hold each once, whatever ends or starts meanwhile; 0 means the usual size."""
    for number in range(5):
        start(f"n{number}")
    ordered = {"FunctionName": orders, "ReverseOrder": True}
    first = aws.list_durable_executions_by_function(**ordered, MaxItems=2)
    aws.stop_durable_execution(DurableExecutionArn=first["DurableExecutions"][1]["DurableExecutionArn"])
    start("late")
    seen, marker = [each["DurableExecutionName"] for each in first["DurableExecutions"]], first["NextMarker"]
    while marker:
        page = aws.list_durable_executions_by_function(**ordered, MaxItems=2, Marker=marker)
        seen += [each["DurableExecutionName"] for each in page["DurableExecutions"]]
        marker = page.get("NextMarker")
    assert sorted(seen) == ["late", "n0", "n1", "n2", "n3", "n4"]
    assert len(aws.list_durable_executions_by_function(**ordered, MaxItems=0)["DurableExecutions"]) == 6
    paginator = aws.get_paginator("list_durable_executions_by_function")
    pages = list(paginator.paginate(FunctionName=orders, PaginationConfig={"PageSize": 4}))
    assert [len(page["DurableExecutions"]) for page in pages] == [4, 2]
    answer = refused(aws.list_durable_executions_by_function, FunctionName=orders, Marker="?")
    assert (answer.status, answer.code) == (400, "InvalidParameterValueException")


@pytest.mark.proves("ListDurableExecutionsByFunction")
def test_lists_of_no_function(aws: Any, raw_aws: Any, orders: str, refused: Any, fresh: Any) -> None:
    """Given no function or no version, then it is not found; too large a page breaks the model's constraint."""
    missing = fresh()
    arn = f"arn:aws:lambda:us-east-1:111111111111:function:{missing}"
    answer = refused(aws.list_durable_executions_by_function, FunctionName=missing)
    assert answer.told == (404, "ResourceNotFoundException", f"Function not found: {arn}")
    answer = refused(aws.list_durable_executions_by_function, FunctionName=orders, Qualifier="9")
    assert (answer.status, answer.code) == (404, "ResourceNotFoundException")
    answer = refused(raw_aws.list_durable_executions_by_function, FunctionName=orders, MaxItems=1001)
    assert (answer.status, answer.code) == (400, "ValidationException")
    assert answer.message == (
        "1 validation error detected: Value '1001' at 'maxItems' failed to satisfy constraint: "
        "Member must have value less than or equal to 1000"
    )
