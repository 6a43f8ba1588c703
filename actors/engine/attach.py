"""A container's standard streams over one connection of their own (Docker Engine API, "Attach to a container")."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress

from relambda.actors.engine.client import FoundEngine
from relambda.actors.engine.contract import EngineError

_OPEN_SECONDS = 10
_SEND_SECONDS = 5
_CHUNK = 65536
_HEAD_LIMIT = 16384


class AttachedStream:
    """Attached to a container from before its start, so that nothing is lost.

    `send` and `close` may be called from any thread, `chunks` is for one. When the connection ends, for whatever
    reason, the engine closes the container's standard input.
    """

    def __init__(self, engine: FoundEngine, container: str) -> None:
        """Attach to a created container. Raises EngineError."""
        self._sending = threading.Lock()
        try:
            self._socket = engine.endpoint.socket(_OPEN_SECONDS)
        except OSError as error:
            raise EngineError(f"cannot connect to the engine at {engine.endpoint.url}: {error}") from error
        try:
            self._rest = self._upgrade(engine.api_version, container)
        except (OSError, EngineError) as error:
            self._socket.close()
            raise EngineError(f"cannot attach to the container {container[:12]}: {error}") from error

    def send(self, data: bytes) -> None:
        """Write to the container's standard input. Raises OSError when the container is gone or does not read.

        The connection ends then: the next words would be glued to the half of these that was sent.
        """
        with self._sending:
            try:
                self._socket.sendall(data)
            except OSError:
                self.close()
                raise

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        """What the container writes until the stream ends: on which output, 1 or 2, and the bytes; each in order."""
        buffer = bytearray(self._rest)
        while True:
            # A chunk of the engine's: which stream (1 byte), 3 unused ones, the length (4 bytes), then the data.
            while len(buffer) >= 8 and len(buffer) >= (end := 8 + int.from_bytes(buffer[4:8])):
                yield buffer[0], bytes(buffer[8:end])
                del buffer[:end]
            try:
                data = self._socket.recv(_CHUNK)
            except OSError:
                return
            if not data:
                return
            buffer += data

    def close(self) -> None:
        """End the connection; a reader in `chunks` comes to its end. Safe to call twice."""
        with suppress(OSError):  # it is down already: by the engine, or by an earlier close
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _upgrade(self, api_version: str, container: str) -> bytes:
        """Turn the connection from HTTP into the raw stream; gives bytes that came behind the answer's head."""
        path = f"/v{api_version}/containers/{container}/attach?stream=1&stdin=1&stdout=1&stderr=1"
        request = f"POST {path} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        self._socket.sendall((request + "Content-Length: 0\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            data = self._socket.recv(_HEAD_LIMIT)
            head += data
            if not data or len(head) > _HEAD_LIMIT:
                raise EngineError("the engine's answer is no HTTP")
        head, _, rest = head.partition(b"\r\n\r\n")
        if head.split(b" ", 2)[1:2] not in ([b"101"], [b"200"]):
            raise EngineError(f"the engine refused: {(head.splitlines()[0] + b' ' + rest).decode(errors='replace')}")
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SEND_SECONDS, 0))
        return rest
