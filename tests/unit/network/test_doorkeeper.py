"""Who may use the cloud's own routes, by both ends of a connection and by what a browser says."""

import pytest

from relambda.actors.engine.contract import EngineError, EngineUnavailableError
from relambda.api.network.doorkeeper import Doorkeeper, Visit
from relambda.api.settings.option import Listen

EVERYWHERE = Doorkeeper((Listen("0.0.0.0", 4566),), frozenset())
FUNCTION, NEIGHBOUR = "172.18.0.5", "172.18.0.9"


def visit(peer: str, local: str = "172.18.0.2", port: int = 4566) -> Visit:
    """A request by an address."""
    return Visit(Listen(local, port), peer, host=f"{local}:{port}")


@pytest.mark.parametrize("peer", [FUNCTION, f"::ffff:{FUNCTION}"])
def test_a_function_is_known_by_its_address(peer: str) -> None:
    """Given a listener on all addresses, then functions' containers are refused, and others on their network not."""
    assert f"A function's container ({FUNCTION})" in EVERYWHERE.objection(visit(peer), lambda: {FUNCTION})
    assert not EVERYWHERE.objection(visit(NEIGHBOUR), lambda: {FUNCTION})


def test_loopback_asks_no_engine() -> None:
    """Given a caller of this machine's own, then the engine is not asked."""

    def never() -> set[str]:
        raise AssertionError

    assert not EVERYWHERE.objection(visit("127.0.0.1", "127.0.0.1"), never)
    assert not Doorkeeper((Listen("::", 1),), frozenset()).objection(Visit(Listen("::1", 1), "::1", "[::1]:1"), never)


def test_an_engine_that_does_not_answer_refuses() -> None:
    """Given an engine that fails, then nobody knows who asks; one that was never found has no functions."""

    def fails() -> set[str]:
        raise EngineError("it hangs")

    def lacks() -> set[str]:
        raise EngineUnavailableError("none")

    assert "(it hangs). Mend it" in EVERYWHERE.objection(visit(NEIGHBOUR), fails)
    assert not EVERYWHERE.objection(visit(NEIGHBOUR), lacks)


@pytest.mark.parametrize(("local", "port"), [("172.17.0.1", 4566), ("127.0.0.1", 443)])
def test_other_listeners_are_for_functions(local: str, port: int) -> None:
    """Given a listener that the user did not ask for, then it is refused, and the ones to ask are named."""
    keeper = Doorkeeper((Listen("127.0.0.1", 4566), Listen("::1", 4566)), frozenset())
    assert "Ask 127.0.0.1:4566, [::1]:4566" in keeper.objection(visit("172.17.0.3", local, port), set)
