"""Keeps a listener to the network interface whose address it has: who is elsewhere does not get there."""

import array
import fcntl
import socket
from typing import Final

_GET_ADDRESS: Final = 0x8915
_SO_BINDTODEVICE: Final = 25


def keep_to_interface(bound: socket.socket, address: str) -> None:
    """Take in only what comes by the interface that has an IPv4 address, if one has. Raises OSError."""
    interface = _interface(address)
    if interface is not None:
        bound.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, interface.encode())


def _interface(address: str) -> str | None:
    """The name of the interface that has an IPv4 address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            request = array.array("B", name.encode().ljust(40, b"\0"))
            try:
                fcntl.ioctl(probe, _GET_ADDRESS, request)
            except OSError:
                continue
            if socket.inet_ntoa(request.tobytes()[20:24]) == address:
                return name
    return None
