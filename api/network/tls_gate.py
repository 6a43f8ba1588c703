"""TLS for AWS's host names: each caller gets the certificate of the host it asks for."""

import errno
import os
import socket
import ssl
import tempfile
from functools import lru_cache
from typing import Any, Final, Self

from relambda.api.network.authority import Authority
from relambda.api.network.aws_hosts import is_aws_host

HANDSHAKE_SECONDS: Final = 10.0
MOST_HOSTS: Final = 256
"""How many hosts' certificates are kept; those that were asked for longest ago go first."""
_LONGEST_NAME: Final = 253


class TlsGate(ssl.SSLContext):
    """A context that has no certificate of its own: the host that a client names (SNI) decides. Any thread."""

    def __new__(cls, _authority: Authority) -> Self:
        """Made as the base class wants it."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, authority: Authority) -> None:
        self._context = lru_cache(MOST_HOSTS)(lambda host: _context(authority.issue(host)))
        self.sni_callback = self._choose

    def wrap_socket(self, sock: socket.socket, *_: Any, **options: Any) -> ssl.SSLSocket:
        """Shake hands within HANDSHAKE_SECONDS.

        Raises OSError (ENOTCONN) when that fails for whatever reason: nobody is there to be answered.
        """
        sock.settimeout(HANDSHAKE_SECONDS)
        try:
            wrapped = super().wrap_socket(sock, **{**options, "server_side": True})
        except OSError as error:
            raise OSError(errno.ENOTCONN, f"no TLS handshake: {error}") from error
        wrapped.settimeout(None)
        return wrapped

    def _choose(self, sock: ssl.SSLSocket | ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
        host = (name or "").lower().rstrip(".")
        if len(host) > _LONGEST_NAME or not is_aws_host(host):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        sock.context = self._context(host)
        return None


def _context(pem: bytes) -> ssl.SSLContext:
    """The standard library reads certificates from files alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    with tempfile.NamedTemporaryFile(prefix="relambda-") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context
