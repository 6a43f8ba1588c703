"""A raw keep-alive HTTP client: one socket, one send a request, so that what is measured is the cloud."""

import socket
from types import TracebackType
from typing import Self

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=111111111111/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
)


class Connection:
    """One connection to a cloud. Not for more than one thread."""

    def __init__(self, host: str, port: int) -> None:
        self._host = f"{host}:{port}"
        self._socket = socket.create_connection((host, port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _t: type[BaseException] | None, _v: BaseException | None, _b: TracebackType | None) -> None:
        self._socket.close()

    def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of an answer. Raises OSError when the connection breaks."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: {AUTHORIZATION}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)
        while b"\r\n\r\n" not in self._rest:
            self._receive()
        header, _, self._rest = self._rest.partition(b"\r\n\r\n")
        length = _length(header)
        while len(self._rest) < length:
            self._receive()
        answer, self._rest = self._rest[:length], self._rest[length:]
        return int(header[9:12]), answer

    def _receive(self) -> None:
        data = self._socket.recv(262_144)
        if not data:
            raise ConnectionError("the cloud closed the connection")
        self._rest += data


def _length(header: bytes) -> int:
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
