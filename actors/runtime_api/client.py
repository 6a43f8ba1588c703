"""One connection to the Runtime API, from its first request to its end."""

import logging
from collections.abc import Callable
from typing import Final

from relambda.actors.runtime_api.body import Body
from relambda.actors.runtime_api.connection import Connection
from relambda.actors.runtime_api.http_head import (
    BadRequestError,
    DisconnectedError,
    Request,
    TruncatedRequestError,
)
from relambda.actors.runtime_api.open_session import OpenSession
from relambda.actors.runtime_api.reply import ACCEPTED, ACCEPTED_BYTES, RefusalError, Reply, error_document
from relambda.actors.runtime_api.routes import Exchange, Routes
from relambda.actors.runtime_api.strangers import Strangers

MAX_SESSION_CONNECTIONS: Final = 256
_log = logging.getLogger(__name__)


class RuntimeClient:
    """Reads a connection's requests and sends its answers; runs on the connection's thread.

    `find` knows the session of a host name, and raises RefusalError for a name that has none; `strangers` has the
    connection until it is found.
    """

    def __init__(
        self, connection: Connection, routes: Routes, find: Callable[[str], OpenSession], strangers: Strangers
    ) -> None:
        self._connection, self._routes, self._find, self._strangers = connection, routes, find, strangers
        self._session: OpenSession | None = None
        self._host = ""
        self._generation = 0

    def serve(self) -> None:
        """Serve until either side ends the connection."""
        try:
            while self._serve_one():
                pass
        except DisconnectedError as error:
            _log.debug("a runtime's connection ended: %s", error)
        finally:
            self._strangers.leave(self._connection)
            if self._session is not None:
                self._session.leave(self._connection)

    def _serve_one(self) -> bool:
        """Answer one request; whether another one may follow."""
        try:
            request = self._connection.read_request()
            if request is None:
                return False
            return self._answer(request, Body(self._connection, request))
        except BadRequestError as error:
            self._send_last(Reply(400, error_document("BadRequest", str(error))))
        except TruncatedRequestError as error:
            self._send_last(Reply(400, error_document("TruncatedHTTPRequest", str(error))))
        return False

    def _answer(self, request: Request, body: Body) -> bool:
        try:
            reply = self._handle(request, body)
        except RefusalError as refusal:
            reply = refusal.reply
        if reply is None:
            return True
        keep_alive = body.drain() and request.keep_alive and self._session is not None
        fixed = reply is ACCEPTED and keep_alive
        self._connection.send(ACCEPTED_BYTES if fixed else reply.render(keep_alive=keep_alive))
        return keep_alive

    def _send_last(self, reply: Reply) -> None:
        self._connection.send(reply.render(keep_alive=False))

    def _handle(self, request: Request, body: Body) -> Reply | None:
        session = self._speaker(request.headers.get("host", ""))
        self._connection.is_last = not request.keep_alive
        handler, parameter = self._routes.find(request.method, request.path)
        return handler(Exchange(session, self._generation, self._connection, request, body, parameter))

    def _speaker(self, host: str) -> OpenSession:
        """The session that the host name stands for; a connection speaks for one session only."""
        if self._session is None:
            session = self._find(host)
            self._generation = session.join(self._connection, MAX_SESSION_CONNECTIONS)
            self._session, self._host = session, host
            self._strangers.leave(self._connection)
        elif host != self._host:
            raise RefusalError(403, "Forbidden", "This connection has asked for another host name before")
        elif self._session.parks(self._connection):
            raise DisconnectedError("the runtime sent a request while it waited for its next invocation")
        return self._session
