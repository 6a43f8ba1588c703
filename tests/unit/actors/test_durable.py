"""The actor of a durable execution: what is due happens, however far off it is and whoever sleeps meanwhile."""

from collections.abc import Iterator
from typing import Any

import pytest

from relambda.actors import codec
from relambda.actors.domain.durable import DeleteExecution, StartExecution, StopExecution
from relambda.actors.domain.durable_checkpoint import TakeCheckpoint
from relambda.actors.domain.durable_names import execution_stream, token_of
from relambda.actors.domain.durable_state import DurableState
from relambda.actors.domain.names import Scope
from relambda.actors.domain.refusals import Refusal
from relambda.actors.kinds import STARTS
from relambda.actors.messages import AwaitEnd
from relambda.actors.room import Options
from relambda.store.memory import MemoryStore

NAME = execution_stream(Scope("111111111111", "us-east-1"), "orders", "order-1")
DAY = 86_400
SECONDS = 10.0


class World:
    """One execution that waits for days, in the test's own time."""

    def __init__(self, system_over: Any, days: int) -> None:
        self.store = MemoryStore(codec.event_types())
        self.time, self.system = system_over(self.store, STARTS, Options(passivate_after=3 * DAY, state_transition=2.0))
        self.start()
        wait = {"Id": "w", "Type": "WAIT", "Action": "START", "WaitOptions": {"WaitSeconds": days * DAY}}
        self.ask(TakeCheckpoint, execution_id="e1", token=token_of("e1", 0), updates=[wait])

    def ask(self, command: type[Any], **given: Any) -> DurableState:
        state: DurableState = self.system.ask(command(resource=NAME, at_ms=self.time.now_ms(), **given))
        return state

    def start(self, id_: str = "e1", input_: str = "{}") -> DurableState:
        """Start it; again, nothing happens, and it is as it is behind whatever the actor has been told so far."""
        return self.ask(StartExecution, id=id_, version="1", function_arn="arn", input=input_, config={})

    def look(self) -> str:
        """How the wait stands, when what is due by now has happened."""
        self.start()
        return self.start().operations["w"].status


@pytest.fixture
def days(system_over: Any) -> Iterator[World]:
    """An execution that waits for a week."""
    made = World(system_over, 7)
    yield made
    made.system.stop(1.0)


def test_a_wait_of_days_ends(days: World) -> None:
    """Given a wait of a week, when the days go by one by one, then it has succeeded after the seventh."""
    for _ in range(6):
        days.time.advance(DAY)
        assert days.look() == "STARTED"
    days.time.advance(DAY)
    assert days.look() == "SUCCEEDED"


def test_a_timer_that_is_early_is_set_again(days: World) -> None:
    """Given a clock that was set back, when the timer is early, then the wait ends at its time all the same."""
    days.time.now -= 3600
    for _ in range(7):
        days.time.advance(DAY)
        assert days.look() == "STARTED"
    days.time.advance(3600)
    assert days.look() == "SUCCEEDED"


def test_who_waits_is_told(days: World) -> None:
    """Given callers that wait for the end, then they get it, a refusal for another's id, or for a stopped system."""
    ends, stranger, late = (AwaitEnd(id_) for id_ in ("e1", "e2", "e3"))
    for message in (ends, stranger):
        days.system.tell(NAME.stream, message)
    days.start()
    assert not ends.reply.done()
    assert isinstance(stranger.reply.exception(SECONDS), Refusal)
    days.ask(StopExecution, execution_id="e1")
    assert ends.reply.result(SECONDS).status == "STOPPED"

    days.time.advance(15 * DAY)
    days.start("e3", "[]")
    days.system.tell(NAME.stream, late)
    days.start("e3", "[]")
    days.system.stop(1.0)
    assert isinstance(late.reply.exception(SECONDS), Refusal)


def test_a_deletion_is_held_visible(days: World) -> None:
    """Given RELAMBDA_STATE_TRANSITION_MS, when an ended execution is deleted, then it is DELETING for that long."""
    days.ask(StopExecution, execution_id="e1")
    assert days.ask(DeleteExecution, execution_id="e1").status == "DELETING"
    days.time.advance(1.0)
    assert days.ask(DeleteExecution, execution_id="e1").status == "DELETING"
    days.time.advance(1.0)
    assert days.start("e2", "[]").id == "e2"
