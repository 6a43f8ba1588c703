"""Payloads of invocations: JSON, of a bounded size, kept in an event or beside it."""

import msgspec

from relambda.actors.domain.async_invocation import LONGEST_INLINE, Content
from relambda.actors.domain.refusals import Refusal
from relambda.api.jackson import complaint
from relambda.store.blobs import Blobs

MOST_ASYNC = 1_048_576
"""Bytes of an asynchronous invocation's payload (limits.tsv)."""


def checked(payload: bytes | None) -> bytes:
    """A payload that is JSON, `{}` for none. Raises Refusal: InvalidRequestContentException (FACTS.md section 2)."""
    if not payload:
        return b"{}"
    try:
        payload.decode()
        msgspec.json.decode(payload, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        why = complaint(payload) or str(error)
        raise Refusal(
            "InvalidRequestContentException",
            f"Could not parse request body into json: Could not parse payload into json: {why}",
        ) from None
    return payload


def checked_async(payload: bytes | None, operation: str) -> bytes:
    """A payload that may be queued. Raises Refusal: RequestTooLargeException, InvalidRequestContentException."""
    if payload and len(payload) > MOST_ASYNC:
        raise Refusal(
            "RequestTooLargeException", f"Request must be smaller than {MOST_ASYNC} bytes for the {operation} operation"
        )
    return checked(payload)


def content(blobs: Blobs, payload: bytes) -> Content:
    """A payload as an event holds it; a long one is stored beside the log first."""
    if len(payload) <= LONGEST_INLINE:
        return Content(text=payload.decode())
    return Content(sha256=blobs.put(payload))
