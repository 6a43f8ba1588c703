"""One connection of a runtime: reads requests, writes answers.

Written for latency: an answer leaves in one system call, and a thread other than the reading one may write it, so
that handing over an invocation wakes no thread of this process.
"""

import contextlib
import select
import socket
import struct
import threading
import time
from typing import Final, NoReturn

from relambda.actors.runtime_api.http_head import (
    BadRequestError,
    DisconnectedError,
    Request,
    TruncatedRequestError,
    parse_head,
)
from relambda.actors.runtime_api.large_heads import SMALL_HEAD_BYTES, LargeHeads

MAX_HEAD_BYTES: Final = 1_200_000
"""Room for an X-Ray cause, for which awslambdaric 4.2.2 allows itself 1 MiB in one header."""
HEAD_SECONDS: Final = 30.0
"""A new connection must have sent its first request by then, any other one the rest of a head it began."""
SEND_SECONDS: Final = 30.0
_SLICE: Final = struct.pack("ll", 30, 0)
"""Longest single wait for input without a deadline, as a `timeval`; closings are seen in between at the latest."""
READ_BYTES: Final = 262_144
_ROOM_SECONDS: Final = 0.5
"""Longest single wait for room for a head; closings are seen in between."""
_NONE, _TOO_LONG = -1, -2


