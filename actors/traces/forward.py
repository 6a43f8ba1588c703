"""Segments passed on to a real X-Ray daemon."""

import logging
import socket
from collections.abc import Sequence
from typing import Final

from relambda.store.traces import Segment

_log = logging.getLogger(__name__)
_HEADER: Final = b'{"format": "json", "version": 1}\n'
_MAX_DATAGRAM: Final = 65_000


class DaemonForward:
    """Sends each document to the UDP port of a daemon (X-Ray Developer Guide, "The X-Ray daemon")."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(self, segments: Sequence[Segment]) -> None:
        """Raises OSError when the host cannot be sent to; whether anybody listens UDP does not tell."""
        for segment in segments:
            datagram = _HEADER + segment.document
            if len(datagram) > _MAX_DATAGRAM:
                _log.info("the segment %s of %s is too large for a datagram", segment.id, segment.trace)
                continue
            self._socket.sendto(datagram, self._address)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
