"""Plain Python written by shape as a JSON document.

The mirror of `jsonread`: `bytes` become base64, epoch seconds (or aware datetimes) the timestamp form that the model
names, and a member that is None or absent is left out.
"""

from binascii import b2a_base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from math import isfinite
from typing import Any

import msgspec

from relambda.api.wire.compiled import ByShape
from relambda.api.wire.model import Member, Shape

Convert = Callable[[Any], Any]

dumps = msgspec.json.encode


class OutputError(TypeError):
    """A value handed over for an answer does not fit the model: a mistake in this program, never the caller's."""


def lambda_time(seconds: float) -> str:
    """Epoch seconds as Lambda writes most of its times, `2026-01-02T03:04:05.678+0000` (FACTS.md section 1)."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def _wrong(shape: Shape, value: Any) -> OutputError:
    return OutputError(f"a member of shape {shape.name} must be a {shape.kind}, not {type(value).__name__}")


def _seconds(shape: Shape, value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    if type(value) in {int, float} and isfinite(value):
        return float(value)
    raise _wrong(shape, value)


def _plain_writer(*types: type) -> Callable[[Shape], Convert]:
    def compile_for(shape: Shape) -> Convert:
        def write(value: Any) -> Any:
            if type(value) in types:
                return value
            raise _wrong(shape, value)

        return write

    return compile_for


def _string_writer(shape: Shape) -> Convert:
    """Lambda's own `Timestamp` is a string in the model; a number given for one is a time in epoch seconds."""
    is_time = shape.name == "Timestamp"

    def write(value: Any) -> str:
        if isinstance(value, str):
            return str(value)
        if is_time:
            return lambda_time(_seconds(shape, value))
        raise _wrong(shape, value)

    return write


def _blob_writer(shape: Shape) -> Convert:
    def write(value: Any) -> str:
        if isinstance(value, bytes | bytearray | memoryview):
            return b2a_base64(value, newline=False).decode("ascii")
        raise _wrong(shape, value)

    return write


def _timestamp_writer(shape: Shape) -> Convert:
    def write(value: Any) -> Any:
        return time_in_form(_seconds(shape, value), shape.timestamp_format)

    return write


def time_in_form(seconds: float, form: str | None) -> float | str:
    """Epoch seconds in the form the model names: seconds to the millisecond, `iso8601` or `rfc822`."""
    if form == "iso8601":
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return formatdate(seconds, usegmt=True) if form == "rfc822" else round(seconds, 3)


def _member_writer(member: Member) -> Convert:
    form = member.timestamp_format
    if form is None or member.shape.kind != "timestamp":
        return writer(member.shape)
    shape = member.shape
    return lambda value: time_in_form(_seconds(shape, value), form)


def _structure_writer(shape: Shape) -> Convert:
    members = {
        name: (member.wire_name, _member_writer(member)) for name, member in shape.members.items() if not member.place
    }

    def write(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _wrong(shape, value)
        document = {}
        for name, given in value.items():
            if given is not None:
                try:
                    wire, convert = members[name]
                except KeyError:
                    raise OutputError(f"shape {shape.name} has no member {name!r} in its document") from None
                document[wire] = convert(given)
        return document

    return write


def _list_writer(shape: Shape) -> Convert:
    assert shape.item is not None
    convert = writer(shape.item.shape)

    def write(value: Any) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise _wrong(shape, value)
        return [None if item is None else convert(item) for item in value]

    return write


def _map_writer(shape: Shape) -> Convert:
    assert shape.value is not None
    convert = writer(shape.value.shape)

    def write(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _wrong(shape, value)
        return {key: None if item is None else convert(item) for key, item in value.items()}

    return write


_WRITERS: Mapping[str, Callable[[Shape], Convert]] = {
    "structure": _structure_writer,
    "list": _list_writer,
    "map": _map_writer,
    "string": _string_writer,
    "boolean": _plain_writer(bool),
    "double": _plain_writer(float, int),
    "float": _plain_writer(float, int),
    "integer": _plain_writer(int),
    "long": _plain_writer(int),
    "blob": _blob_writer,
    "timestamp": _timestamp_writer,
}

writer: ByShape[Convert] = ByShape(lambda shape: _WRITERS[shape.kind](shape))
"""`writer(shape)(value)`: what `dumps` takes. Raises OutputError for a value that does not fit the shape."""
