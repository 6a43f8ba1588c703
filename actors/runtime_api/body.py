"""A request's body: sized or chunked, with trailers; never read further than a limit."""

import time
from collections.abc import Callable, Iterator
from typing import Final

from relambda.actors.runtime_api.connection import Connection
from relambda.actors.runtime_api.http_head import (
    BadRequestError,
    DisconnectedError,
    Request,
    TruncatedRequestError,
)

DRAIN_BYTES: Final = 64 * 1024 * 1024
DRAIN_SECONDS: Final = 5.0
_SIZE_LINE_BYTES: Final = 4096
_TRAILERS_BYTES: Final = 2_000_000
"""Trailers may hold a whole error, in base64."""
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class BodyTooLargeError(Exception):
    """The body is larger than its limit; it was not read to its end."""


class Body:
    """The body of one request. For the connection's reading thread."""

    def __init__(self, connection: Connection, request: Request) -> None:
        self.trailers: dict[str, str] = {}
        """Lower case names; known once the body is read."""
        self._connection = connection
        self._length = _length(request)
        self._pieces = self._sized() if self._length is not None else self._chunked()
        self._read = self._length == 0
        self._unasked = request.headers.get("expect", "").lower() == "100-continue"

    def read(self, limit: int, begins: Callable[[], None] | None = None) -> bytes:
        """The whole body; `begins` is called when its first byte is here, if it has any.

        Raises BodyTooLargeError, BadRequestError, TruncatedRequestError, DisconnectedError.
        """
        if self._length is not None and self._length > limit:
            raise BodyTooLargeError
        self._ask()
        if begins is not None and not self._read:
            self._connection.await_some()
            begins()
        data = self._collect(limit) if self._length is None else self._connection.read_exactly(self._length)
        self._read = True
        return data

    def drain(self) -> bool:
        """Read and drop what is left, up to a bound of bytes and time; whether the next request can follow.

        A client must get the chance to see its refusal, instead of a broken pipe while it still writes.
        """
        if self._read or self._unasked:
            return self._read
        self._connection.body_deadline = time.monotonic() + DRAIN_SECONDS
        try:
            total = 0
            for piece in self._pieces:
                total += len(piece)
                if total > DRAIN_BYTES:
                    return False
        except (BadRequestError, TruncatedRequestError, DisconnectedError):
            return False
        self._connection.body_deadline = None
        return True

    def _ask(self) -> None:
        """Say that the body may come: clients that want to hear so stall for a second otherwise."""
        if self._unasked:
            self._unasked = False
            self._connection.send(_CONTINUE)

    def _collect(self, limit: int) -> bytes:
        collected = bytearray()
        for piece in self._pieces:
            if len(collected) + len(piece) > limit:
                raise BodyTooLargeError
            collected += piece
        return bytes(collected)

    def _sized(self) -> Iterator[bytes]:
        yield from self._portion(self._length or 0)

    def _chunked(self) -> Iterator[bytes]:
        while size := _chunk_size(self._connection.read_line(_SIZE_LINE_BYTES)):
            yield from self._portion(size)
            if self._connection.read_line(len(b"\r\n")):
                raise BadRequestError("a chunk must end with an empty line")
        left = _TRAILERS_BYTES
        while line := self._connection.read_line(left):
            left -= len(line)
            name, _, value = line.decode("utf-8", "replace").partition(":")
            if len(self.trailers) >= 64 or left < 0:
                raise BadRequestError(f"a request may have 64 trailers, of {_TRAILERS_BYTES} bytes together")
            self.trailers[name.strip().lower()] = value.strip()

    def _portion(self, count: int) -> Iterator[bytes]:
        while count:
            piece = self._connection.read_some(count)
            count -= len(piece)
            yield piece


def _length(request: Request) -> int | None:
    """How many bytes follow; None when the body comes in chunks."""
    encoding, length = request.headers.get("transfer-encoding"), request.headers.get("content-length")
    if encoding is not None:
        if encoding.lower() != "chunked" or length is not None:
            raise BadRequestError("a body must have either a Content-Length or Transfer-Encoding: chunked")
        return None
    if length is None:
        return 0
    if not (length.isascii() and length.isdigit() and len(length) < 19):
        raise BadRequestError("Content-Length must be a number of bytes")
    return int(length)


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not 0 < len(digits) < 16 or not all(character in b"0123456789abcdefABCDEF" for character in digits):
        raise BadRequestError("a chunk must begin with its size in hexadecimal digits")
    return int(digits, 16)
