"""Durable executions: their life, their operations, callbacks, timers, and the history that AWS tells of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.domain.decider import Command, Event
from relambda.actors.domain.durable import (
    DeleteExecution,
    DurableExecutionEnded,
    DurableExecutionStarted,
    FinishDeletion,
    StartExecution,
    StopExecution,
)
from relambda.actors.domain.durable_callbacks import AnswerCallback, BeatHeart, GoOff
from relambda.actors.domain.durable_checkpoint import TakeCheckpoint, changed_since
from relambda.actors.domain.durable_history import history
from relambda.actors.domain.durable_invocation import BeginInvocation, EndInvocation
from relambda.actors.domain.durable_names import (
    Execution,
    callback_id,
    execution_stream,
    read_arn,
    read_callback_id,
    sequence_of,
    token_of,
)
from relambda.actors.domain.durable_operations import LONGEST_PAYLOAD
from relambda.actors.domain.durable_pause import PauseExecution, ResumeExecution
from relambda.actors.domain.durable_state import DAY_MS, ENDED, DurableState, durable, next_due, show, show_operation
from relambda.actors.domain.names import Scope
from relambda.actors.domain.refusals import Refusal

NAME = execution_stream(Scope("111111111111", "us-east-1"), "orders", "order-1")
FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function:orders:1"
ARN = f"{FUNCTION}/durable-execution/order-1/e1"
CONFIG = {"ExecutionTimeout": 3600, "RetentionPeriodInDays": 1}


def start(at_ms: int = 1_000, id_: str = "e1", input_: str = '{"n":1}') -> StartExecution:
    return StartExecution(
        resource=NAME, at_ms=at_ms, id=id_, version="1", function_arn=FUNCTION, input=input_, config=CONFIG
    )


@dataclass(slots=True)
class Run:
    """An execution, all that has happened to it, and the time of the next command."""

    state: DurableState = field(default_factory=DurableState)
    events: list[Event] = field(default_factory=list)
    now: int = 2_000

    def when(self, command: Command) -> tuple[Event, ...]:
        events = durable.decide(self.state, command)
        self.state = durable.fold(self.state, events)
        self.events.extend(events)
        return events

    def do(self, kind: type[Any], at_ms: int | None = None, **given: Any) -> tuple[Event, ...]:
        self.now = self.now if at_ms is None else at_ms
        if kind is not GoOff:
            given = {"execution_id": "e1", **given}
        return self.when(kind(resource=NAME, at_ms=self.now, **given))

    def refuses(self, kind: type[Any], **given: Any) -> Refusal:
        with pytest.raises(Refusal) as refused:
            durable.decide(self.state, kind(resource=NAME, at_ms=self.now, **{"execution_id": "e1", **given}))
        return refused.value

    def checkpoint(self, *updates: dict[str, Any], at_ms: int | None = None, client_token: str = "") -> list[Any]:
        token = token_of("e1", self.state.sequence)
        self.do(TakeCheckpoint, at_ms, token=token, updates=updates, client_token=client_token)
        return [show_operation(each) for each in changed_since(self.state, token)]

    def refuses_checkpoint(self, *updates: dict[str, Any]) -> str:
        refusal = self.refuses(TakeCheckpoint, token=token_of("e1", self.state.sequence), updates=updates)
        assert refusal.code == "InvalidParameterValueException"
        return refusal.message

    @property
    def told(self) -> list[str]:
        return [each["EventType"] for each in history(self.events)]

    def operation(self, id_: str) -> dict[str, Any]:
        return show_operation(self.state.operations[id_])


@pytest.fixture
def run() -> Run:
    """An execution that runs since 1 s."""
    begun = Run()
    begun.when(start())
    return begun


def update(type_: str, action: str, id_: str = "a", **more: Any) -> dict[str, Any]:
    return {"Id": id_, "Type": type_, "Action": action, **more}


def test_it_starts() -> None:
    """Given nothing, when an execution starts, then it runs, and its first operation is itself with the input."""
    begun = Run()
    (event,) = begun.when(start())
    assert isinstance(event, DurableExecutionStarted)
    assert show(NAME, begun.state) == {
        "DurableExecutionArn": ARN,
        "DurableExecutionName": "order-1",
        "FunctionArn": FUNCTION,
        "Status": "RUNNING",
        "StartTimestamp": 1.0,
        "Version": "1",
        "DurableConfig": CONFIG,
        "ExpectedExecutionTimeoutTimestamp": 3601.0,
    }
    assert begun.operation("e1") == {
        "Id": "e1",
        "Type": "EXECUTION",
        "Status": "STARTED",
        "StartTimestamp": 1.0,
        "ExecutionDetails": {"InputPayload": '{"n":1}'},
    }


def test_a_name_is_one_execution(run: Run) -> None:
    """Given an execution, when its name is started again, then the same input is it, and another one is refused."""
    assert run.when(start(at_ms=5_000, id_="e2")) == ()
    with pytest.raises(Refusal) as refused:
        run.when(start(input_="{}"))
    assert refused.value.code == "DurableExecutionAlreadyStartedException"
    run.do(StopExecution)
    assert run.when(start(at_ms=5_000, id_="e2")) == ()


def test_a_name_is_free_after_its_retention(run: Run) -> None:
    """Given an execution that ended, when its retention is over, then it is gone and its name is free."""
    run.do(StopExecution)
    later = run.now + DAY_MS
    run.now = later
    assert run.refuses(StopExecution).code == "ResourceNotFoundException"
    assert run.when(start(at_ms=later, id_="e2"))
    assert run.state.id == "e2"
    assert [each["EventType"] for each in history(run.events)] == ["ExecutionStarted"]


def test_it_is_stopped(run: Run) -> None:
    """Given an execution, when it is stopped, then it is STOPPED with the error, and stopping again changes nothing."""
    error = {"ErrorType": "Enough", "ErrorMessage": "no more"}
    assert run.do(StopExecution, error=error) == (DurableExecutionEnded(at_ms=2_000, status="STOPPED", error=error),)
    assert run.do(StopExecution, at_ms=9_000) == ()
    assert (run.state.status, run.state.ended_ms) == ("STOPPED", 2_000)
    assert run.told == ["ExecutionStarted", "ExecutionStopped"]


def test_another_execution_of_the_name_is_not_found(run: Run) -> None:
    """Given an execution, when a command is about another id, then there is no such execution."""
    assert run.refuses(StopExecution, execution_id="e0").code == "ResourceNotFoundException"


def test_it_is_paused_and_resumed(run: Run) -> None:
    """Given an execution that waits, when it is paused for a while, then its timeout moves by that while."""
    run.do(PauseExecution, reason="outage", client_token="t1")
    shown = show(NAME, run.state)
    assert shown["Status"] == "PAUSED"
    assert shown["PauseDetails"] == {
        "PauseRequestTimestamp": 2.0,
        "Reason": "outage",
        "ExecutionTimeoutPaused": True,
    }
    assert run.do(PauseExecution, reason="outage", client_token="t1") == ()
    assert run.refuses(PauseExecution, client_token="t2").code == "ResourceConflictException"
    run.do(ResumeExecution, at_ms=12_000, client_token="t3")
    assert run.do(ResumeExecution, client_token="t3") == ()
    assert run.refuses(ResumeExecution, client_token="t4").code == "ResourceConflictException"
    assert show(NAME, run.state)["ExpectedExecutionTimeoutTimestamp"] == 3611.0
    assert run.told == ["ExecutionStarted", "ExecutionPaused", "ExecutionResumed"]


def test_a_pause_waits_for_the_next_checkpoint(run: Run) -> None:
    """Given that the function runs, when a pause is asked for, then it begins at the next checkpoint."""
    run.do(BeginInvocation, request_id="r1")
    run.do(PauseExecution, timeout_paused=False)
    assert run.state.status == "PAUSING"
    run.checkpoint(update("STEP", "START"))
    assert run.state.status == "PAUSED"
    assert "takes no checkpoint" in run.refuses_checkpoint()
    assert run.do(BeginInvocation, request_id="r2") == ()


def test_a_pause_is_called_off(run: Run) -> None:
    """Given a pause that has not begun, when the execution is resumed, then the invocation goes on."""
    run.do(BeginInvocation, request_id="r1")
    run.do(PauseExecution)
    run.do(ResumeExecution)
    run.checkpoint(update("STEP", "START"))
    assert run.state.status == "RUNNING"


def test_it_is_deleted(run: Run) -> None:
    """Given an execution, when it is deleted, then it must have ended, is DELETING, then gone, and its name free."""
    assert run.refuses(DeleteExecution).code == "ResourceConflictException"
    run.do(StopExecution)
    run.do(DeleteExecution)
    assert run.state.status == "DELETING"
    assert run.do(DeleteExecution) == ()
    run.do(FinishDeletion)
    assert run.state == DurableState()
    assert run.do(FinishDeletion) == ()
    assert run.when(start(input_="{}"))


@pytest.mark.parametrize(
    ("status", "given_", "ends"),
    [
        ("SUCCEEDED", {"result": '"done"'}, "SUCCEEDED"),
        ("FAILED", {"error": {"ErrorMessage": "no"}}, "FAILED"),
        ("PENDING", {}, "RUNNING"),
        ("", {"error": {"ErrorType": "Sandbox.Timedout"}}, "RUNNING"),
    ],
)
def test_an_invocation_ends(run: Run, status: str, given_: dict[str, Any], ends: str) -> None:
    """Given that the function runs, when it answers, then the execution is over or goes on, and history tells."""
    run.do(BeginInvocation, request_id="r1")
    run.do(EndInvocation, at_ms=3_000, request_id="r1", status=status, **given_)
    assert run.state.status == ends
    assert run.do(EndInvocation, request_id="r1", status="SUCCEEDED") == ()
    told = history(run.events)[1]
    assert told["EventType"] == "InvocationCompleted"
    assert told["InvocationCompletedDetails"]["RequestId"] == "r1"
    assert told["InvocationCompletedDetails"]["EndTimestamp"] == 3.0


def test_a_step_with_retries(run: Run) -> None:
    """Given a step, when it fails and is retried, then it is PENDING, READY at its time, started again, and done."""
    run.checkpoint(update("STEP", "START", Name="charge", SubType="Step"))
    error = {"ErrorMessage": "later"}
    run.checkpoint(update("STEP", "RETRY", Error=error, StepOptions={"NextAttemptDelaySeconds": 5}))
    assert run.operation("a")["Status"] == "PENDING"
    assert run.operation("a")["StepDetails"] == {"Attempt": 1, "NextAttemptTimestamp": 7.0, "Error": error}
    assert next_due(run.state) == 7_000
    assert run.do(GoOff, at_ms=6_999) == ()
    run.do(GoOff, at_ms=7_000)
    assert run.operation("a")["Status"] == "READY"
    run.checkpoint(update("STEP", "START"))
    run.checkpoint(update("STEP", "SUCCEED", Payload="1"), at_ms=8_000)
    assert run.operation("a") == {
        "Id": "a",
        "Name": "charge",
        "SubType": "Step",
        "Type": "STEP",
        "Status": "SUCCEEDED",
        "StartTimestamp": 2.0,
        "EndTimestamp": 8.0,
        "StepDetails": {"Attempt": 2, "Result": "1"},
    }
    assert run.told == ["ExecutionStarted", "StepStarted", "StepFailed", "StepStarted", "StepSucceeded"]
    failed = history(run.events)[2]["StepFailedDetails"]
    assert failed["RetryDetails"] == {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 5}


def test_a_wait_ends_by_itself_or_is_cancelled(run: Run) -> None:
    """Given waits, when their time comes they succeed, and one that is cancelled before does not."""
    run.checkpoint(*(update("WAIT", "START", id_, WaitOptions={"WaitSeconds": 10}) for id_ in ("a", "b")))
    assert run.operation("a")["WaitDetails"] == {"ScheduledEndTimestamp": 12.0}
    run.checkpoint(update("WAIT", "CANCEL", "b"))
    run.do(GoOff, at_ms=12_000)
    assert (run.operation("a")["Status"], run.operation("b")["Status"]) == ("SUCCEEDED", "CANCELLED")
    assert run.told[1:] == ["WaitStarted", "WaitStarted", "WaitCancelled", "WaitSucceeded"]


def test_timers_go_off_in_a_pause(run: Run) -> None:
    """Given a paused execution, when a wait's time comes, then it succeeds (API reference, PauseDurableExecution)."""
    run.checkpoint(update("WAIT", "START", WaitOptions={"WaitSeconds": 1}))
    run.do(PauseExecution)
    run.do(GoOff, at_ms=4_000)
    assert (run.state.status, run.operation("a")["Status"]) == ("PAUSED", "SUCCEEDED")


