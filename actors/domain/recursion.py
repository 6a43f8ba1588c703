"""Recursive loop detection: whether Lambda stops a function that is invoked by its own doing over and over."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.functions import existing
from relambda.actors.domain.state import FunctionState, function


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRecursionConfig(Command):
    """Set what happens when a loop is found: `Terminate` (a new function's) or `Allow`."""

    recursive_loop: str


@event("RecursionConfigChanged")
@dataclass(frozen=True, slots=True, kw_only=True)
class RecursionConfigChanged(Event):
    """Loops are handled in this way from now on."""

    recursive_loop: str


@function.decides(PutRecursionConfig)
def put_recursion_config(state: FunctionState, command: PutRecursionConfig) -> Iterable[Event]:
    """The setting, unless it is so already."""
    existing(command.resource, state)
    if state.head is None or state.head.recursive_loop != command.recursive_loop:
        yield RecursionConfigChanged(at_ms=command.at_ms, recursive_loop=command.recursive_loop)


@function.evolves(RecursionConfigChanged)
def recursion_config_changed(state: FunctionState, event: RecursionConfigChanged) -> FunctionState:
    """The setting is in force."""
    assert state.head is not None
    return replace(state, head=replace(state.head, recursive_loop=event.recursive_loop))
