"""Checkpoints, state, history and callbacks of durable executions, as the durable SDKs and other services call them."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from relambda.actors.domain.durable_names import token_of

Make = Callable[..., Any]
INVALID = (400, "InvalidParameterValueException")
GONE = (404, "ResourceNotFoundException", "The callback does not exist.")
CLOSED = (
    400,
    "CallbackTimeoutException",
    "The callback ID token has either expired or the callback associated with the token has already been closed.",
)


class Execution:
    """A running execution, and its function's part in it: it begins with the first token, as its event gives it."""

    def __init__(self, aws: Any, arn: str) -> None:
        self._aws, self.arn = aws, arn
        self.token = token_of(self.id, 0)

    @property
    def id(self) -> str:
        return self.arn.rsplit("/", 1)[1]

    def checkpoint(self, *updates: dict[str, Any], **given: Any) -> list[dict[str, Any]]:
        """What the function has done; answers the operations that it has not seen yet."""
        answer = self._aws.checkpoint_durable_execution(
            DurableExecutionArn=self.arn, CheckpointToken=self.token, Updates=list(updates), **given
        )
        self.token = answer["CheckpointToken"]
        return list(answer["NewExecutionState"]["Operations"])

    def callback(self, id_: str = "c", **options: int) -> str:
        """The id of a new callback."""
        made = self.checkpoint(update("CALLBACK", "START", id_, CallbackOptions=options))
        return str(made[0]["CallbackDetails"]["CallbackId"])

    def state(self, **given: Any) -> dict[str, Any]:
        """One page of its operations."""
        answer = self._aws.get_durable_execution_state(
            DurableExecutionArn=self.arn, CheckpointToken=self.token, **given
        )
        return dict(answer)

    def operation(self, id_: str) -> dict[str, Any]:
        """An operation as it is now."""
        return next(dict(each) for each in self.state(MaxItems=1000)["Operations"] if each["Id"] == id_)

    def history(self, **given: Any) -> list[dict[str, Any]]:
        """All that happened."""
        pages = self._aws.get_paginator("get_durable_execution_history").paginate(DurableExecutionArn=self.arn, **given)
        return [event for page in pages for event in page["Events"]]


def update(type_: str, action: str, id_: str = "a", **more: Any) -> dict[str, Any]:
    return {"Id": id_, "Type": type_, "Action": action, **more}


@pytest.fixture(scope="module")
def orders(aws: Any, request_of: Any, wait: Any, fresh: Callable[..., str]) -> Iterator[str]:
    """The name of a durable function."""
    name = fresh("durable")
    aws.create_function(**request_of(FunctionName=name, DurableConfig={"ExecutionTimeout": 600}))
    wait("function_active_v2", name)
    yield name
    aws.delete_function(FunctionName=name)


@pytest.fixture
def run(aws: Any, orders: str) -> Execution:
    """An execution that runs."""
    started = aws.invoke(FunctionName=orders, Qualifier="$LATEST", InvocationType="Event", Payload='{"n": 1}')
    return Execution(aws, started["DurableExecutionArn"])


@pytest.mark.proves("CheckpointDurableExecution", "GetDurableExecutionState")
def test_a_step(run: Execution) -> None:
    """Given a step, when it fails, is tried again and succeeds, then each checkpoint tells how it stands."""
    (step,) = run.checkpoint(update("STEP", "START", Name="pay", SubType="Step"))
    begun = step.pop("StartTimestamp")
    assert step == {
        "Id": "a", "Type": "STEP", "Name": "pay", "SubType": "Step", "Status": "STARTED", "StepDetails": {"Attempt": 1},
    }  # fmt: skip
    error = {"ErrorType": "Declined", "ErrorMessage": "no"}
    (step,) = run.checkpoint(update("STEP", "RETRY", Error=error, StepOptions={"NextAttemptDelaySeconds": 1}))
    assert (step["Status"], step["StepDetails"]["Error"]) == ("PENDING", error)
    assert step["StepDetails"]["NextAttemptTimestamp"] >= begun + timedelta(seconds=1)
    assert any(run.operation("a")["Status"] == "READY" for _ in range(5_000))
    (step, *_) = run.checkpoint(update("STEP", "START"))
    assert (step["Status"], step["StepDetails"]) == ("STARTED", {"Attempt": 2})
    (step,) = run.checkpoint(update("STEP", "SUCCEED", Payload='"paid"'))
    assert (step["Status"], step["StepDetails"]) == ("SUCCEEDED", {"Attempt": 2, "Result": '"paid"'})
    assert step["EndTimestamp"] > step["StartTimestamp"] == begun
    told = [event["EventType"] for event in run.history()]
    assert told == ["ExecutionStarted", "StepStarted", "StepFailed", "StepStarted", "StepSucceeded"]


