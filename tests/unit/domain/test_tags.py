"""Tags: added, replaced, removed, limited, on any kind of stream."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.domain.decider import Decider, ViewRow
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal
from relambda.actors.domain.state import FunctionState, Head, function
from relambda.actors.domain.tags import AddTags, RemoveTags, TagsAdded, TagsRemoved, no_such_resource, taggable

TOO_MANY = "Number of tags exceeds resource tag limit."


def add(stream: Any, tags: Mapping[str, str]) -> AddTags:
    return AddTags(resource=stream.name, at_ms=5_000, tags=tags)


def remove(stream: Any, *keys: str) -> RemoveTags:
    return RemoveTags(resource=stream.name, at_ms=6_000, keys=keys)


def test_tags_join_those_that_are_there(stream: Any) -> None:
    """Given a tagged function, when tags are added, then old keys keep or change their values."""
    stream.created(tags={"a": "1", "b": "2"})
    assert stream.when(add(stream, {"b": "3", "c": "4"})) == (TagsAdded(at_ms=5_000, tags={"b": "3", "c": "4"}),)
    assert stream.state.head.tags == {"a": "1", "b": "3", "c": "4"}


def test_the_same_tags_are_no_change(stream: Any) -> None:
    """Given a tagged function, when it gets a tag it has, or loses one it has not, then nothing happens."""
    stream.created(tags={"a": "1"})
    assert stream.when(add(stream, {"a": "1"})) == ()
    assert stream.when(remove(stream, "b")) == ()


def test_tags_are_removed_by_key(stream: Any) -> None:
    """Given a tagged function, when keys are removed, known and unknown, then the known ones are gone."""
    stream.created(tags={"a": "1", "b": "2"})
    assert stream.when(remove(stream, "a", "a", "z")) == (TagsRemoved(at_ms=6_000, keys=("a",)),)
    assert stream.state.head.tags == {"b": "2"}


def test_fifty_and_no_more(orders: Any) -> None:
    """Given a function of 50 tags, when one is replaced, then fine; when one is added, then refused."""
    orders.when(add(orders, {f"k{number}": "v" for number in range(50)}))
    orders.when(add(orders, {"k0": "w"}))
    assert orders.refuses(add(orders, {"k50": "v"})).message == TOO_MANY


def test_no_tags_is_an_error(orders: Any) -> None:
    """Given a function, when it is tagged with nothing, then AWS's words for that."""
    refusal = orders.refuses(add(orders, {}))
    assert refusal.code == "InvalidParameterValueException"
    assert refusal.message == "An error occurred and the request cannot be processed."


@pytest.mark.parametrize(
    ("key", "value"), [("", "v"), ("k" * 129, "v"), ("k", "v" * 257), ("aws:k", "v"), ("AWS:k", "v"), ("k#", "v")]
)
def test_what_is_no_tag(orders: Any, key: str, value: str) -> None:
    """Given a function, when it is tagged against the Developer Guide's tag requirements, then it is refused."""
    assert orders.refuses(add(orders, {key: value})).code == "InvalidParameterValueException"


def test_the_longest_tag(orders: Any) -> None:
    """Given a function, when it is tagged with 128 and 256 characters of any script, then it is."""
    orders.when(add(orders, {"ключ" * 32: "値 +-=._:/@" * 25}))
    assert len(orders.state.head.tags) == 1


def test_nothing_to_tag(stream: Any) -> None:
    """Given no function, when tags are added or removed, then it is not found by its ARN."""
    for command in (add(stream, {"a": "1"}), remove(stream, "a")):
        refusal = stream.refuses(command)
        assert (refusal.code, refusal.message) == (
            "ResourceNotFoundException",
            f"Function not found: {stream.name.arn()}",
        )


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("event-source-mapping", "Event source mapping not found: {arn}"),
        ("capacity-provider", "Capacity provider not found: {arn}"),
    ],
)
def test_each_kind_has_its_words(kind: str, message: str) -> None:
    """Given a kind of resource, then what is not there is told by its noun and ARN."""
    arn = f"arn:aws:lambda:us-east-1:111111111111:{kind}:x"
    assert no_such_resource(arn).message == message.format(arn=arn)


@dataclass(frozen=True, slots=True)
class Box:
    """The state of a kind of stream that tests alone know."""

    tags: Mapping[str, str] = field(default_factory=dict)
    there: bool = True


def no_rows(name: ResourceName, old: Box, new: Box) -> Iterable[ViewRow]:
    return ()


def test_another_kind_takes_part_by_one_line() -> None:
    """Given a decider of another kind, when it is made taggable, then it has tags like a function."""
    box: Decider[Box] = Decider("box", Box(), no_rows)
    taggable(box, lambda state: state.tags if state.there else None, lambda state, tags: replace(state, tags=tags))
    name = ResourceName("box", "111111111111", "us-east-1", "b")
    events = box.decide(Box(), AddTags(resource=name, at_ms=1, tags={"a": "1"}))
    assert box.fold(Box(), events).tags == {"a": "1"}
    with pytest.raises(Refusal, match="Resource not found: arn:aws:lambda:us-east-1:111111111111:box:b"):
        box.decide(Box(there=False), AddTags(resource=name, at_ms=1, tags={"a": "1"}))


KEYS = st.sampled_from("abcdefgh")
STEPS = st.lists(st.one_of(st.dictionaries(KEYS, st.text("xyz", max_size=2), min_size=1), st.lists(KEYS, min_size=1)))


@given(steps=STEPS)
def test_tags_are_a_dictionary(steps: list[dict[str, str] | list[str]]) -> None:
    """For every sequence of additions and removals, the tags are what a dictionary would hold."""
    name = ResourceName("function", "111111111111", "us-east-1", "orders")
    state, model = _born(), dict[str, str]()
    for step in steps:
        if isinstance(step, dict):
            model.update(step)
            command: AddTags | RemoveTags = AddTags(resource=name, at_ms=1, tags=step)
        else:
            model = {key: value for key, value in model.items() if key not in step}
            command = RemoveTags(resource=name, at_ms=1, keys=tuple(step))
        state = function.fold(state, function.decide(state, command))
        assert state.head is not None
        assert state.head.tags == model


def _born() -> FunctionState:
    return FunctionState(head=Head(created_ms=1))
