"""Which blobs an event names, told without knowing what the event is about.

The rule: a str of 64 lower-case hexadecimal digits under a key "sha256", however deep in the payload, names a blob.
Whoever puts a blob's name into an event uses that key. A name whose blob is not there is no mistake by itself (the
payload may be a user's, with such a key in it), so exports count it as absent and go on.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from relambda.store.codec import decode

SHA256 = re.compile(r"[0-9a-f]{64}")
_ENCODED_KEY = b"\xa6sha256"
"""The key as msgpack writes it, always: without these bytes there is nothing to decode for."""


def blobs_named(record: bytes) -> Iterator[bytes]:
    """The sha256 (32 bytes each, possibly repeated) of the blobs that a record names; CorruptStoreError."""
    if _ENCODED_KEY not in record:
        return
    pending: list[Any] = [decode(record).data]
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            named = value.get("sha256")
            if isinstance(named, str) and SHA256.fullmatch(named):
                yield bytes.fromhex(named)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
