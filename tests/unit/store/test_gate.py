"""The gate of reads: the map moves only while nobody looks, and nobody waits for ever."""

import threading

import pytest

from relambda.store import gate as gate_module
from relambda.store.errors import StoreBusyError, StoreClosedError
from relambda.store.gate import ReadGate

SECONDS = 30


def test_who_wants_to_be_alone_waits_for_those_inside() -> None:
    """The exclusive place is taken only after the last reader has left, and new readers wait meanwhile."""
    gate, order = ReadGate(), list[str]()
    gate.enter()
    asked, entered = threading.Event(), threading.Event()

    def alone() -> None:
        asked.set()
        with gate.exclusive():
            order.append("alone")
        entered.set()

    thread = threading.Thread(target=alone)
    thread.start()
    assert asked.wait(SECONDS)
    order.append("reader")
    gate.leave()
    assert entered.wait(SECONDS)
    thread.join(SECONDS)
    gate.enter()
    gate.leave()
    assert order == ["reader", "alone"]


def test_a_shut_gate_lets_nobody_in() -> None:
    """After shutting, readers and who wants to be alone get StoreClosedError; only the first shut counts."""
    gate = ReadGate()
    assert gate.shut()
    assert not gate.shut()
    with pytest.raises(StoreClosedError):
        gate.enter()
    with pytest.raises(StoreClosedError), gate.exclusive():
        pass


def test_a_reader_that_hangs_bounds_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wants to be alone gives up after a bound, and readers come in again."""
    monkeypatch.setattr(gate_module, "GATE_SECONDS", 0.01)
    gate = ReadGate()
    gate.enter()
    with pytest.raises(StoreBusyError, match="a read hangs"), gate.exclusive():
        pass
    gate.enter()