def callback(run: Run, **options: int) -> str:
    run.checkpoint(update("CALLBACK", "START", CallbackOptions=options))
    return str(run.operation("a")["CallbackDetails"]["CallbackId"])


def test_a_callback_is_answered(run: Run) -> None:
    """Given a callback, when it is answered, then it is closed, and a later answer comes too late."""
    made = callback(run)
    name = read_callback_id(made)
    assert name is not None
    assert (name.resource, name.execution_id, name.operation_id) == (NAME, "e1", "a")
    run.do(AnswerCallback, operation_id="a", succeeded=True, result='"yes"')
    assert run.operation("a")["CallbackDetails"] == {"CallbackId": made, "Result": '"yes"'}
    late = run.refuses(AnswerCallback, operation_id="a", succeeded=False)
    assert late.code == "CallbackTimeoutException"
    assert run.refuses(BeatHeart, operation_id="a").code == "CallbackTimeoutException"
    assert run.refuses(BeatHeart, operation_id="z").code == "ResourceNotFoundException"
    assert run.told[1:] == ["CallbackStarted", "CallbackSucceeded"]


def test_a_callback_fails(run: Run) -> None:
    """Given a callback, when it is told to have failed, then it has, with the error."""
    callback(run)
    run.do(AnswerCallback, operation_id="a", succeeded=False, error={"ErrorMessage": "no"})
    assert run.operation("a")["Status"] == "FAILED"
    assert run.told[-1] == "CallbackFailed"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"TimeoutSeconds": 10, "HeartbeatTimeoutSeconds": 60}, "Callback.Timeout"),
        ({"HeartbeatTimeoutSeconds": 10}, "Callback.Heartbeat"),
    ],
)
def test_a_callback_times_out(run: Run, options: dict[str, int], error: str) -> None:
    """Given a callback with timeouts, when nobody answers, then the first to pass closes it."""
    callback(run, **options)
    assert run.do(GoOff, at_ms=11_999) == ()
    run.do(GoOff, at_ms=12_000)
    assert run.operation("a")["Status"] == "TIMED_OUT"
    assert run.operation("a")["CallbackDetails"]["Error"]["ErrorType"] == error


