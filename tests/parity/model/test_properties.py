"""Every operation, with inputs at and past each constraint of the model.

Hypothesis draws inputs that fit the model; around each of them every member in turn is put on the edge of each of its
constraints and one past it, is left out, made null and given another type. What the model says of an input is what
the answer has to say of it.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from relambda.api.wire.constraints import CHECKED_LATER
from relambda.api.wire.demands import full_match
from relambda.api.wire.model import Operation, Shape, load

LAMBDA = load("lambda")
OPERATIONS = LAMBDA.operation_names()
ROUNDS = 3
"""Inputs that are drawn for each operation; each has all its edges tried."""
ON_DEMAND = {"Timeout": 900, "MemorySize": 10_240}
"""The most that a function without a capacity provider may have (AWS's page of Lambda quotas)."""
UNDO = {
    "CreateAlias": "DeleteAlias",
    "CreateCapacityProvider": "DeleteCapacityProvider",
    "CreateFunction": "DeleteFunction",
    "CreateFunctionUrlConfig": "DeleteFunctionUrlConfig",
}
"""What was created is deleted, so that the next input is one for something new."""
LONGEST = 30_000
"""Characters or bytes; what is allowed to be longer is not tried at its edge: limits on bodies come before it."""


@dataclass(frozen=True, slots=True)
class Probe:
    """An input or a part of one, and whether it fits the model (None: it is not for the model to say)."""

    what: str
    value: Any
    fits: bool | None


# ---- the model's constraints, read without the wire layer's checks


def fits(shape: Shape, value: Any) -> bool:
    """Whether a scalar, or the length of a list or map, keeps the shape's own constraints."""
    size = value if shape.kind in {"integer", "long", "double", "float"} else len(value)
    if not (shape.minimum or 0 if size is not value else shape.minimum if shape.minimum is not None else size) <= size:
        return False
    if shape.maximum is not None and size > shape.maximum:
        return False
    return not isinstance(value, str) or ((not shape.enum or value in shape.enum) and _matches(shape, value))


def _matches(shape: Shape, text: str) -> bool:
    return shape.pattern is None or bool(full_match(shape.pattern)(text))


# ---- values that fit


def _package() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(
            zipfile.ZipInfo("app.py", (2026, 1, 1, 0, 0, 0)), "def handler(event, context):\n    return 1\n"
        )
    return content.getvalue()


PACKAGE = _package()
ARN = "arn:aws:lambda:us-east-1:111111111111"
UUIDS = ("4a5b2d35-7bd7-4d1c-9f6a-0f7b8b6f8a01", "00000000-0000-4000-8000-000000000000")
SIGNING, TOKEN = f"{ARN}:code-signing-config:csc-0123456789abcdefg", "c3RhcnQ="
EXECUTION = f"{ARN}:function:probe:1/durable-execution/probe/{UUIDS[0]}"
SAMPLES: tuple[str, ...] = (
    *("probe", "live", "1", "$LATEST", f"{ARN}:function:probe", f"{ARN}:function:probe:live", "missing"),
    *("arn:aws:iam::111111111111:role/probe", "111111111111", "*", "lambda:InvokeFunction", "app.handler"),
    *("python3.11", "lambda:GetLayerVersion", "o-a1b2c3d4e5", "s3.amazonaws.com", "subnet-1a", "sg-1a"),
    *(f"{ARN}:layer:probe:1", f"{ARN}:layer:probe", SIGNING),
    *(f"{ARN}:capacity-provider:probe", f"{ARN}:event-source-mapping:{UUIDS[0]}", *UUIDS, "us-east-1", "ALL"),
    "arn:aws:sqs:us-east-1:111111111111:probe",
    "arn:aws:kms:us-east-1:111111111111:key/probe",
    EXECUTION,
    "arn:aws:lambda:us-east-1::runtime:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "arn:aws:lambda:us-east-1:111111111111:runtime/probe/version/1",
    "arn:aws:elasticfilesystem:us-east-1:111111111111:access-point/fsap-0123456789abcdef0",
    "arn:aws:signer:us-east-1:111111111111:/signing-profiles/probe/0123456789",
    *("/mnt/probe", "/aws/lambda/probe", "broker.example.com:9092", "m5.large", TOKEN, "PROBE", ""),
    '{"Version":"2012-10-17","Statement":[]}',
    "2026-01-01T00:00:00Z",
)
"""Words that mean something to one member or another; each is used where the model lets it."""


@cache
def samples(shape: Shape) -> tuple[str, ...]:
    """The words that fit a string."""
    return shape.enum or tuple(text for text in SAMPLES if fits(shape, text))


@cache
def strings(shape: Shape) -> st.SearchStrategy[str]:
    """Texts that fit; those of a form are words, for its other texts mean nothing to anyone."""
    if samples(shape) and (shape.enum or shape.pattern or shape.minimum == shape.maximum is not None):
        return st.sampled_from(samples(shape))
    if shape.pattern:
        compiled: re.Pattern[str] = full_match(shape.pattern).__self__  # type: ignore[attr-defined]
        return st.from_regex(compiled, fullmatch=True).filter(lambda text: fits(shape, text))
    shortest = int(shape.minimum or 0)
    return st.text(max_size=min(shortest + 20, int(shape.maximum or LONGEST)), min_size=shortest)


@cache
def values(shape: Shape) -> st.SearchStrategy[Any]:
    """Values that fit, nested ones too."""
    low = int(shape.minimum or 0)
    match shape.kind:
        case "structure":
            members = {name: _carried(shape, name) for name in shape.members}
            required = {name: made for name, made in members.items() if name in shape.required}
            optional = {name: made for name, made in members.items() if name not in required}
            return st.fixed_dictionaries(required, optional=optional)
        case "list":
            return st.lists(values(_item(shape)), min_size=low, max_size=_few(shape))
        case "map":
            return st.dictionaries(values(_key(shape)), values(_value(shape)), min_size=low, max_size=_few(shape))
        case "string":
            return strings(shape)
        case _:
            return _scalars(shape)


def _few(shape: Shape) -> int:
    return min(max(int(shape.minimum or 0), 2), int(LONGEST if shape.maximum is None else shape.maximum))


def _carried(owner: Shape, name: str) -> st.SearchStrategy[Any]:
    """Values of a member; one that must be there is not empty where an empty one and none are the same."""
    made = values(owner.members[name].shape)
    return made.filter(_is_there) if name in owner.required and _is_outside(owner, name) else made


def _is_outside(owner: Shape, name: str) -> bool:
    """Whether a member does not travel in a JSON document."""
    return bool(owner.members[name].place) or owner.payload == name


def _is_there(value: Any) -> bool:
    return value not in ("", b"", [], {})


def _scalars(shape: Shape) -> st.SearchStrategy[Any]:
    low, high = shape.minimum, shape.maximum
    match shape.kind:
        case "integer" | "long":
            return st.integers(int(low or 0), int(high if high is not None else 2**31 - 1))
        case "double" | "float":
            return st.floats(low or 0.0, high or 1.0)
        case "boolean":
            return st.booleans()
        case "blob":
            return st.binary(max_size=40) | st.just(PACKAGE)
    assert shape.kind == "timestamp"
    return st.integers(0, 2**32)


@cache
def least(shape: Shape) -> Any:
    """One plain value that fits."""
    low = int(shape.minimum or 0)
    match shape.kind:
        case "structure":
            return {name: least(shape.members[name].shape) for name in sorted(shape.required)}
        case "list":
            return [least(_item(shape))] * low
        case "map":
            return {_numbered(_key(shape), number): least(_value(shape)) for number in range(low)}
        case "string":
            return samples(shape)[0] if samples(shape) else "x" * low
    return {"blob": PACKAGE, "boolean": True}.get(shape.kind, low)


def _numbered(shape: Shape, number: int) -> str:
    """The key of a map's entry of that number."""
    return shape.enum[number % len(shape.enum)] if shape.enum else f"{least(shape)}{number}"


def _item(shape: Shape) -> Shape:
    assert shape.item is not None
    return shape.item.shape


def _key(shape: Shape) -> Shape:
    assert shape.key is not None
    return shape.key.shape


def _value(shape: Shape) -> Shape:
    assert shape.value is not None
    return shape.value.shape


# ---- the edges of a value


def edges(shape: Shape, value: Any) -> Iterator[Probe]:
    """The value's neighbours on the edges of its shape and past them, those of its parts too."""
    match shape.kind:
        case "structure":
            yield from _of_structure(shape, value)
        case "list":
            yield from _of_list(shape, value)
        case "map":
            yield from _of_map(shape, value)
        case "string" | "blob":
            yield from _of_text(shape, value)
        case "integer" | "long" | "double" | "float":
            yield from _of_number(shape)
    yield from (Probe(f" as {wrong!r:.20}", wrong, None) for wrong in ("x", 1, 1.5, True, [], {}, [None], {"x": None}))


def _of_structure(shape: Shape, value: dict[str, Any]) -> Iterator[Probe]:
    for name, member in shape.members.items():
        there = value.get(name, least(member.shape))
        for probe in edges(member.shape, there):
            yield Probe(f".{name}{probe.what}", {**value, name: probe.value}, _told(shape, name, probe))
        yield Probe(f".{name} null", {**value, name: None}, _told(shape, name, Probe("", None, None)))
        if member.place != "uri":
            without = {other: given for other, given in value.items() if other != name}
            yield Probe(f".{name} left out", without, name not in shape.required)
    yield Probe(".Unheard of", {**value, "Unheard": {"of": [1]}}, True)


def _told(owner: Shape, name: str, probe: Probe) -> bool | None:
    """What a member says of its structure. A path without it is another path."""
    if owner.members[name].place == "uri" and probe.value in (None, ""):
        return None
    empties: dict[str, Any] = {"querystring": [], "": b"" if owner.payload == name else None}
    if probe.value == empties.get(owner.members[name].place) or probe.value is None:
        return name not in owner.required
    return None if (owner.name, name) in CHECKED_LATER else probe.fits


def _of_list(shape: Shape, value: list[Any]) -> Iterator[Probe]:
    item = value[0] if value else least(_item(shape))
    for count in _counts(shape):
        yield Probe(f" of {count}", [item] * count, fits(shape, [item] * count))
    for probe in edges(_item(shape), item):
        yield Probe(f"[0]{probe.what}", [probe.value, *value[1:]], _inner(shape, max(1, len(value)), probe))


def _of_map(shape: Shape, value: dict[str, Any]) -> Iterator[Probe]:
    key = next(iter(value), _numbered(_key(shape), 0))
    there, others = value.get(key, least(_value(shape))), {name: one for name, one in value.items() if name != key}
    for count in _counts(shape):
        many = {_numbered(_key(shape), number): there for number in range(count)}
        if len(many) == count and all(fits(_key(shape), name) for name in many):
            yield Probe(f" of {count}", many, fits(shape, many))
    for probe in edges(_key(shape), key):
        if isinstance(probe.value, str):
            yield Probe(f" key{probe.what}", {**others, probe.value: there}, _inner(shape, len(others) + 1, probe))
    for probe in edges(_value(shape), there):
        yield Probe(f"[{key!r}]{probe.what}", {**others, key: probe.value}, _inner(shape, len(others) + 1, probe))


def _inner(shape: Shape, count: int, probe: Probe) -> bool | None:
    """What a part says of the whole, which has `count` parts and must fit by their number too."""
    return probe.fits if fits(shape, range(count)) else probe.fits and False


def _counts(shape: Shape) -> set[int]:
    around = {int(edge) + step for edge in (shape.minimum, shape.maximum) if edge is not None for step in (-1, 0, 1)}
    return {count for count in around | {0, 1} if count >= 0}


def _of_text(shape: Shape, value: str | bytes) -> Iterator[Probe]:
    for length in _counts(shape):
        if length <= LONGEST:
            for text in _of_length(shape, value, length):
                yield Probe(f" of length {length}", text, fits(shape, text))
    if isinstance(value, str):
        for text in ("☃", "a b", "\n", "%2F/..", "x" * 64, *samples(shape)[:8]):
            yield Probe(f" as {text!r:.40}", text, fits(shape, text))


def _of_length(shape: Shape, value: str | bytes, length: int) -> Iterator[str | bytes]:
    """Texts of a length, of those of a pattern one that keeps it if there is one of that form."""
    if isinstance(value, bytes):
        yield bytes(length)
        return
    grown = ((text + text[-1:] * length)[:length] for text in (value, *samples(shape)) if text)
    made = [text for text in grown if len(text) == length] or ["x" * length]
    yield next((text for text in made if fits(shape, text)), made[0])


def _of_number(shape: Shape) -> Iterator[Probe]:
    for edge in (shape.minimum, shape.maximum):
        for step in (-1, 0, 1) if edge is not None else ():
            number = int(edge or 0) + step
            yield Probe(f" {number}", number, fits(shape, number))
    for number in (-1, 0, 2**31, 2**63, 10**30):
        yield Probe(f" {number}", number, None)


# ---- the laws


def plan(operation: Operation, base: dict[str, Any]) -> Iterator[Probe]:
    """All that is asked of an operation around one input."""
    yield Probe(" as drawn", base, not _is_managed(base) or None)
    for probe in edges(operation.input, base) if operation.input else ():
        if isinstance(probe.value, dict):
            is_told = probe.fits is False or not _is_managed(probe.value)
            yield Probe(probe.what, probe.value, probe.fits if is_told else None)


def _is_managed(given_input: dict[str, Any]) -> bool:
    """Whether a function on managed instances alone may have it, which the model does not say."""
    found = ((given_input.get(name), most) for name, most in ON_DEMAND.items())
    return any(isinstance(value, int) and value > most for value, most in found)


def inputs(operation: str) -> st.SearchStrategy[dict[str, Any]]:
    """Inputs that fit an operation."""
    shape = LAMBDA.operation(operation).input
    return st.just({}) if shape is None else values(shape)


@pytest.mark.parametrize("name", OPERATIONS)
@settings(
    max_examples=ROUNDS,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_every_answer_is_what_the_model_says(probed: Any, name: str, data: st.DataObject) -> None:
    """No input makes the server fail, what the model forbids is refused, and a refusal leaves the log as it was."""
    operation = LAMBDA.operation(name)
    if name == "CreateFunction":
        probed.send("DeleteFunction", {"FunctionName": "probe"})
    else:
        probed.furnish(PACKAGE)
    probed.stand_ins = (*UUIDS, SIGNING, "probe", "live", TOKEN, EXECUTION)
    for probe in plan(operation, data.draw(inputs(name))):
        answer = probed.probe(name, probe.value)
        wrong = answer.wrong(operation, probe.fits)
        assert wrong is None, f"{name}{probe.what}: {wrong}\n{probe.value!r:.1500}"
        if answer.code is None and name in UNDO:
            _undo(probed, UNDO[name], probe.value)


def _undo(probed: Any, name: str, given_input: dict[str, Any]) -> None:
    shape = LAMBDA.operation(name).input
    assert shape is not None
    probed.send(name, {member: value for member, value in given_input.items() if member in shape.members})


def test_the_inputs_are_many() -> None:
    """All operations together are asked with 20,000 inputs at least."""
    operations = [LAMBDA.operation(name) for name in OPERATIONS]
    around = sum(len(list(plan(operation, least(operation.input)))) for operation in operations if operation.input)

    assert around * ROUNDS >= 20_000