@pytest.mark.proves("CheckpointDurableExecution")
def test_a_token_serves_once(aws: Any, run: Execution, refused: Any, position: Any) -> None:
    """Given a checkpoint, when its token comes again, then it is refused, but for a repeat with its client token."""
    used, repeated = run.token, uuid.uuid4().hex
    seen = run.checkpoint(update("CONTEXT", "START"), ClientToken=repeated)
    before = position()
    given = {"DurableExecutionArn": run.arn, "CheckpointToken": used}
    assert refused(aws.checkpoint_durable_execution, **given).told == (*INVALID, "Invalid checkpoint token.")
    again = aws.checkpoint_durable_execution(**given, ClientToken=repeated, Updates=[update("CONTEXT", "START")])
    assert (again["CheckpointToken"], again["NewExecutionState"]["Operations"]) == (run.token, seen)
    strange = {**given, "CheckpointToken": token_of(run.id[::-1], 1)}
    assert refused(aws.checkpoint_durable_execution, **strange).told == (*INVALID, "Invalid checkpoint token.")
    assert refused(aws.get_durable_execution_state, **given).told == (*INVALID, "Invalid checkpoint token.")
    missing = {**given, "DurableExecutionArn": f"{run.arn}0"}
    assert refused(aws.checkpoint_durable_execution, **missing).told == (*INVALID, "Invalid checkpoint token.")
    assert refused(aws.get_durable_execution_state, **missing).told == (*INVALID, "Invalid checkpoint token.")
    assert position() == before


TOO_LARGE = {"ErrorMessage": "x" * 1_048_577}
WRONG = [
    ([update("STEP", "CANCEL")], "there is no such action"),
    ([update("STEP", "SUCCEED")], "it has not been started"),
    ([update("WAIT", "START")], "WaitSeconds is missing"),
    ([update("STEP", "START", ParentId="nobody")], "its parent is no context of this execution"),
    ([update("STEP", "START"), update("STEP", "FAIL", Name="other")], "its Name cannot change"),
    ([update("CONTEXT", "START"), update("CONTEXT", "START")], "is updated more than once"),
    ([update("EXECUTION", "SUCCEED"), update("STEP", "START")], "is not the last one"),
    ([update("STEP", "START"), update("STEP", "FAIL", Error=TOO_LARGE)], "its error has more than 1048576 bytes"),
]


@pytest.mark.proves("CheckpointDurableExecution")
@pytest.mark.parametrize(("updates", "why"), WRONG, ids=[why for _, why in WRONG])
def test_a_checkpoint_is_all_or_nothing(
    aws: Any, run: Execution, refused: Any, position: Any, updates: list[Any], why: str
) -> None:
    """Given updates of which one has no sense, then all are refused, and the token serves still."""
    before = position()
    given = {"DurableExecutionArn": run.arn, "CheckpointToken": run.token}
    answer = refused(aws.checkpoint_durable_execution, **given, Updates=[update("CONTEXT", "START", "first"), *updates])
    assert (answer.status, answer.code) == INVALID
    assert why in answer.message
    assert position() == before
    assert [each["Id"] for each in run.checkpoint(update("CONTEXT", "START", "first"))] == ["first"]