def test_a_heartbeat_gives_more_time(run: Run) -> None:
    """Given a heartbeat timeout, when the heart beats, then it is counted from then; without one it changes nothing."""
    callback(run, HeartbeatTimeoutSeconds=10)
    run.do(BeatHeart, at_ms=8_000, operation_id="a")
    assert run.do(GoOff, at_ms=17_000) == ()
    run.do(GoOff, at_ms=18_000)
    assert run.operation("a")["Status"] == "TIMED_OUT"
    run.checkpoint(update("CALLBACK", "START", "b"))
    assert run.do(BeatHeart, operation_id="b") == ()


def test_it_times_out(run: Run) -> None:
    """Given an execution timeout, when it passes, then the execution is TIMED_OUT, whatever still waits."""
    run.checkpoint(update("WAIT", "START", WaitOptions={"WaitSeconds": 90_000}))
    run.do(GoOff, at_ms=3_601_000)
    assert run.state.status == "TIMED_OUT"
    assert next_due(run.state) is None
    assert run.told[-1] == "ExecutionTimedOut"


def test_a_paused_timeout_does_not_pass(run: Run) -> None:
    """Given a pause that stops the timeout, when the timeout would be over, then the execution goes on."""
    run.do(PauseExecution)
    assert run.do(GoOff, at_ms=4_000_000) == ()
    assert next_due(run.state) == 1_000 + 366 * DAY_MS


