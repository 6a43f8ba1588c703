"""Asynchronous invocations: accepted, retried as long as AWS does, and done with for a reason."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.domain.async_invocation import (
    MOST_PENDING,
    AcceptInvocation,
    AsyncInvocationAccepted,
    AsyncInvocationCompleted,
    AsyncInvocationRetried,
    Content,
    DropInvocation,
    EndAttempt,
    Pending,
    Policy,
    QueueState,
    queue,
    queue_of,
)
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal

NAME = queue_of(ResourceName("function", "111111111111", "us-east-1", "orders"))
ACCEPT = AcceptInvocation(
    resource=NAME, at_ms=1_000, request_id="r", qualifier="live", payload=Content(text="{}"), tenant_id="blue"
)


def end(at_ms: int, error: str = "", **policy: int) -> EndAttempt:
    return EndAttempt(
        resource=NAME,
        at_ms=at_ms,
        request_id="r",
        executed_version="1",
        function_error=error,
        policy=Policy(**policy),
    )


def accepted() -> QueueState:
    return queue.fold(QueueState(), queue.decide(QueueState(), ACCEPT))


def test_it_is_accepted() -> None:
    """Given nothing, when an invocation is accepted, then it is pending with all that came with it."""
    (event,) = queue.decide(QueueState(), ACCEPT)
    assert isinstance(event, AsyncInvocationAccepted)
    assert accepted().pending == {"r": Pending("live", Content(text="{}"), "", "blue", 1_000)}


def test_a_success_is_the_end() -> None:
    """Given a pending invocation, when the function succeeds, then it is done with."""
    (event,) = queue.decide(accepted(), end(1_500))
    assert event == AsyncInvocationCompleted(
        at_ms=1_500, request_id="r", condition="Success", invoke_count=1, executed_version="1"
    )
    assert queue.evolve(accepted(), event) == QueueState()


def test_two_retries_after_one_and_two_minutes() -> None:
    """Given a function that fails, then it is tried again after 60 s and after 120 s, and then no more."""
    state, told = accepted(), list[Any]()
    for at_ms in (2_000, 70_000, 200_000):
        (event,) = queue.decide(state, end(at_ms, "Unhandled"))
        state = queue.evolve(state, event)
        told.append(event)
    assert [event.not_before_ms for event in told if isinstance(event, AsyncInvocationRetried)] == [62_000, 190_000]
    assert (told[-1].condition, told[-1].invoke_count, told[-1].function_error) == ("RetriesExhausted", 3, "Unhandled")
    assert state == QueueState()


def test_no_retry_past_the_age() -> None:
    """Given an event whose age would be past its most at the retry, when the function fails, then it is too old."""
    (event,) = queue.decide(accepted(), end(50_000, "Unhandled", age_ms=60_000))
    assert isinstance(event, AsyncInvocationCompleted)
    assert event.condition == "EventAgeExceeded"


def test_no_retry_when_none_is_wanted() -> None:
    """Given MaximumRetryAttempts 0, when the function fails once, then retries are exhausted."""
    (event,) = queue.decide(accepted(), end(2_000, "Unhandled", retries=0))
    assert isinstance(event, AsyncInvocationCompleted)
    assert (event.condition, event.invoke_count) == ("RetriesExhausted", 1)


def test_it_is_dropped() -> None:
    """Given a pending invocation, when it is dropped, then it is done with for that reason, once."""
    drop = DropInvocation(resource=NAME, at_ms=2_000, request_id="r", condition="ZeroReservedConcurrency")
    (event,) = queue.decide(accepted(), drop)
    assert isinstance(event, AsyncInvocationCompleted)
    assert (event.condition, event.invoke_count) == ("ZeroReservedConcurrency", 0)
    assert queue.decide(QueueState(), drop) == ()
    assert queue.decide(QueueState(), end(1)) == ()


def test_too_many_are_refused() -> None:
    """Given as many as may be pending, when one more comes, then the rate is exceeded."""
    waits = accepted().pending["r"]
    full = QueueState({str(number): waits for number in range(MOST_PENDING)})
    with pytest.raises(Refusal) as refused:
        queue.decide(full, ACCEPT)
    assert (refused.value.code, refused.value.message) == ("TooManyRequestsException", "Rate Exceeded.")


def test_the_row_tells_of_what_is_unfinished() -> None:
    """Given the first and the last of what is pending, then the queue becomes unfinished and finished."""
    some = accepted()
    more = QueueState({**some.pending, "s": replace(some.pending["r"])})
    assert [row.value for row in queue.rows(NAME, QueueState(), some)] == [{}]
    assert list(queue.rows(NAME, some, more)) == []
    assert [row.value for row in queue.rows(NAME, some, QueueState())] == [None]


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.integers(0, 2))
def test_tried_no_more_than_allowed(outcomes: list[bool], retries: int) -> None:
    """Given any outcomes, then a function is tried 1 + retries times at most, and stops at its first success."""
    state, tried = accepted(), 0
    for number, failed in enumerate(outcomes):
        command = end(2_000 + number, "Unhandled" if failed else "", retries=retries, base_delay_ms=0)
        if not state.pending:
            break
        tried += 1
        state = queue.fold(state, queue.decide(state, command))
    first = outcomes.index(False) + 1 if False in outcomes else len(outcomes)
    assert tried == min(first, retries + 1, len(outcomes))