class Connection:
    """One accepted connection. One thread reads; any thread may write, shut or ask whether the client is there."""

    def __init__(self, sock: socket.socket, peer: str, large_heads: LargeHeads) -> None:
        """`peer` is the address that it comes from."""
        self._socket, self.peer, self._large_heads = sock, peer, large_heads
        self._buffer = bytearray()
        self._read_any = False
        self.is_last = False
        """Whether the client wants no more than the answer that it waits for."""
        self._shut = False
        self._write_lock = threading.Lock()
        self.body_deadline: float | None = None
        """When reading a body ends with DisconnectedError; a monotonic time. A function may stream for long."""
        sock.setblocking(True)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _SLICE)

    def read_request(self) -> Request | None:
        """Wait for the next request; None when the client has ended the connection, or nothing ever came.

        Raises BadRequestError, TruncatedRequestError, DisconnectedError.
        """
        deadline = None if self._read_any and not self._buffer else time.monotonic() + HEAD_SECONDS
        end = self._head_end(SMALL_HEAD_BYTES, deadline)
        if end == _TOO_LONG:
            end = self._large_head_end()
        if end == _NONE:
            self._refuse_half_a_head()
            return None
        self._read_any = True
        return parse_head(self._take(end, 4))

    def _head_end(self, limit: int, deadline: float | None) -> int:
        """Read until the end of a head, which is told; or _NONE, when the stream ends first, or _TOO_LONG."""
        searched = 0
        while (end := self._buffer.find(b"\r\n\r\n", searched)) < 0:
            searched = max(0, len(self._buffer) - 3)
            if len(self._buffer) > limit:
                return _TOO_LONG
            piece = self._receive(deadline)
            if not piece:
                return _NONE
            self._buffer += piece
            deadline = deadline or time.monotonic() + HEAD_SECONDS
        return end

    def _large_head_end(self) -> int:
        """As `_head_end`, once there is room for such a head."""
        deadline = time.monotonic() + HEAD_SECONDS
        while not self._large_heads.enter(self.peer, _ROOM_SECONDS):
            if self._shut or time.monotonic() > deadline:
                raise DisconnectedError("there is no room for a request's head: too many large ones come at a time")
        try:
            end = self._head_end(MAX_HEAD_BYTES, deadline)
        finally:
            self._large_heads.leave(self.peer)
        if end == _TOO_LONG:
            raise BadRequestError(f"a request's head must be smaller than {MAX_HEAD_BYTES} bytes")
        return end

    def _refuse_half_a_head(self) -> None:
        if self._buffer:
            raise TruncatedRequestError("the connection ended in the middle of a request's head")

    def _take(self, count: int, behind: int = 0) -> bytes:
        """The first `count` bytes of the buffer, which loses them and those `behind` them."""
        taken = bytes(self._buffer[:count])
        del self._buffer[: count + behind]
        return taken

    def read_line(self, limit: int) -> bytes:
        """The next line of a body, without its end, which must come within 30 s of the line's beginning.

        Raises as `read_exactly`, and BadRequestError past the limit.
        """
        searched, deadline = 0, self.body_deadline
        while (end := self._buffer.find(b"\r\n", searched)) < 0:
            searched = max(0, len(self._buffer) - 1)
            if len(self._buffer) > limit:
                raise BadRequestError(f"a line in a chunked body must be shorter than {limit} bytes")
            if self._buffer and deadline is None:
                deadline = time.monotonic() + HEAD_SECONDS
            self._buffer += self._more(deadline)
        return self._take(end, 2)

    def read_exactly(self, count: int) -> bytes:
        """The next `count` bytes. Raises TruncatedRequestError, DisconnectedError."""
        if len(self._buffer) >= count:
            return self._take(count)
        data, filled = bytearray(count), len(self._buffer)
        data[:filled] = self._buffer
        self._buffer.clear()
        view = memoryview(data)
        while filled < count:
            piece = self._more(self.body_deadline, count - filled)
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
        return bytes(data)

    def read_some(self, count: int) -> bytes:
        """Between 1 and `count` bytes. Raises as `read_exactly`."""
        if self._buffer:
            return self._take(count)
        return self._more(self.body_deadline, count)

    def await_some(self) -> None:
        """Wait for the next byte of a body, which stays to be read. Raises as `read_exactly`."""
        if not self._buffer:
            self._buffer += self._more(self.body_deadline)

    def _more(self, deadline: float | None, count: int = READ_BYTES) -> bytes:
        piece = self._receive(deadline, min(count, READ_BYTES))
        if not piece:
            raise TruncatedRequestError("the connection ended in the middle of a request's body")
        return piece

    def _receive(self, deadline: float | None, count: int = READ_BYTES) -> bytes:
        """Up to `count` bytes, b"" at the end. The socket's own time limit is the cheapest bound on a wait."""
        while not self._shut:
            if deadline is not None:
                self._await_input(deadline)
            try:
                return self._socket.recv(count)
            except BlockingIOError:
                continue
            except OSError as error:
                raise DisconnectedError(f"the client's connection broke: {error}") from error
        raise DisconnectedError("the connection was closed on this side")

    def _await_input(self, deadline: float) -> None:
        readable = select.poll()
        readable.register(self._socket, select.POLLIN)
        if not readable.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise DisconnectedError("the client sent nothing for too long")

    def client_waits(self) -> bool:
        """Whether the client is still there and has sent nothing more: fit to be given an answer."""
        try:
            self._socket.recv(
                1, socket.MSG_PEEK | socket.MSG_DONTWAIT
            )  # returns at the end of the stream, or when more has come
        except BlockingIOError:
            return not self._shut
        except OSError:
            pass
        return False

    def send(self, data: bytes) -> None:
        """Write all of `data`, for 30 s at most. Raises DisconnectedError."""
        if not self._write_lock.acquire(timeout=SEND_SECONDS):
            self._break("an earlier answer is still being written")
        try:
            rest = self._write(memoryview(data))
            if rest:
                self._write_slowly(rest)
        finally:
            self._write_lock.release()

    def offer(self, data: bytes) -> bool:
        """Write `data` at once from any thread; False when the client is gone and got nothing of it.

        What does not fit into the socket's buffer follows from a thread of its own, which ends within 30 s.
        """
        return self.client_waits() and self.give(data)

    def give(self, data: bytes) -> bool:
        """As `offer`, to a client that was just seen to wait."""
        if not self._write_lock.acquire(blocking=False):
            return False
        rest: memoryview | None
        try:
            rest = self._write(memoryview(data))
        except DisconnectedError:
            rest = None
        if not rest:
            self._finish_last(written=rest is not None)
            self._write_lock.release()
            return rest is not None
        threading.Thread(target=self._finish, args=(rest,), name="runtime-api-writer", daemon=True).start()
        return True

    def _finish_last(self, *, written: bool) -> None:
        """The end of the stream tells a client that asked for it where its answer ends."""
        if written and self.is_last:
            with contextlib.suppress(OSError):  # the client may have gone first
                self._socket.shutdown(socket.SHUT_WR)

    def _finish(self, rest: memoryview) -> None:
        try:
            with contextlib.suppress(DisconnectedError):  # the reading thread hears of it too, and ends
                self._write_slowly(rest)
                self._finish_last(written=True)
        finally:
            self._write_lock.release()

    def _write(self, view: memoryview) -> memoryview:
        """Write what fits; what is left."""
        try:
            return view[self._socket.send(view, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            return view
        except OSError as error:
            self._break(f"the client's connection broke: {error}")

    def _write_slowly(self, rest: memoryview) -> None:
        deadline = time.monotonic() + SEND_SECONDS
        writable = select.poll()
        writable.register(self._socket, select.POLLOUT)
        while rest:
            left = (deadline - time.monotonic()) * 1000
            if self._shut or left <= 0 or not writable.poll(left):
                self._break("the client did not read its answer in time")
            rest = self._write(rest)

    def _break(self, why: str) -> NoReturn:
        self.shut()
        raise DisconnectedError(why)

    def shut(self) -> None:
        """End the connection from any thread: whoever reads or writes here hears of it at once."""
        self._shut = True
        with contextlib.suppress(OSError):  # the client may have gone first
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back; for the reading thread, at its end. Waits for a writer, which `shut` has stopped."""
        self.shut()
        with self._write_lock:
            self._socket.close()
