"""How much memory an event will take once decoded, told from its bytes alone.

A record of 32 MiB may be 32 million empty maps: gigabytes of objects. Nested arrays may each declare as many members as
the record has bytes, and msgpack makes room for them at once. What an export writes is far from both.
"""

from relambda.snapshots.errors import HostilePodError
from relambda.store.codec import Body, seal

MAX_PARTS = 1_000_000
"""The most values an event of a pod may consist of; some 100 MB once decoded."""

_LIGHT_BYTES = 64 * 1024
"""A record up to this size cannot weigh much, whatever is in it."""
_BODY_AT = len(seal(Body(b"", 0), 0, 0))

_FIXED = {0xCA: 4, 0xCB: 8, **{0xCC + n: 1 << n for n in range(4)}, **{0xD0 + n: 1 << n for n in range(4)}}
_FIXED |= {0xD4 + n: 1 + (1 << n) for n in range(5)}
_SIZED = {code + n: 1 << n for code in (0xC4, 0xC7, 0xD9) for n in range(3)}
_EXTENSIONS = range(0xC7, 0xCA)
_COUNTED = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}


def check_weight(record: bytes) -> None:
    """Raise HostilePodError for a record that would take far more memory than it has bytes."""
    if len(record) > _LIGHT_BYTES and _too_many(record):
        raise HostilePodError(
            f"an event of {len(record)} bytes in the pod declares more than {MAX_PARTS} parts; do not trust it"
        )


def _too_many(record: bytes) -> bool:
    at, parts, declared = _BODY_AT, 0, 1
    while at < len(record):
        skipped, members = _value(record, at)
        at += skipped
        parts += 1
        declared += members
        if parts > MAX_PARTS or declared > MAX_PARTS:
            return True
    return False


def _value(record: bytes, at: int) -> tuple[int, int]:
    """How many bytes the value at `at` takes without its members, and how many members it declares (msgpack's spec)."""
    code = record[at]
    if 0x80 <= code < 0xA0:
        return 1, (code & 0x0F) * (2 if code < 0x90 else 1)
    if 0xA0 <= code < 0xC0:
        return 1 + (code & 0x1F), 0
    if code in _COUNTED:
        width, each = _COUNTED[code]
        return 1 + width, each * _number(record, at + 1, width)
    if code in _SIZED:
        width = _SIZED[code]
        return 1 + width + _number(record, at + 1, width) + (code in _EXTENSIONS), 0
    return 1 + _FIXED.get(code, 0), 0


def _number(record: bytes, at: int, width: int) -> int:
    return int.from_bytes(record[at : at + width], "big")
