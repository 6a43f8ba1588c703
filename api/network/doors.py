"""The sockets behind AWS's own host names: DNS and HTTPS where functions' containers reach this machine.

Their ports belong to the system's administrator, so the first process opens them. Without them functions still find
the cloud by AWS_ENDPOINT_URL.
"""

import errno
import logging
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from relambda.api.network.listening import CannotListenError, PortInUseError, bind
from relambda.api.network.network_interface import keep_to_interface
from relambda.api.settings.option import Listen
from relambda.api.settings.settings import Settings

_log = logging.getLogger(__name__)

HTTPS_PORT: Final = 443
DNS_PORT: Final = 53


@dataclass(frozen=True, slots=True)
class Doors:
    """Bound sockets: HTTPS, and DNS by datagram and by connection. `host` is what containers call this machine."""

    host: str
    https: socket.socket
    https_name: object
    """The socket's name, which whoever takes the socket itself over can still be asked for."""
    udp: socket.socket
    tcp: socket.socket

    @property
    def name_server(self) -> str:
        """The address that containers may ask for names; "" where they do not get there."""
        address, port = self.udp.getsockname()[:2]
        if port != DNS_PORT or ip_address(address).is_loopback:
            return ""
        return self.host if ip_address(address).is_unspecified else str(address)

    def close(self) -> None:
        """Close all of them."""
        for door in (self.https, self.udp, self.tcp):
            door.close()


def open_doors(settings: Settings, host: str) -> Doors | None:
    """All of them, or none: then a warning says why. None without a word when DNS_ADDRESS is 0."""
    if settings.dns_address == "0" or not host:
        return None
    try:
        doors = _open(settings, host)
    except (PortInUseError, CannotListenError, OSError) as error:
        _log.warning(
            "functions that call AWS by its own host names call AWS itself, and not this cloud: %s. Functions that use "
            "AWS_ENDPOINT_URL, as SDKs do, reach it all the same; DNS_ADDRESS=0 ends this warning",
            error,
        )
        return None
    if not doors.name_server:
        _log.warning(
            "functions are not told of the DNS server at %s:%d: containers ask port 53 of an address that is not "
            "loopback; unset DNS_ADDRESS and DNS_PORT",
            *doors.udp.getsockname()[:2],
        )
    return doors


def _open(settings: Settings, host: str) -> Doors:
    """Raises PortInUseError, CannotListenError, OSError."""
    if not _is_address(host):
        raise CannotListenError(f"the engine runs in another machine, which calls this one {host}")
    address, port = settings.dns_address or host, settings.dns_port
    with ExitStack() as failed:

        def opened(make: Callable[[], socket.socket], where: str) -> socket.socket:
            made = failed.enter_context(make())
            keep_to_interface(made, where)
            return made

        https = opened(lambda: _listening(Listen(host, HTTPS_PORT)), host)
        udp = opened(lambda: _datagrams(Listen(address, port)), settings.dns_address or host)
        tcp = opened(lambda: _listening(Listen(address, port)), settings.dns_address or host)
        failed.pop_all()
    return Doors(host, https, https.getsockname(), udp, tcp)


def _listening(listen: Listen) -> socket.socket:
    try:
        (bound,) = bind([listen])
    except PortInUseError:
        raise _in_use(listen) from None
    except CannotListenError as error:
        raise _for_root(listen, error.__cause__) or error from None
    return bound


def _datagrams(listen: Listen) -> socket.socket:
    family = socket.AF_INET6 if ip_address(listen.host).version == 6 else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        bound.bind((listen.host, listen.port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise _in_use(listen) from None
        raise _for_root(listen, error) or CannotListenError(f"cannot listen on {listen}: {error.strerror}") from None
    return bound


def _in_use(listen: Listen) -> PortInUseError:
    return PortInUseError(
        f"{listen} is in use, by another cloud perhaps: LAMBDA_DOCKER_NETWORK gives this one a network of its own"
    )


def _for_root(listen: Listen, error: BaseException | None) -> CannotListenError | None:
    if not isinstance(error, PermissionError):
        return None
    return CannotListenError(
        f"{listen} is for root, or for a process that has the capability CAP_NET_BIND_SERVICE "
        "(`sysctl net.ipv4.ip_unprivileged_port_start=53` lets everybody)"
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