@pytest.mark.proves("GetDurableExecutionState", "CheckpointDurableExecution")
def test_the_state_in_pages(aws: Any, run: Execution, refused: Any) -> None:
    """Given operations, then their pages follow the starts; what is in a closed context is not told."""
    run.checkpoint(update("CONTEXT", "START", "outer"), update("STEP", "START", "inner", ParentId="outer"))
    run.checkpoint(update("CONTEXT", "START", "open"), update("STEP", "START", "told", ParentId="open"))
    run.checkpoint(update("STEP", "SUCCEED", "inner"), update("CONTEXT", "SUCCEED", "outer", Payload="1"))
    first = run.state(MaxItems=2)
    own, outer = first["Operations"]
    assert (own["Id"], own["Type"], own["ExecutionDetails"]) == (run.id, "EXECUTION", {"InputPayload": '{"n": 1}'})
    assert (outer["Id"], outer["Status"], outer["ContextDetails"]["Result"]) == ("outer", "SUCCEEDED", "1")
    rest = run.state(MaxItems=2, Marker=first["NextMarker"])
    assert [each["Id"] for each in rest["Operations"]] == ["open", "told"]
    assert "NextMarker" not in rest
    pages = aws.get_paginator("get_durable_execution_state").paginate(
        DurableExecutionArn=run.arn, CheckpointToken=run.token, PaginationConfig={"PageSize": 1}
    )
    assert [each["Id"] for page in pages for each in page["Operations"]] == [run.id, "outer", "open", "told"]
    given = {"DurableExecutionArn": run.arn, "CheckpointToken": run.token}
    assert refused(aws.get_durable_execution_state, **given, Marker="?").told[:2] == INVALID


@pytest.mark.proves("GetDurableExecutionHistory")
def test_the_history(aws: Any, run: Execution, refused: Any) -> None:
    """Given an execution, then its events are numbered, either way round, in pages, with data or without."""
    run.checkpoint(update("WAIT", "START", "w", WaitOptions={"WaitSeconds": 60}), update("STEP", "START", Name="pay"))
    run.checkpoint(update("WAIT", "CANCEL", "w"), update("STEP", "SUCCEED", Payload='"secret"'))
    events = run.history()
    assert [(each["EventId"], each["EventType"]) for each in events] == [
        (1, "ExecutionStarted"),
        (2, "WaitStarted"),
        (3, "StepStarted"),
        (4, "WaitCancelled"),
        (5, "StepSucceeded"),
    ]
    assert events[0]["ExecutionStartedDetails"] == {"Input": {"Payload": '{"n": 1}'}, "ExecutionTimeout": 600}
    assert events[1]["WaitStartedDetails"]["Duration"] == 60
    assert (events[4]["Id"], events[4]["Name"]) == ("a", "pay")
    assert events[4]["StepSucceededDetails"] == {
        "Result": {"Payload": '"secret"'},
        "RetryDetails": {"CurrentAttempt": 1},
    }
    assert run.history(ReverseOrder=True) == events[::-1]
    assert run.history(PaginationConfig={"PageSize": 2}) == events
    assert run.history(PaginationConfig={"PageSize": 2}, ReverseOrder=True) == events[::-1]
    bare = run.history(IncludeExecutionData=False)
    assert [each["EventId"] for each in bare] == [1, 2, 3, 4, 5]
    assert "secret" not in str(bare)
    answer = refused(aws.get_durable_execution_history, DurableExecutionArn=run.arn, Marker="OTk=")
    assert answer.told[:2] == INVALID


