"""A JSON document read by shape into the plain Python the rest of Relambda speaks.

Blobs become `bytes`, timestamps epoch seconds (`float`), everything else is what JSON makes of it. A null member
is an absent one; nulls inside lists and maps stay, for validation to name them; members that the model does not
know are left out, as AWS does.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from relambda.api.wire.compiled import ByShape
from relambda.api.wire.errors import ServiceError
from relambda.api.wire.model import Member, Shape
from relambda.api.wire.textvalue import INTEGER_BITS, read_timestamp, unreadable

Convert = Callable[[Any], Any]


def loads(body: bytes) -> Any:
    """The JSON document in `body`. Raises SerializationException for what is no JSON, or nests too deep."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError) as problem:
        raise ServiceError("SerializationException", f"Could not parse request body into json: {problem}") from None


def _wrong(value: Any, wanted: str) -> ServiceError:
    if isinstance(value, Mapping):
        return ServiceError("SerializationException", "Start of structure or map found where not expected.")
    if isinstance(value, list):
        return ServiceError("SerializationException", "Start of list found where not expected")
    if not wanted:
        return ServiceError("SerializationException", "Unexpected field type")
    return unreadable(_token(value), wanted)


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if value is None:
        return "NULL_VALUE"
    return "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"


def _read_string(value: Any) -> str:
    if type(value) is str:
        return value
    raise _wrong(value, "a String")


def _read_boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise _wrong(value, "a Boolean")


def _read_float(value: Any) -> float:
    if type(value) is float or (type(value) is int and value.bit_length() < 1024):
        return float(value)
    raise _wrong(value, "a Double")


def _read_blob(value: Any) -> bytes:
    if type(value) is not str:
        raise _wrong(value, "a Blob")
    try:
        return a2b_base64(value, strict_mode=True)
    except (Base64Error, ValueError):
        raise unreadable("STRING_VALUE", "a Blob") from None


def _read_timestamp(value: Any) -> float:
    if type(value) is float or (type(value) is int and value.bit_length() < 63):
        return float(value)
    if type(value) is str:
        return read_timestamp(value)
    raise _wrong(value, "milliseconds since epoch")


def _integer_reader(kind: str) -> Convert:
    limit = 1 << INTEGER_BITS[kind]
    name = "an Integer" if kind == "integer" else "a Long"

    def read(value: Any) -> int:
        if type(value) in {int, float} and -limit <= value < limit:
            return int(value)
        raise _wrong(value, name)

    return read


def _structure_reader(shape: Shape) -> Convert:
    members = tuple((name, member.wire_name, reader(member.shape)) for name, member in body_members(shape))

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong(value, "")
        return {name: convert(given) for name, wire, convert in members if (given := value.get(wire)) is not None}

    return read


def _list_reader(shape: Shape) -> Convert:
    assert shape.item is not None
    convert = reader(shape.item.shape)

    def read(value: Any) -> list[Any]:
        if type(value) is not list:
            raise _wrong(value, "")
        return [None if item is None else convert(item) for item in value]

    return read


def _map_reader(shape: Shape) -> Convert:
    assert shape.value is not None
    convert = reader(shape.value.shape)

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong(value, "")
        return {key: None if item is None else convert(item) for key, item in value.items()}

    return read


def body_members(shape: Shape) -> list[tuple[str, Member]]:
    """The members of a structure that its JSON document holds."""
    return [(name, member) for name, member in shape.members.items() if not member.place]


_READERS: Mapping[str, Callable[[Shape], Convert]] = {
    "structure": _structure_reader,
    "list": _list_reader,
    "map": _map_reader,
    "string": lambda _: _read_string,
    "boolean": lambda _: _read_boolean,
    "double": lambda _: _read_float,
    "float": lambda _: _read_float,
    "blob": lambda _: _read_blob,
    "timestamp": lambda _: _read_timestamp,
    "integer": lambda shape: _integer_reader(shape.kind),
    "long": lambda shape: _integer_reader(shape.kind),
}

reader: ByShape[Convert] = ByShape(lambda shape: _READERS[shape.kind](shape))
"""`reader(shape)(document)`: Python from JSON. What does not fit it refuses as SerializationException."""
