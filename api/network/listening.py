"""Binds the addresses a cloud listens on, before anything else is started."""

import errno
import socket
from collections.abc import Sequence

from relambda.api.settings.option import Listen

BACKLOG = 2048


class PortInUseError(Exception):
    """Raised when another process listens there already; the message says where, and what to do."""


class CannotListenError(Exception):
    """Raised when an address cannot be listened on for any other reason."""


def bind(listens: Sequence[Listen]) -> list[socket.socket]:
    """Listen on all addresses, or on none. Raises PortInUseError or CannotListenError."""
    bound: list[socket.socket] = []
    try:
        for listen in listens:
            bound.append(_bind(listen))  # noqa: PERF401 a failure closes those that are bound
    except BaseException:
        for one in bound:
            one.close()
        raise
    return bound


def address_of(bound: socket.socket) -> Listen:
    """Where a bound socket listens, with its real port."""
    host, port = bound.getsockname()[:2]
    return Listen(host, port)


def _bind(listen: Listen) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(listen.host, listen.port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListenError(f"cannot listen on {listen}: {error.strerror or error}") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise _refusal(listen, error) from error
    return bound


def _refusal(listen: Listen, error: OSError) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(
            f"{listen} is in use by another process: stop it (`ss -ltnp 'sport = :{listen.port}'` names it), "
            "or choose another port with --port (0 takes a free one)"
        )
    mends = {
        errno.EACCES: "ports below 1024 are for root: choose another with --port",
        errno.EADDRNOTAVAIL: "it is no address of this machine: choose another with --host",
    }
    return CannotListenError(f"cannot listen on {listen}: {mends.get(error.errno or 0, error.strerror)}")
