"""Segment documents as SDKs send them: read, checked, and put into the form they are kept in."""

import re
import secrets
from typing import Any

import msgspec

from relambda.store.traces import Segment

MAX_DOCUMENT = 64 * 1024
"""Bytes (X-Ray Developer Guide, "Segment documents")."""
_MAX_CAUSE = 16 * 1024
"""Bytes; it is in a document twice."""
_TRACE = re.compile(r"(?:1-)?([0-9a-f]{8})-?([0-9a-f]{24})")
_ID = re.compile(r"[0-9a-f]{16}")


class BadSegmentError(Exception):
    """Raised for a document that X-Ray does not take; `code` is the word with which it says so."""

    def __init__(self, code: str, message: str, id_: str = "") -> None:
        super().__init__(message)
        self.code, self.id = code, id_


def read_segment(text: bytes, owner: str) -> Segment:
    """One document of a segment, or of a subsegment that came by itself. Raises BadSegmentError."""
    if len(text) > MAX_DOCUMENT:
        raise BadSegmentError("SegmentTooLarge", f"A segment document has {MAX_DOCUMENT} bytes at most.")
    try:
        document = msgspec.json.decode(text, type=dict[str, Any])
    except (ValueError, RecursionError) as error:
        raise BadSegmentError("ParseError", f"The segment document is no JSON object: {error}") from None
    id_, trace = str(document.get("id", "")), trace_id(str(document.get("trace_id", "")))
    if not _ID.fullmatch(id_):
        raise BadSegmentError("MissingId", "A segment has an id of 16 hexadecimal digits.", id_[:64])
    if not trace:
        raise BadSegmentError("InvalidTraceId", "A segment has a trace_id such as 1-58406520-a006649127e371903a2de979.")
    _check(document, id_)
    return Segment(trace, id_, owner, msgspec.json.encode({**document, "trace_id": trace}))


def _check(document: dict[str, Any], id_: str) -> None:
    if not isinstance(document.get("name"), str) or not document["name"]:
        raise BadSegmentError("MissingName", "A segment has a name.", id_)
    if not _is_time(document.get("start_time")):
        raise BadSegmentError("MissingStartTime", "A segment has a start_time, in seconds since the epoch.", id_)
    if not (_is_time(document.get("end_time")) or ("end_time" not in document and document.get("in_progress") is True)):
        raise BadSegmentError("MissingEndTime", "A segment has an end_time, or is in_progress.", id_)


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def read_cause(text: str) -> dict[str, Any] | None:
    """What a runtime says caused an error, in the form of a segment's `cause`; None for what is none, or too long.

    Runtimes send it in the header Lambda-Runtime-Function-XRay-Error-Cause, with exceptions that have no ids yet.
    """
    if not 0 < len(text) <= _MAX_CAUSE:
        return None
    try:
        cause = msgspec.json.decode(text, type=_Cause)
    except (ValueError, RecursionError):
        return None
    exceptions = [{"id": secrets.token_hex(8), **each} for each in cause.exceptions]
    return {"working_directory": cause.working_directory, "paths": cause.paths, "exceptions": exceptions}


class _Cause(msgspec.Struct):
    exceptions: list[dict[str, Any]]
    working_directory: str = ""
    paths: list[str] = []


def trace_id(text: str) -> str:
    """A trace's id in X-Ray's own form, also of one in W3C's; "" for what is neither."""
    found = _TRACE.fullmatch(text)
    return f"1-{found[1]}-{found[2]}" if found else ""