@pytest.mark.proves(
    "SendDurableExecutionCallbackSuccess", "SendDurableExecutionCallbackFailure", "CheckpointDurableExecution"
)
def test_callbacks_are_answered(aws: Any, run: Execution, refused: Any) -> None:
    """Given callbacks, when one succeeds and one fails, then the operations hold what came; a second answer is late."""
    good, bad = run.callback("good"), run.callback("bad")
    aws.send_durable_execution_callback_success(CallbackId=good, Result=b'{"ok": true}')
    error = {"ErrorType": "Refused", "ErrorMessage": "no", "ErrorData": "{}", "StackTrace": ["here"]}
    aws.send_durable_execution_callback_failure(CallbackId=bad, Error=error)
    done, failed = run.operation("good"), run.operation("bad")
    assert (done["Status"], done["CallbackDetails"]) == ("SUCCEEDED", {"CallbackId": good, "Result": '{"ok": true}'})
    assert (failed["Status"], failed["CallbackDetails"]) == ("FAILED", {"CallbackId": bad, "Error": error})
    assert {each["Id"] for each in run.checkpoint()} == {"good", "bad"}
    for call in (aws.send_durable_execution_callback_success, aws.send_durable_execution_callback_failure):
        answer = refused(call, CallbackId=good)
        assert (answer.told, answer.type) == (CLOSED, "User")
    told = [event["EventType"] for event in run.history()]
    assert told[-2:] == ["CallbackSucceeded", "CallbackFailed"]


@pytest.mark.proves(
    *("SendDurableExecutionCallbackHeartbeat", "SendDurableExecutionCallbackSuccess"),
    "SendDurableExecutionCallbackFailure",
)
def test_a_callback_times_out(aws: Any, run: Execution, refused: Any, position: Any) -> None:
    """Given a callback with a heartbeat, when none comes in time, then it is TIMED_OUT, and an answer is late."""
    beating, open_ = run.callback("beats", HeartbeatTimeoutSeconds=1), run.callback("open")
    before = position()
    aws.send_durable_execution_callback_heartbeat(CallbackId=beating)
    assert position() == before + 1
    aws.send_durable_execution_callback_heartbeat(CallbackId=open_)
    assert any(run.operation("beats")["Status"] == "TIMED_OUT" for _ in range(5_000))
    assert run.operation("beats")["CallbackDetails"]["Error"]["ErrorType"] == "Callback.Heartbeat"
    for call in (
        *(aws.send_durable_execution_callback_success, aws.send_durable_execution_callback_failure),
        aws.send_durable_execution_callback_heartbeat,
    ):
        assert refused(call, CallbackId=beating).told == CLOSED


@pytest.mark.proves(
    *("SendDurableExecutionCallbackHeartbeat", "SendDurableExecutionCallbackSuccess"),
    "SendDurableExecutionCallbackFailure",
)
def test_callbacks_of_nobody(
    aws: Any, other_aws: Any, raw_aws: Any, run: Execution, refused: Any, position: Any
) -> None:
    """Given ids of no callback, or of another account's, then there is none; what is no text or too much is refused."""
    real, before = run.callback(), position()
    stranger = other_aws("222222222222")
    for client, missing in ((aws, "bm8="), (aws, token_of(run.id, 0)), (stranger, real)):
        for call in (
            *(client.send_durable_execution_callback_success, client.send_durable_execution_callback_failure),
            client.send_durable_execution_callback_heartbeat,
        ):
            assert refused(call, CallbackId=missing).told == GONE
    answer = refused(aws.send_durable_execution_callback_success, CallbackId=real, Result=b"\xff")
    assert answer.told[:2] == INVALID
    answer = refused(aws.send_durable_execution_callback_failure, CallbackId=real, Error=TOO_LARGE)
    assert answer.told[:2] == INVALID
    answer = refused(raw_aws.send_durable_execution_callback_success, CallbackId=real, Result=b"x" * 1_048_577)
    assert answer.told[:2] == (400, "ValidationException")
    answer = refused(raw_aws.send_durable_execution_callback_heartbeat, CallbackId="no id")
    assert answer.told[:2] == (400, "ValidationException")
    assert position() == before
    aws.stop_durable_execution(DurableExecutionArn=run.arn)
    assert refused(aws.send_durable_execution_callback_success, CallbackId=real).told == CLOSED
