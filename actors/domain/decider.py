"""The decider: commands to events, events to state, state to rows of views; all pure functions.

One `Decider` serves one kind of stream. Modules register what they know by noun:

    @function.decides(CreateAlias)
    def create_alias(state: FunctionState, command: CreateAlias) -> Iterable[Event]: ...

    @function.evolves(AliasCreated)
    def alias_created(state: FunctionState, event: AliasCreated) -> FunctionState: ...
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from relambda.actors.domain.names import ResourceName


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something that is asked for. Time, fresh ids and limits come with it: deciding invents nothing."""

    resource: ResourceName
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, `at_ms` milliseconds after the epoch."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One row of a view after a change; `value` is a dataclass or a JSON document, None when the row is gone."""

    table: str
    key: str
    value: Any


S = TypeVar("S")
C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)
RowsOf = Callable[[ResourceName, S, S], Iterable[ViewRow]]

EVENT_TYPES: dict[str, type[Event]] = {}
"""Every event type by its stable name; names are never changed."""
EVENT_VERSIONS: dict[str, int] = {}
"""The current version of each event type's payload."""
UPCASTERS: dict[tuple[str, int], Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {}
"""How a payload of version v becomes one of v + 1."""


def event(name: str, version: int = 1) -> Callable[[type[E]], type[E]]:
    """Register an event type under its stable name."""

    def register(cls: type[E]) -> type[E]:
        if name in EVENT_TYPES:
            raise ValueError(f"event type {name} is registered twice")
        EVENT_TYPES[name] = cls
        EVENT_VERSIONS[name] = version
        return cls

    return register


class Decider(Generic[S]):
    """The pure rules of one kind of stream."""

    def __init__(self, kind: str, initial: S, rows: RowsOf[S]) -> None:
        self.kind = kind
        self.initial = initial
        self.rows = rows
        self._decide: dict[type[Command], Callable[[S, Any], Iterable[Event]]] = {}
        self._evolve: dict[type[Event], Callable[[S, Any], S]] = {}

    def decides(
        self, command: type[C]
    ) -> Callable[[Callable[[S, C], Iterable[Event]]], Callable[[S, C], Iterable[Event]]]:
        """Register how a command is decided."""

        def register(decide: Callable[[S, C], Iterable[Event]]) -> Callable[[S, C], Iterable[Event]]:
            self._decide[command] = decide
            return decide

        return register

    def evolves(self, event_type: type[E]) -> Callable[[Callable[[S, E], S]], Callable[[S, E], S]]:
        """Register how an event changes the state."""

        def register(evolve: Callable[[S, E], S]) -> Callable[[S, E], S]:
            self._evolve[event_type] = evolve
            return evolve

        return register

    def decide(self, state: S, command: Command) -> tuple[Event, ...]:
        """The events that follow from a command. Raises Refusal."""
        return tuple(self._decide[type(command)](state, command))

    def evolve(self, state: S, happened: Event) -> S:
        """The state after an event."""
        return self._evolve[type(happened)](state, happened)

    def fold(self, state: S, events: Iterable[Event]) -> S:
        """The state after events, in order."""
        for happened in events:
            state = self.evolve(state, happened)
        return state


def changed(
    table: str,
    resource: ResourceName,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    key: Callable[[str], str] = str,
) -> Iterable[ViewRow]:
    """Rows of a view whose items a resource owns, for the items that are another object than before.

    `key` turns an item's name into its part of the row's key, which decides the order of lists.
    """
    if old is new:
        return
    for item, value in new.items():
        if old.get(item) is not value:
            yield ViewRow(table, resource.row_key(key(item)), value)
    for item in old.keys() - new.keys():
        yield ViewRow(table, resource.row_key(key(item)), None)
