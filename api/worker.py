"""The process that serves a cloud: gunicorn's threads, with TLS on one of the listeners."""

import copy
import errno
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker

SILENT_SECONDS: Final = 10.0
"""So long a new connection may say nothing."""
LAST_SECONDS: Final = 1.0
"""So long when the cloud stops."""
MOST_SILENT: Final = 512
"""So many may at a time; for one more the longest silent is closed, so that nobody who has something to say waits."""
_NOBODY_CAME: Final = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED})


class CloudWorker(ThreadWorker):
    """Serves plain HTTP on all listeners but the one that `serve_tls` names.

    Gunicorn would have a thread wait for what a new connection says, and would take no more of them while thousands
    are silent: any function could so keep everybody out.
    """

    _tls_server: Any = None
    _tls_config: Any = None
    on_drain: Callable[[], None] = staticmethod(lambda: None)

    def serve_tls(self, server: object, context: ssl.SSLContext) -> None:
        """Speak TLS with whoever comes by the listener that has that socket name; before the first request."""
        config = copy.copy(self.cfg)
        config.settings = {name: copy.copy(setting) for name, setting in self.cfg.settings.items()}
        config.set("certfile", "chosen by the context")
        config.set("ssl_context", lambda _config, _default: context)
        self._tls_server, self._tls_config = server, config

    def handle_exit(self, sig: int, frame: Any) -> None:
        """A stop: requests that run are waited for, and whoever said so in `on_drain` hears of it first."""
        self.on_drain()
        self.method_queue.defer(self._hurry)
        super().handle_exit(sig, frame)

    def accept(self, listener: socket.socket) -> None:
        """Take a connection; a thread gets it when it has said something. On the worker's main thread."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in _NOBODY_CAME:
                raise
            return
        if len(self.pending_conns) >= MOST_SILENT:
            self._turn_away()
        self.nr_conns += 1
        conn = TConn(self.cfg, client, address, listener.getsockname())
        conn.timeout = time.monotonic() + SILENT_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(client, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _hurry(self) -> None:
        """Who has said nothing yet holds no stop up."""
        until = time.monotonic() + LAST_SECONDS
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout or until, until)

    def _turn_away(self) -> None:
        conn = self.pending_conns.popleft()
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def enqueue_req(self, conn: TConn) -> None:
        """Hand a connection to a thread; a new one learns here what it speaks."""
        if self._tls_server is not None and conn.server == self._tls_server:
            conn.cfg = self._tls_config
        super().enqueue_req(conn)
