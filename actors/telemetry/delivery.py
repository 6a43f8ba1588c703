"""The way of a batch of events to its subscriber in the sandbox."""

import contextlib
import http.client
import socket
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from relambda.actors.telemetry.subscription import Destination

Resolver: TypeAlias = Callable[[int], tuple[str, int]]
"""Tells the address and port at which a port of the sandbox can be reached from here. Raises OSError when it cannot.

Subscribers say `sandbox.localdomain`, which only the sandbox knows: in Docker this is the container's own address.
"""
DELIVERY_SECONDS: Final = 5.0
"""How long connecting, writing or reading may stall."""
_ANSWER_BYTES: Final = 65_536


class Delivery:
    """Delivers to one destination. One thread delivers; any thread may `close`, which ends what is under way."""

    def __init__(self, destination: Destination, resolve: Resolver) -> None:
        self._destination, self._resolve = destination, resolve
        self._socket: socket.socket | None = None
        self._closed = False

    def deliver(self, batch: Sequence[bytes]) -> None:
        """Hand over a batch. Raises OSError: there is nobody, or the answer is not a good one."""
        try:
            if self._destination.protocol == "TCP":
                self._connected().sendall(b"".join(event + b"\n" for event in batch))
            else:
                self._post(b"[" + b",".join(batch) + b"]")
        except http.client.HTTPException as error:
            self._drop()
            raise OSError(f"the subscriber's answer is no HTTP: {error!r}") from error
        except OSError:
            self._drop()
            raise

    def close(self) -> None:
        """Deliver no more."""
        self._closed = True
        if (connection := self._socket) is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def dispose(self) -> None:
        """Give the socket back; for the delivering thread, at its end."""
        self._drop()

    def _post(self, body: bytes) -> None:
        destination = self._destination
        connection = http.client.HTTPConnection("sandbox.localdomain", destination.port)
        connection.sock = self._connected().dup()  # so that `close` reaches it, whatever http.client does with its own
        headers = {"Content-Type": "application/json", "Connection": "close"}
        with contextlib.closing(connection):
            connection.request(destination.method, destination.path, body, headers)
            with connection.getresponse() as answer:
                answer.read(_ANSWER_BYTES)
                if not 200 <= answer.status < 300:
                    raise OSError(f"the subscriber answered with status {answer.status}")
        self._drop()

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self._resolve(self._destination.port), DELIVERY_SECONDS)
        if self._closed:
            raise OSError("the delivery was closed")
        return self._socket

    def _drop(self) -> None:
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()