def test_a_token_serves_once(run: Run) -> None:
    """Given a token, when it has served, then it serves no more, but for the same request again."""
    first = token_of("e1", 0)
    run.checkpoint(update("STEP", "START"), client_token="c1")
    assert sequence_of(token_of("e1", run.state.sequence), "e1") == 1
    assert run.do(TakeCheckpoint, token=first, updates=(), client_token="c1") == ()
    for token in (first, token_of("e1", 2), token_of("e2", 1), "????"):
        assert run.refuses(TakeCheckpoint, token=token, client_token="c2").message == "Invalid checkpoint token."


def test_a_checkpoint_tells_what_is_new(run: Run) -> None:
    """Given what happened since the last checkpoint, then the next one tells it, with its own changes, once."""
    run.checkpoint(update("WAIT", "START", "w", WaitOptions={"WaitSeconds": 1}))
    run.do(GoOff, at_ms=3_000)
    assert [each["Id"] for each in run.checkpoint(update("STEP", "START", "s"))] == ["w", "s"]
    assert run.checkpoint() == []


def test_a_checkpoint_is_all_or_nothing(run: Run) -> None:
    """Given one bad update among good ones, then none is taken."""
    text = run.refuses_checkpoint(update("STEP", "START"), update("STEP", "SUCCEED", "b"))
    assert "has not been started" in text
    assert run.state.operations.keys() == {"e1"}


