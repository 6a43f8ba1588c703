"""AWS's checks of an input against the model's constraints, and its ValidationException (FACTS.md section 2).

`2 validation errors detected: Value '…' at 'lowerCamel.path' failed to satisfy constraint: …; Value null at …`.
Violations are told in the model's order of members; AWS's own order among several is not documented.
"""

from collections.abc import Callable, Mapping
from typing import Any

from relambda.api.wire.compiled import ByShape
from relambda.api.wire.constraints import CHECKED_LATER, LIST_ENUMS, TOLD_FIRST
from relambda.api.wire.demands import NOT_NULL, item_words, tests_of, value_set, words_of
from relambda.api.wire.errors import ServiceError
from relambda.api.wire.javatext import lower_camel, printed
from relambda.api.wire.model import Member, Operation, Shape

Check = Callable[[Any, str, list[str]], None]
"""Adds to the list what is wrong with the value at the path."""

MOST_TOLD = 1_000
"""Violations; a list of structures is not looked at any further behind so many."""


def validate(operation: Operation, given: Mapping[str, Any], code: str = "ValidationException") -> None:
    """Check an operation's parsed input. Raises ServiceError with that code (400) naming every violation."""
    if operation.input is None:
        return
    found: list[str] = []
    checker(operation.input)(given, "", found)
    if found:
        raise validation_error(found, code)


def validation_error(violations: list[str], code: str = "ValidationException") -> ServiceError:
    """The error that counts and joins the violations."""
    return ServiceError(code, detected(violations))


def detected(violations: list[str]) -> str:
    """The sentence `N validation error(s) detected: …`."""
    plural = "" if len(violations) == 1 else "s"
    return f"{len(violations)} validation error{plural} detected: {'; '.join(violations)}"


def violation(shape: Shape, value: Any, path: str, constraint: str) -> str:
    """One violation, `Value 'V' at 'path' failed to satisfy constraint: C`."""
    return f"{printed(shape, value)} at '{path}' failed to satisfy constraint: {constraint}"


def _scalar_check(shape: Shape) -> Check:
    tests = tests_of(shape)

    def check(value: Any, path: str, found: list[str]) -> None:
        for text, satisfied in tests:
            if not satisfied(value):
                found.append(violation(shape, value, path, text))

    return check


def _structure_check(shape: Shape) -> Check:
    members = tuple(
        (name, lower_camel(name), name in shape.required, member.shape, _member_check(shape, name, member.shape))
        for name, member in _told(shape)
    )

    def check(value: Any, path: str, found: list[str]) -> None:
        for name, camel, required, member_shape, inner in members:
            given = value.get(name)
            if given is not None:
                if inner is not None:
                    inner(given, path + camel, found)
            elif required:
                found.append(violation(member_shape, None, path + camel, NOT_NULL))

    return check


def _told(shape: Shape) -> list[tuple[str, Member]]:
    """The members in the order their violations are told in."""
    first = TOLD_FIRST.get(shape.name, ())
    return sorted(shape.members.items(), key=lambda entry: entry[0] not in first)


def _member_check(owner: Shape, name: str, shape: Shape) -> Check | None:
    if (owner.name, name) in CHECKED_LATER or (shape.kind not in _DEEP and not tests_of(shape)):
        return None
    inner = checker(shape)
    if shape.kind != "structure":
        return inner
    return lambda value, path, found: inner(value, f"{path}.", found)


def _list_check(shape: Shape) -> Check:
    assert shape.item is not None
    own, item_shape = _scalar_check(shape), shape.item.shape
    each = _members_check(shape) if item_shape.kind == "structure" else _items_check(shape)

    def check(value: Any, path: str, found: list[str]) -> None:
        own(value, path, found)
        each(value, path, found)

    return check


def _members_check(shape: Shape) -> Check:
    """A list of structures: each is checked at its own path, `fileSystemConfigs.1.member.arn`."""
    assert shape.item is not None
    item_shape = shape.item.shape
    inner = checker(item_shape)

    def check(value: Any, path: str, found: list[str]) -> None:
        for number, item in enumerate(value, 1):
            if len(found) >= MOST_TOLD:
                return
            if item is None:
                found.append(violation(item_shape, None, f"{path}.{number}.member", NOT_NULL))
            else:
                inner(item, f"{path}.{number}.member.", found)

    return check


def _items_check(shape: Shape) -> Check:
    """A list of scalars or lists: one violation at the list's path, whichever item fails, with the list printed."""
    assert shape.item is not None
    fails = _failing(shape.item.shape)
    listed = LIST_ENUMS.get(shape.name)

    def check(value: Any, path: str, found: list[str]) -> None:
        if any(item is None or fails(item) for item in value):
            text = value_set(listed) if listed else f"Member must satisfy constraint: [{', '.join(item_words(shape))}]"
            found.append(violation(shape, value, path, text))

    return check


def _failing(shape: Shape) -> Callable[[Any], bool]:
    """Whether a value violates anything, for one whose violations are told at its container's path."""
    inner = checker(shape)

    def fails(value: Any) -> bool:
        found: list[str] = []
        inner(value, "", found)
        return bool(found)

    return fails


def _map_check(shape: Shape) -> Check:
    assert shape.key is not None
    assert shape.value is not None
    own, key_fails = _scalar_check(shape), _failing(shape.key.shape)
    values = _value_structures_check(shape) if shape.value.shape.kind == "structure" else _values_check(shape)
    key_words = f"Map keys must satisfy constraint: [{', '.join(words_of(shape.key.shape))}]"

    def check(value: Any, path: str, found: list[str]) -> None:
        own(value, path, found)
        if any(key_fails(key) for key in value):
            found.append(violation(shape, value, path, key_words))
        values(value, path, found)

    return check


def _values_check(shape: Shape) -> Check:
    assert shape.value is not None
    fails = _failing(shape.value.shape)
    words = f"Map value must satisfy constraint: [{', '.join([*words_of(shape.value.shape), NOT_NULL])}]"

    def check(value: Any, path: str, found: list[str]) -> None:
        if any(item is None or fails(item) for item in value.values()):
            found.append(violation(shape, value, path, words))

    return check


def _value_structures_check(shape: Shape) -> Check:
    assert shape.value is not None
    item_shape = shape.value.shape
    inner = checker(item_shape)

    def check(value: Any, path: str, found: list[str]) -> None:
        for key, item in value.items():
            if item is None:
                found.append(violation(item_shape, None, f"{path}.{key}.member", NOT_NULL))
            else:
                inner(item, f"{path}.{key}.member.", found)

    return check


_DEEP: Mapping[str, Callable[[Shape], Check]] = {
    "structure": _structure_check,
    "list": _list_check,
    "map": _map_check,
}

checker: ByShape[Check] = ByShape(lambda shape: _DEEP.get(shape.kind, _scalar_check)(shape))
"""`checker(shape)(value, path, found)`; the path of a structure ends in a dot, or is empty for the input itself."""
