"""Answers of the Runtime API, and refusals with the texts that the official emulator was observed to give."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()

    def render(self, *, keep_alive: bool = True) -> bytes:
        """The answer's bytes. Headers with an empty value are omitted; control characters in values become spaces."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", f"Content-Type: {self.content_type}"]
        lines += [f"{name}: {_safe(value)}" for name, value in self.headers if value]
        lines.append(f"Content-Length: {len(self.body)}")
        if not keep_alive:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "replace") + self.body


def _safe(value: str) -> str:
    """A header's value without line ends, which in JSON are blank space, and elsewhere an attempt at a header."""
    return (
        value if value.isprintable() else "".join(" " if ord(sign) < 32 or sign == "\x7f" else sign for sign in value)
    )


ACCEPTED: Final = Reply(202, b'{"status":"OK"}')
"""With a JSON body: the .NET client fails to read an empty one."""


ACCEPTED_BYTES: Final = ACCEPTED.render()
"""Rendered once: it is on the way of every invocation."""


class RefusalError(Exception):
    """The Runtime API refuses a request: an HTTP status, and `errorMessage` with `errorType` as JSON."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.reply = Reply(status, error_document(error_type, message))


def error_document(error_type: str, message: str) -> bytes:
    """An error as a runtime or a caller reads it."""
    return json.dumps({"errorMessage": message, "errorType": error_type}, separators=(",", ":")).encode()


def bad_transition(was: str, wanted: str) -> RefusalError:
    """The runtime did something that does not follow on what it did before."""
    message = f"State transition from {was} to {wanted} failed for runtime. Error: State transition is not allowed"
    return RefusalError(403, "InvalidStateTransition", message)


def not_found(path: str) -> RefusalError:
    """Nothing is served there."""
    return RefusalError(404, "NotFound", f"The Runtime API has no path {path[:200]}")
