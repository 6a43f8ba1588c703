"""The gate between an environment's invocations."""

from relambda.actors.environments.mark_gate import MarkGate
from relambda.actors.runtime_api.session import RuntimeEvent

EVENT = RuntimeEvent("2", b"{}", 1, "arn")


def test_open_until_it_is_shut() -> None:
    """Given nothing to wait for, then an event passes, and opening gives nothing."""
    gate = MarkGate()
    assert gate.passes(EVENT)
    assert gate.open("1") is None
    assert gate.open("") is None


def test_an_event_waits_for_its_mark() -> None:
    """Given a gate that is shut for a mark, then an event waits for that one, and comes out once."""
    gate = MarkGate()
    gate.shut("1")

    assert not gate.passes(EVENT)
    assert gate.open("0") is None
    assert gate.open("1") is EVENT
    assert gate.open("1") is None
    assert gate.passes(EVENT)


def test_what_has_ended_is_not_handed_over() -> None:
    """Given an event whose invocation ended while it waited, then it never comes out."""
    gate = MarkGate()
    gate.shut("1")
    gate.passes(EVENT)
    gate.clear()

    assert gate.open("1") is None
    assert gate.passes(EVENT)
