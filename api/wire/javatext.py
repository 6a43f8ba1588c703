"""Values as AWS's Java prints them inside a validation message (FACTS.md section 2)."""

from collections.abc import Mapping
from typing import Any

from relambda.api.wire.model import Shape

PRINTED_AT_MOST = 65_536
"""Characters of one value in a message, so that a large input is not sent back whole."""


def lower_camel(name: str) -> str:
    """A member's name as AWS's messages spell it: only the first letter is lowered (`kMSKeyArn`, `uUID`)."""
    return name[:1].lower() + name[1:]


def printed(shape: Shape, value: Any) -> str:
    """The `Value …` part of a message: quoted text, `null`, or nothing for a value the model calls sensitive."""
    if value is None:
        return "Value null"
    if shape.sensitive:
        return "Value"
    return f"Value '{java_text(shape, value)[:PRINTED_AT_MOST]}'"


def java_text(shape: Shape, value: Any) -> str:
    """`toString()` of a value: `[a, b]`, `{k=v}`, `2.0`, `true`, and structures as `Name(member=value)`."""
    if isinstance(value, list) and shape.item is not None:
        return f"[{', '.join(java_text(shape.item.shape, item) for item in value)}]"
    if isinstance(value, Mapping):
        return _map_text(shape, value) if shape.value is not None else _structure_text(shape, value)
    return _scalar_text(value)


def _map_text(shape: Shape, value: Mapping[str, Any]) -> str:
    assert shape.value is not None
    return f"{{{', '.join(f'{key}={java_text(shape.value.shape, item)}' for key, item in value.items())}}}"


def _structure_text(shape: Shape, value: Mapping[str, Any]) -> str:
    members = (
        f"{lower_camel(name)}={java_text(member.shape, value.get(name))}" for name, member in shape.members.items()
    )
    return f"{shape.name}({', '.join(members)})"


def _scalar_text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
    return _double(value) if isinstance(value, float) else str(value)


def _double(value: float) -> str:
    """As Java's Double.toString: plain between a thousandth and ten million, else one digit and an exponent."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    shortest = next(text for precision in range(17) if float(text := f"{value:.{precision}e}") == value)
    digits, _, exponent = shortest.partition("e")
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}"
