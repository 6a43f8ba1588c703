"""The Runtime API's listener: one for all execution environments, told apart by the host name they ask for."""

import contextlib
import logging
import socket
import threading
import time
from typing import Final

from relambda.actors.runtime_api.client import RuntimeClient
from relambda.actors.runtime_api.connection import Connection
from relambda.actors.runtime_api.environment_routes import ENVIRONMENT_ROUTES
from relambda.actors.runtime_api.extension_routes import EXTENSION_ROUTES
from relambda.actors.runtime_api.invocation_routes import LONGEST_RESPONSE, invocation_routes
from relambda.actors.runtime_api.large_heads import LargeHeads
from relambda.actors.runtime_api.open_environment import OpenEnvironment
from relambda.actors.runtime_api.open_session import OpenSession
from relambda.actors.runtime_api.reply import RefusalError
from relambda.actors.runtime_api.routes import Routes
from relambda.actors.runtime_api.session import (
    EnvironmentListener,
    EnvironmentSession,
    ExecutionEnvironment,
    Subscriptions,
)
from relambda.actors.runtime_api.strangers import Strangers
from relambda.actors.runtime_api.telemetry_routes import TELEMETRY_ROUTES

MAX_CONNECTIONS: Final = 8192
_BACKLOG: Final = 4096
_ACCEPT_SECONDS: Final = 1.0
_TELL_SECONDS: Final = 60.0
_log = logging.getLogger(__name__)


class RuntimeApi:
    """Serves runtimes over HTTP/1.1, each connection on a thread of its own. Any thread may call."""

    def __init__(self, host: str, port: int = 0, longest_response: int = LONGEST_RESPONSE) -> None:
        self._host, self._port = host, port
        invocations = invocation_routes(longest_response)
        self._routes = Routes((*invocations, *EXTENSION_ROUTES, *TELEMETRY_ROUTES, *ENVIRONMENT_ROUTES))
        self._lock = threading.Lock()
        self._sessions: dict[str, OpenSession] = {}
        self._served: dict[threading.Thread, Connection] = {}
        self._strangers, self._large_heads = Strangers(), LargeHeads()
        self._tell_full_from = 0.0
        self._listening: socket.socket | None = None
        self._acceptor = threading.Thread(target=self._accept, name="runtime-api", daemon=True)
        self._stopping = threading.Event()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens: local address and port. Raises RuntimeError before `start`."""
        if self._listening is None:
            raise RuntimeError("the Runtime API has no address yet: start it first")
        return self._host, self._port

    def start(self) -> None:
        """Bind and serve. Raises OSError when the address cannot be had."""
        try:
            listening = socket.create_server((self._host, self._port), backlog=_BACKLOG)
        except OSError as error:
            what = f"the Runtime API cannot listen on {self._host} port {self._port}: {error.strerror}; choose another"
            raise OSError(error.errno, what) from error
        listening.settimeout(_ACCEPT_SECONDS)
        self._listening, self._port = listening, listening.getsockname()[1]
        self._acceptor.start()

    def open(
        self,
        token: str,
        listener: EnvironmentListener,
        environment: ExecutionEnvironment,
        telemetry: Subscriptions | None = None,
    ) -> EnvironmentSession:
        """Begin a session for whoever asks under the host name `token`.

        Without `telemetry` subscriptions are answered, and unheard. Raises ValueError for a token in use or no name.
        """
        session = OpenEnvironment(_host_name(token), listener, environment, telemetry, self._forget)
        with self._lock:
            if session.token in self._sessions:
                raise ValueError(f"a session named {token} is open already: close it first")
            self._sessions[session.token] = session
        return session

    def rename(self, token: str, other: str) -> None:
        """Have a session found by another host name from now on. Raises KeyError when it has been closed."""
        with self._lock:
            session = self._sessions.pop(_host_name(token))
            session.token = _host_name(other)
            self._sessions[session.token] = session

    def stop(self, timeout: float) -> None:
        """Close all sessions and end all threads. Raises TimeoutError when some outlive `timeout` seconds."""
        deadline = time.monotonic() + timeout
        self._stopping.set()
        if self._listening is None:
            return
        with contextlib.suppress(OSError):  # some systems refuse it on a listening socket; accept has a bound then
            self._listening.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(max(0.0, deadline - time.monotonic()))
        self._listening.close()
        with self._lock:
            sessions, threads = list(self._sessions.values()), dict(self._served)
        for session in sessions:
            session.close()
        for connection in threads.values():
            connection.shut()
        _join([self._acceptor, *threads], deadline)

    def _forget(self, session: OpenSession) -> None:
        with self._lock:
            if self._sessions.get(session.token) is session:
                del self._sessions[session.token]

    def _accept(self) -> None:
        assert self._listening is not None
        while not self._stopping.is_set():
            try:
                sock, (peer, *_) = self._listening.accept()
            except TimeoutError:
                continue
            except OSError as error:
                if not self._stopping.wait(0.1):
                    _log.warning("the Runtime API could not accept a connection: %s", error)
                continue
            self._take_in(sock, peer)

    def _take_in(self, sock: socket.socket, peer: str) -> None:
        if len(self._served) >= MAX_CONNECTIONS:
            self._tell_full(peer)
            sock.close()
            return
        connection = Connection(sock, peer, self._large_heads)
        thread = threading.Thread(target=self._serve, args=(connection,), name="runtime-api-connection", daemon=True)
        with self._lock:
            self._served[thread] = connection
        self._strangers.arrive(connection)
        thread.start()

    def _tell_full(self, peer: str) -> None:
        """Once a minute at most; on the acceptor's thread."""
        if time.monotonic() >= self._tell_full_from:
            self._tell_full_from = time.monotonic() + _TELL_SECONDS
            _log.warning("the Runtime API refuses connections, as one of %s: %d are open", peer, MAX_CONNECTIONS)

    def _serve(self, connection: Connection) -> None:
        client = RuntimeClient(connection, self._routes, self._find, self._strangers)
        try:
            client.serve()
        finally:
            connection.close()
            with self._lock:
                self._served.pop(threading.current_thread(), None)

    def _find(self, host: str) -> OpenSession:
        session = self._sessions.get(host.partition(":")[0].lower())
        if session is None:
            raise RefusalError(403, "Forbidden", "No execution environment has this host name")
        return session


def _host_name(token: str) -> str:
    name = token.lower()
    if not name or not name.isascii() or not name.isprintable() or set(name) & set(" :/"):
        raise ValueError(f"a session's token must be a host name, not {token!r}")
    return name


def _join(threads: list[threading.Thread], deadline: float) -> None:
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = [thread.name for thread in threads if thread.is_alive()]
    if late:
        raise TimeoutError(f"the Runtime API left {len(late)} of its threads running: {', '.join(late[:5])}")
