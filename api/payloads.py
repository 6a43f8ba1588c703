"""Payloads of invocations: JSON, of a bounded size, kept in an event or beside it."""

from base64 import b64decode

import msgspec

from relambda.actors.domain.async_invocation import LONGEST_INLINE, Content
from relambda.actors.domain.refusals import Refusal
from relambda.api.jackson import complaint
from relambda.store.blobs import Blobs

MOST_ASYNC = 1_048_576
"""Bytes of an asynchronous invocation's payload (limits.tsv)."""
MOST_CLIENT_CONTEXT = 3_583
"""Bytes of a client context as it is sent, in base64 (limits.tsv)."""
LONGEST_EXPLAINED = 65_536
"""Bytes of a text of which AWS's own complaint is worked out: of a hostile one of megabytes that takes seconds."""
_TOO_DEEP = (
    "Document nesting depth (1001) exceeds the maximum allowed "
    "(1000, from `StreamReadConstraints.getMaxNestingDepth()`)"
)


def checked(payload: bytes | None) -> bytes:
    """A payload that is JSON, `{}` for none. Raises Refusal: InvalidRequestContentException (FACTS.md section 2)."""
    if not payload:
        return b"{}"
    try:
        payload.decode()
        msgspec.json.decode(payload, type=msgspec.Raw)
    except RecursionError:
        raise _no_json(_TOO_DEEP) from None
    except ValueError as error:
        raise _no_json(_explained(payload) or str(error)) from None
    return payload


def _explained(payload: bytes) -> str | None:
    return complaint(payload) if len(payload) <= LONGEST_EXPLAINED else None


def _no_json(why: str) -> Refusal:
    return _wrong(f"Could not parse request body into json: Could not parse payload into json: {why}")


def checked_async(payload: bytes | None) -> bytes:
    """A payload that may be queued. Raises Refusal: RequestEntityTooLargeException, InvalidRequestContentException."""
    if payload and len(payload) > MOST_ASYNC:
        raise Refusal(
            "RequestEntityTooLargeException",
            f"{len(payload)} byte payload is too large for the Event invocation type (limit {MOST_ASYNC} bytes)",
        )
    return checked(payload)


def client_context(encoded: str | None) -> str:
    """The client context as the runtime gets it, "" for none. Raises Refusal: InvalidRequestContentException."""
    if not encoded:
        return ""
    if len(encoded) > MOST_CLIENT_CONTEXT:
        raise _wrong(f"Client context must not have more than {MOST_CLIENT_CONTEXT} bytes.")
    try:
        text = b64decode(encoded, validate=True)
        msgspec.json.decode(text, type=dict)
        return text.decode()
    except (ValueError, RecursionError):
        raise _wrong("Client context must be a valid Base64-encoded JSON object.") from None


def _wrong(message: str) -> Refusal:
    return Refusal("InvalidRequestContentException", message)


def content(blobs: Blobs, payload: bytes) -> Content:
    """A payload as an event holds it; a long one is stored beside the log first."""
    if len(payload) <= LONGEST_INLINE:
        return Content(text=payload.decode())
    return Content(sha256=blobs.put(payload))
