"""Who answers an invocation, who ends it, and who may come next: each is decided once."""

import pytest

from relambda.actors.environments.init_phase import InitPhase
from relambda.actors.environments.slot import Ended, Slot
from relambda.actors.invocation import Invocation


@pytest.fixture
def invocation() -> Invocation:
    return Invocation("one", None, b"")


@pytest.fixture
def taken(invocation: Invocation) -> Slot:
    """A slot with that invocation."""
    slot = Slot()
    assert slot.put(invocation)
    return slot


def test_an_invocation_is_answered_once_and_ended_after_that(taken: Slot, invocation: Invocation) -> None:
    """Given a running invocation, then it cannot be ended before its answer, answered twice, nor ended twice."""
    assert taken.end() is None
    assert taken.take("other") is None
    assert taken.take("one") is invocation
    assert taken.take("one") is None
    assert not taken.put(Invocation("two", None, b""))
    assert taken.end("one") is invocation
    assert taken.end("one") is None
    assert taken.put(Invocation("two", None, b""))


@pytest.mark.parametrize("answered", [False, True])
def test_what_is_cleared_tells_whether_its_caller_waits(taken: Slot, invocation: Invocation, answered: bool) -> None:
    """Given an invocation, answered or not, when it is cleared, then nobody else may answer or end it."""
    if answered:
        taken.take()
    assert taken.clear("other") is None
    assert taken.clear("one") == Ended(invocation, answered=answered)
    assert taken.clear() is None
    assert taken.take() is None
    assert taken.end() is None


def test_a_shut_slot_lets_none_in(invocation: Invocation) -> None:
    """Given a slot that is shut, then none comes in until it is open."""
    slot = Slot()
    slot.shut()
    assert not slot.put(invocation)
    slot.open()
    assert slot.put(invocation)


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
