"""Talks to a running cloud over HTTP, for the command line; every wait has a bound."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, BinaryIO
from urllib.parse import urlsplit

HEALTH = "/_relambda/health"
SNAPSHOT = "/_relambda/snapshot"
DEBUGGED = "/_relambda/debugged"
HEALTH_SECONDS = 2.0
TRANSFER_SECONDS = 120.0
BLOCK = 256 * 1024

Progress = Callable[[int, int], None]
"""Gets the bytes that are done and the bytes there are in all (0 when nobody knows)."""


class CloudUnreachableError(Exception):
    """Raised when the cloud does not answer, or stops in the middle of an answer."""


class CloudRefusedError(Exception):
    """Raised when the cloud answers that it will not; the message is the cloud's own."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code
        """AWS's name of the error, where it has one."""


def health(url: str, timeout: float = HEALTH_SECONDS) -> dict[str, Any] | None:
    """What the cloud says of its health, or None when it does not answer within `timeout` seconds."""
    try:
        with _request(url, "GET", HEALTH, timeout) as answer:
            return dict(json.loads(answer.read()))
    except (CloudUnreachableError, CloudRefusedError, OSError, HTTPException, ValueError):
        return None


def debugged(url: str) -> list[dict[str, Any]]:
    """The functions that are debugged. Raises CloudRefusedError or CloudUnreachableError."""
    with _request(url, "GET", DEBUGGED, HEALTH_SECONDS) as answer:
        return list(json.loads(answer.read()))


def ask(url: str, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> dict[str, Any]:
    """A JSON document that the cloud answers. Raises CloudRefusedError or CloudUnreachableError."""
    sized = {**headers, "Content-Length": str(len(body))}
    with _request(url, method, path, TRANSFER_SECONDS, sized, iter([body])) as answer:
        return dict(json.loads(answer.read() or b"{}"))


def export_snapshot(url: str, out: BinaryIO, progress: Progress) -> None:
    """Stream the cloud's snapshot into `out`. Raises CloudRefusedError or CloudUnreachableError."""
    with _request(url, "GET", SNAPSHOT, TRANSFER_SECONDS) as answer:
        total, done = answer.length or 0, 0
        while block := _read(answer, url, done):
            out.write(block)
            done += len(block)
            progress(done, total)


def import_snapshot(url: str, source: BinaryIO, size: int, progress: Progress, *, replace: bool) -> dict[str, Any]:
    """Stream a snapshot to the cloud; what it says it loaded. Raises CloudRefusedError or CloudUnreachableError."""
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
    path = f"{SNAPSHOT}?replace=true" if replace else SNAPSHOT
    with _request(url, "POST", path, TRANSFER_SECONDS, headers, _blocks(source, size, progress)) as answer:
        return dict(json.loads(answer.read() or b"{}"))


def _read(answer: HTTPResponse, url: str, done: int) -> bytes:
    try:
        return answer.read(BLOCK)
    except (HTTPException, OSError) as error:
        raise CloudUnreachableError(f"the cloud at {url} broke off after {done} bytes: {error!r}") from error


def _blocks(source: BinaryIO, size: int, progress: Progress) -> Iterator[bytes]:
    done = 0
    while done < size and (block := source.read(min(BLOCK, size - done))):
        yield block
        done += len(block)
        progress(done, size)


@contextmanager
def _request(
    url: str,
    method: str,
    path: str,
    timeout: float,
    headers: dict[str, str] | None = None,
    body: Iterator[bytes] | None = None,
) -> Iterator[HTTPResponse]:
    where = urlsplit(url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=timeout)
    with closing(connection):
        try:
            # Who refuses need not read all of a body: its answer is there even when sending breaks off.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            said = answer.read() if answer.status >= 400 else b""
        except (OSError, HTTPException) as error:
            raise CloudUnreachableError(f"the cloud at {url} does not answer: {error}") from error
        if answer.status >= 500:
            raise CloudUnreachableError(f"the cloud at {url} failed: {_message(answer, said)}")
        if answer.status >= 400:
            raise CloudRefusedError(_message(answer, said), answer.headers.get("x-amzn-ErrorType") or _type(said))
        yield answer


def _type(body: bytes) -> str:
    try:
        return str(json.loads(body).get("__type", ""))
    except (ValueError, AttributeError):
        return ""


def _message(answer: HTTPResponse, body: bytes) -> str:
    try:
        said = json.loads(body)
        return str(said.get("message") or said.get("Message") or said)
    except (ValueError, AttributeError):
        return f"HTTP {answer.status} {answer.reason}"
