"""Recursive loop detection: Terminate until it is told otherwise."""

from typing import Any

from relambda.actors.domain.recursion import PutRecursionConfig, RecursionConfigChanged


def put(stream: Any, loop: str) -> PutRecursionConfig:
    return PutRecursionConfig(resource=stream.name, at_ms=9_000, recursive_loop=loop)


def test_loops_are_stopped_until_they_are_allowed(orders: Any) -> None:
    """Given a new function, then it is Terminate, putting that is no event, and Allow is one."""
    assert orders.state.head.recursive_loop == "Terminate"
    assert orders.when(put(orders, "Terminate")) == ()
    assert orders.when(put(orders, "Allow")) == (RecursionConfigChanged(at_ms=9_000, recursive_loop="Allow"),)
    assert orders.state.head.recursive_loop == "Allow"


def test_nobody_to_tell(stream: Any) -> None:
    """Given no function, when it is put, then the function is not found."""
    assert stream.refuses(put(stream, "Allow")).message == f"Function not found: {stream.name.arn()}"
