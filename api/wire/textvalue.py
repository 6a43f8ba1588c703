"""Values as text, where a path, a query string or a header carries them."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from math import isfinite
from typing import Any

from relambda.api.wire.errors import ServiceError
from relambda.api.wire.model import Member, Shape

INTEGER_BITS = {"integer": 31, "long": 63}
_BOOLEANS = {"true": True, "false": False}


def reader(shape: Shape) -> Callable[[str], Any]:
    """The function that reads one text of this shape. What it cannot read it refuses as SerializationException."""
    if shape.kind in INTEGER_BITS:
        return _integer_reader(INTEGER_BITS[shape.kind])
    return _READERS[shape.kind]


def writer(member: Member) -> Callable[[Any], str]:
    """The function that writes a value of this member as a header's text."""
    if member.shape.kind == "boolean":
        return lambda value: "true" if value else "false"
    if member.shape.kind == "timestamp":
        return lambda value: formatdate(value, usegmt=True)
    return str


def _integer_reader(bits: int) -> Callable[[str], int]:
    name = "an Integer" if bits == INTEGER_BITS["integer"] else "a Long"

    def read(text: str) -> int:
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdecimal() and len(digits) < 20:
            value = int(text)
            if -(1 << bits) <= value < 1 << bits:
                return value
        raise unreadable("STRING_VALUE", name)

    return read


def _read_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise unreadable("STRING_VALUE", "a Double") from None
    if not isfinite(value):
        raise unreadable("STRING_VALUE", "a Double")
    return value


def _read_boolean(text: str) -> bool:
    found = _BOOLEANS.get(text.lower())
    if found is None:
        raise unreadable("STRING_VALUE", "a Boolean")
    return found


def read_timestamp(text: str) -> float:
    """Epoch seconds of an ISO 8601 time, an HTTP date or a number of seconds; UTC where no zone is given."""
    for attempt in (float, _iso_seconds, _http_date_seconds):
        try:
            seconds = attempt(text)
        except (ValueError, OverflowError):
            continue
        if isfinite(seconds):
            return seconds
    raise unreadable("STRING_VALUE", "milliseconds since epoch")


def _iso_seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _http_date_seconds(text: str) -> float:
    moment = parsedate_to_datetime(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def unreadable(given: str, wanted: str) -> ServiceError:
    """AWS's refusal of a value of the wrong type, `STRING_VALUE can not be converted to an Integer`.

    The sentence is as users of Lambda have published it; for kinds of value they did not meet it is formed alike.
    """
    return ServiceError("SerializationException", f"{given} can not be converted to {wanted}")


_READERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "boolean": _read_boolean,
    "double": _read_float,
    "float": _read_float,
    "timestamp": read_timestamp,
}
