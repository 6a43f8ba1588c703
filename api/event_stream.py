"""Answers that are streams: messages in AWS's event-stream encoding (FACTS.md section 6)."""

import struct
from collections.abc import Iterator
from zlib import crc32

import msgspec

CONTENT_TYPE = "application/vnd.amazon.eventstream"
JSON = "application/json"
CHUNK_BYTES = 65_536
_STRING = 7


def payload_chunks(payload: bytes) -> Iterator[bytes]:
    """A payload as PayloadChunk messages."""
    for at in range(0, len(payload), CHUNK_BYTES):
        yield message("PayloadChunk", "application/octet-stream", payload[at : at + CHUNK_BYTES])


def invoke_complete(*, error_code: str = "", error_details: str = "", log_result: str = "") -> bytes:
    """The last message: how it ended, and the log when it was asked for."""
    told = {"ErrorCode": error_code, "ErrorDetails": error_details, "LogResult": log_result}
    document = msgspec.json.encode({name: value for name, value in told.items() if value})
    return message("InvokeComplete", JSON, document)


def message(event_type: str, content_type: str, payload: bytes) -> bytes:
    """An event's message."""
    return _framed({":message-type": "event", ":event-type": event_type, ":content-type": content_type}, payload)


def exception(type_: str, words: str) -> bytes:
    """The message of an exception of the operation's model, which ends a stream."""
    headers = {":message-type": "exception", ":exception-type": type_, ":content-type": JSON}
    return _framed(headers, msgspec.json.encode({"message": words}))


def _framed(given: dict[str, str], payload: bytes) -> bytes:
    """Lengths, their checksum, headers, payload, checksum of it all."""
    headers = b"".join(_header(name, value) for name, value in given.items())
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    body = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return body + struct.pack(">I", crc32(body))


def _header(name: str, value: str) -> bytes:
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _STRING, len(value)) + value.encode()
