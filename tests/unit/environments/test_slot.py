"""Who answers an invocation, who ends it, and who may come next: each is decided once."""

import pytest

from relambda.actors.environments.init_phase import InitPhase
from relambda.actors.environments.run import Run
from relambda.actors.environments.slot import Ended, Slot
from relambda.actors.invocation import Invocation


def run_of(request_id: str) -> Run:
    return Run(Invocation(request_id, None, b""), 3.0, 128)


@pytest.fixture
def run() -> Run:
    return run_of("one")


@pytest.fixture
def taken(run: Run) -> Slot:
    """A slot with that invocation."""
    slot = Slot()
    assert slot.put(run)
    return slot


def test_an_invocation_is_answered_once_and_ended_after_that(taken: Slot, run: Run) -> None:
    """Given a running invocation, then it cannot be ended before its answer, answered twice, nor ended twice."""
    assert taken.end() is None
    assert taken.take("other") is None
    assert taken.take("one") is run
    assert taken.take("one") is None
    assert not taken.put(run_of("two"))
    assert taken.end("one") is run
    assert taken.end("one") is None
    assert taken.put(run_of("two"))


@pytest.mark.parametrize("answered", [False, True])
def test_what_is_cleared_tells_whether_its_caller_waits(taken: Slot, run: Run, answered: bool) -> None:
    """Given an invocation, answered or not, when it is cleared, then nobody else may answer or end it."""
    if answered:
        taken.take()
    assert taken.clear("other") is None
    assert taken.clear("one") == Ended(run, answered=answered, begun=False)
    assert taken.clear() is None
    assert taken.take() is None
    assert taken.end() is None


def test_only_what_has_not_begun_is_withdrawn(taken: Slot, run: Run) -> None:
    """Given a run, then it can be withdrawn until it begins, and what was withdrawn does not begin."""
    ended = taken.withdraw("one")
    assert ended == Ended(run, answered=False, begun=False)
    assert ended.waited
    assert taken.begin("one") is None
    assert taken.put(run_of("two"))
    assert taken.begin("one") is None
    assert taken.begin("two") is taken.begin("two") is not None
    assert taken.withdraw("two") is None
    cleared = taken.clear()
    assert cleared is not None
    assert not cleared.waited


def test_what_was_answered_waits_for_no_runtime(taken: Slot) -> None:
    """Given a run that was refused before it began, when it is cleared, then no other runtime is to have it."""
    taken.take()
    assert taken.begin("one") is None
    ended = taken.clear()
    assert ended is not None
    assert not ended.waited


def test_a_shut_slot_lets_none_in(run: Run) -> None:
    """Given a slot that is shut, then none comes in until it is open."""
    slot = Slot()
    slot.shut()
    assert not slot.put(run)
    slot.open()
    assert slot.put(run)


def test_an_init_ends_once() -> None:
    """Given an init, when success and failure come at the same time, then the first one counts; a new one may begin."""
    init = InitPhase()
    assert init.cold
    init.begin("init")
    assert (init.cold, init.is_running) == (False, True)
    assert init.end(succeeded=True) is not None
    assert init.end(succeeded=False) is None
    assert (init.cold, init.is_running) == (False, False)
    init.undo()
    assert init.cold
    init.begin("invoke")
    assert init.end(succeeded=False) is not None
    assert (init.cold, init.phase) == (True, "invoke")


def test_an_init_is_written_behind_its_own_mark() -> None:
    """Given an init that has succeeded, then its mark comes once, and no other; none once its processes end."""
    init = InitPhase()
    init.begin("init")
    first = init.awaits_output(20.0)
    assert init.written("another") is None
    assert init.written(first) == 20.0
    assert init.written(first) is None
    second = init.awaits_output(10.0)
    assert second != first
    init.shuts_down()
    assert init.written(second) is None
