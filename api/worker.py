"""The process that serves a cloud: gunicorn's threads, with TLS on one of the listeners."""

import copy
import ssl
from collections.abc import Callable
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker


class CloudWorker(ThreadWorker):
    """Serves plain HTTP on all listeners but the one that `serve_tls` names."""

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
        super().handle_exit(sig, frame)

    def enqueue_req(self, conn: TConn) -> None:
        """Hand a connection to a thread; a new one learns here what it speaks."""
        if self._tls_server is not None and conn.server == self._tls_server:
            conn.cfg = self._tls_config
        super().enqueue_req(conn)
