"""Tags: words and their values on any kind of resource that may carry them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from relambda.actors.domain.decider import Command, Decider, Event, event
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.qualifiers import dropped
from relambda.actors.domain.refusals import Refusal, invalid, not_found
from relambda.actors.domain.state import FunctionState, function

MOST = 50
"""Tags of one resource (limits.tsv)."""
_LONGEST_KEY, _LONGEST_VALUE = 128, 256
_ALLOWED = re.compile(r"[\w\s+\-=._:/@]*")

Tags = Mapping[str, str]
S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTags(Command):
    """Give a resource tags; those of the same key get the new value."""

    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTags(Command):
    """Take tags away by their keys; keys that are not there are no error."""

    keys: tuple[str, ...]


@event("TagsAdded")
@dataclass(frozen=True, slots=True, kw_only=True)
class TagsAdded(Event):
    """The resource has these tags, beside its other ones."""

    tags: Tags


@event("TagsRemoved")
@dataclass(frozen=True, slots=True, kw_only=True)
class TagsRemoved(Event):
    """The resource has no tags of these keys any more."""

    keys: tuple[str, ...]


_NOUNS = {
    "function": "Function",
    "event-source-mapping": "Event source mapping",
    "capacity-provider": "Capacity provider",
    "network-connector": "Network connector",
}


def no_such_resource(arn: str) -> Refusal:
    """The answer about tags of a resource that is not there, by the kind in its ARN (error_messages_observed.tsv)."""
    kind = arn.split(":")[5]
    if kind == "code-signing-config":
        return Refusal(
            "ResourceNotFoundException",
            "The code signing configuration cannot be found. "
            f"Check that the provided configuration is not deleted: {arn}.",
        )
    return not_found(f"{_NOUNS.get(kind, 'Resource')} not found: {arn}")


def check_tags(tags: Tags) -> None:
    """Refuse more tags than a resource may have, and what is no tag. Raises Refusal.

    The rules are the Developer Guide's ("Tag requirements"); the words about a single tag are our own.
    """
    if len(tags) > MOST:
        raise invalid("Number of tags exceeds resource tag limit.")
    for key, value in tags.items():
        _check_tag(key, value)


def _check_tag(key: str, value: str) -> None:
    if not 1 <= len(key) <= _LONGEST_KEY:
        raise invalid(f"A tag's key has 1 to {_LONGEST_KEY} characters; this one has {len(key)}.")
    if len(value) > _LONGEST_VALUE:
        raise invalid(f"A tag's value has up to {_LONGEST_VALUE} characters; that of {key!r} has {len(value)}.")
    if key.lower().startswith("aws:"):
        raise invalid(f"Tags whose keys begin with 'aws:' are AWS's own: {key!r}.")
    if not (_ALLOWED.fullmatch(key) and _ALLOWED.fullmatch(value)):
        raise invalid(f"A tag has letters, digits, spaces and + - = . _ : / @ only: {key!r}.")


def taggable(decider: Decider[S], tags_of: Callable[[S], Tags | None], with_tags: Callable[[S, Tags], S]) -> None:
    """Let a kind of stream carry tags; `tags_of` answers None while there is no such resource.

    The API side is one line too: `relambda.api.resources.tags.taggable`.
    """

    @decider.decides(AddTags)
    def add(state: S, command: AddTags) -> Iterable[Event]:
        """The tags, unless all are so already."""
        had = _existing(command.resource, tags_of(state))
        if not command.tags:
            raise invalid("An error occurred and the request cannot be processed.")
        tags = {**had, **command.tags}
        check_tags(tags)
        if tags != had:
            yield TagsAdded(at_ms=command.at_ms, tags=command.tags)

    @decider.decides(RemoveTags)
    def remove(state: S, command: RemoveTags) -> Iterable[Event]:
        """The end of those of the keys that are there."""
        had = _existing(command.resource, tags_of(state))
        keys = tuple(key for key in dict.fromkeys(command.keys) if key in had)
        if keys:
            yield TagsRemoved(at_ms=command.at_ms, keys=keys)

    @decider.evolves(TagsAdded)
    def added(state: S, event: TagsAdded) -> S:
        """The tags are there."""
        return with_tags(state, {**(tags_of(state) or {}), **event.tags})

    @decider.evolves(TagsRemoved)
    def removed(state: S, event: TagsRemoved) -> S:
        """The tags are gone."""
        left = tags_of(state) or {}
        for key in event.keys:
            left = dropped(left, key)
        return with_tags(state, left)


def _existing(resource: ResourceName, tags: Tags | None) -> Tags:
    if tags is None:
        raise no_such_resource(resource.arn())
    return tags


def _function_tags(state: FunctionState) -> Tags | None:
    return None if state.head is None else state.head.tags


def _with_function_tags(state: FunctionState, tags: Tags) -> FunctionState:
    assert state.head is not None
    return replace(state, head=replace(state.head, tags=tags))


taggable(function, _function_tags, _with_function_tags)