def test_the_function_ends_the_execution(run: Run) -> None:
    """Given the end of the execution in a checkpoint, then it is over, and takes no more."""
    run.checkpoint(update("EXECUTION", "SUCCEED", "e1", Payload='"big"'))
    assert (run.state.status, run.state.result) == ("SUCCEEDED", '"big"')
    assert run.operation("e1")["Status"] == "SUCCEEDED"
    assert "takes no checkpoint" in run.refuses_checkpoint()


def test_contexts_hold_operations(run: Run) -> None:
    """Given a context, then operations may be inside it, and only inside a context."""
    run.checkpoint(update("CONTEXT", "START", "c"), update("STEP", "START", "s", ParentId="c"))
    assert run.operation("s")["ParentId"] == "c"
    run.checkpoint(update("CONTEXT", "SUCCEED", "c", Payload="1", ContextOptions={"ReplayChildren": True}))
    assert run.operation("c")["ContextDetails"] == {"ReplayChildren": True, "Result": "1"}
    for parent in ("s", "nobody"):
        assert "its parent is no context" in run.refuses_checkpoint(update("STEP", "START", "t", ParentId=parent))


def test_a_chained_invoke_starts(run: Run) -> None:
    """Given a chained invoke, then it is STARTED, and history tells of what and with what."""
    options = {"FunctionName": "other:1"}
    run.checkpoint(update("CHAINED_INVOKE", "START", ChainedInvokeOptions=options, Payload="{}"))
    assert run.operation("a")["Status"] == "STARTED"
    told = history(run.events)[-1]
    assert told["ChainedInvokeStartedDetails"] == {"FunctionName": "other:1", "Input": {"Payload": "{}"}}


@pytest.mark.parametrize(
    ("updates", "text"),
    [
        ([update("WAIT", "SUCCEED")], "there is no such action"),
        ([update("WAIT", "START")], "WaitSeconds is missing"),
        ([update("CHAINED_INVOKE", "START")], "ChainedInvokeOptions are missing"),
        ([update("STEP", "START"), update("STEP", "RETRY")], "NextAttemptDelaySeconds is missing"),
        ([update("CONTEXT", "START"), update("STEP", "SUCCEED")], "its Type cannot change"),
        ([update("STEP", "START", Name="x"), update("STEP", "SUCCEED", Name="y")], "its Name cannot change"),
        ([update("STEP", "START"), update("STEP", "START")], "more than once"),
        ([update("EXECUTION", "FAIL", "e1"), update("STEP", "START")], "the end of the execution is not the last one"),
        ([update("STEP", "START"), update("STEP", "SUCCEED", Payload="x" * (LONGEST_PAYLOAD + 1))], "its payload has"),
        (
            [
                update("STEP", "START"),
                update("STEP", "RETRY", Payload="1", Error={}, StepOptions={"NextAttemptDelaySeconds": 1}),
            ],
            "a payload and an error are given",
        ),
    ],
)
def test_updates_that_are_refused(run: Run, updates: list[dict[str, Any]], text: str) -> None:
    """Given an update that makes no sense, then it is an invalid parameter value."""
    assert text in run.refuses_checkpoint(*updates)


