"""The event-stream encoding, read back by botocore's own decoder."""

import json

from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from relambda.api.event_stream import CHUNK_BYTES, invoke_complete, message, payload_chunks


def decoded(data: bytes) -> list[tuple[dict[str, str], bytes]]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return [(each.headers, each.payload) for each in buffer]


@given(st.binary(max_size=300))
def test_a_message_is_read_back(payload: bytes) -> None:
    """Given any payload, then botocore reads the message with its type and both checksums."""
    ((headers, read),) = decoded(message("PayloadChunk", "application/octet-stream", payload))
    assert read == payload
    assert headers == {
        ":message-type": "event",
        ":event-type": "PayloadChunk",
        ":content-type": "application/octet-stream",
    }


def test_a_long_payload_is_several_chunks() -> None:
    """Given a payload of more than a chunk, then its chunks put together are it."""
    payload = bytes(range(256)) * 300
    chunks = decoded(b"".join(payload_chunks(payload)))
    assert len(chunks) == -(-len(payload) // CHUNK_BYTES)
    assert b"".join(read for _, read in chunks) == payload


def test_the_last_message_tells_the_end() -> None:
    """Given an error and a log, then the last message holds them, and nothing that is not there."""
    ((headers, read),) = decoded(invoke_complete(error_code="Unhandled", log_result="bG9n"))
    assert headers[":event-type"] == "InvokeComplete"
    assert json.loads(read) == {"ErrorCode": "Unhandled", "LogResult": "bG9n"}
    assert json.loads(decoded(invoke_complete())[0][1]) == {}