def test_history_without_data(run: Run) -> None:
    """Given a history, when no data is wanted, then no payload is in it, and it is numbered from 1."""
    run.checkpoint(update("STEP", "START"), update("STEP", "SUCCEED", Payload="secret"))
    told = history(run.events, include_data=False)
    assert [each["EventId"] for each in told] == [1, 2, 3]
    assert "secret" not in repr(told)
    assert told[2]["StepSucceededDetails"]["Result"] == {}


def test_names_are_read_as_they_were_made() -> None:
    """Given an ARN, a token and a callback id, then they mean what they were made of; other texts mean nothing."""
    execution = Execution(NAME, "1", "e1")
    assert execution.arn == ARN
    assert read_arn(ARN) == execution
    assert read_arn(FUNCTION) is None
    assert read_callback_id(callback_id(NAME, "e1", "op")) is not None
    assert read_callback_id("AAAA") is None


def test_rows_of_an_execution(run: Run) -> None:
    """Given an execution, then its rows list it twice, show it and its operations, and go with it."""
    rows = {(row.table, row.key): row.value for row in durable.rows(NAME, DurableState(), run.state)}
    key = "111111111111/us-east-1/orders"
    assert {table for table, _ in rows} == {
        "executions",
        "execution_inputs",
        "execution_operations",
        "executions_newest",
        "executions_oldest",
        "unfinished",
    }
    assert rows["executions_oldest", f"{key}/000000000001000/order-1"]["Shown"]["Status"] == "RUNNING"
    assert rows["execution_operations", f"{key}/order-1/00000000"]["Id"] == "e1"
    gone = {(row.table, row.key): row.value for row in durable.rows(NAME, run.state, DurableState())}
    assert gone.keys() == rows.keys()
    assert set(gone.values()) == {None}


UPDATES = st.builds(
    update,
    st.sampled_from(["EXECUTION", "CONTEXT", "STEP", "WAIT", "CALLBACK", "CHAINED_INVOKE"]),
    st.sampled_from(["START", "SUCCEED", "FAIL", "RETRY", "CANCEL"]),
    st.sampled_from(["a", "b"]),
    WaitOptions=st.just({"WaitSeconds": 1}),
    StepOptions=st.just({"NextAttemptDelaySeconds": 1}),
    CallbackOptions=st.just({"TimeoutSeconds": 1}),
    ChainedInvokeOptions=st.just({"FunctionName": "f"}),
)


@given(st.lists(st.one_of(st.lists(UPDATES, max_size=3), st.integers(0, 2_000)), max_size=25))
def test_whatever_comes_closed_operations_stay_closed(steps: list[Sequence[Any] | int]) -> None:
    """Given any checkpoints and any passing of time, then what is closed stays as it is, and history is numbered."""
    run, closed = Run(), dict[str, Any]()
    run.when(start())
    for step in steps:
        try:
            if isinstance(step, int):
                run.do(GoOff, at_ms=run.now + step)
            else:
                run.checkpoint(*step)
        except Refusal:
            continue
        for id_, shown in closed.items():
            assert run.operation(id_) == shown
        ended = (each for each in run.state.operations.values() if each.ended_ms is not None)
        closed = {each.id: show_operation(each) for each in ended}
        assert [each["EventId"] for each in history(run.events)] == list(range(1, len(run.told) + 1))
        assert run.state.status in {"RUNNING", *ENDED}
