"""The table of what the Runtime API's listener serves. Sibling APIs add their routes to it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from relambda.actors.runtime_api.body import Body
from relambda.actors.runtime_api.connection import Connection
from relambda.actors.runtime_api.http_head import Request
from relambda.actors.runtime_api.open_session import OpenSession
from relambda.actors.runtime_api.reply import RefusalError, Reply, not_found


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request on its way to a handler: who asks, over which connection, and what."""

    session: OpenSession
    generation: int
    connection: Connection
    request: Request
    body: Body
    parameter: str = ""
    """What stood at `{id}` in the path."""


Handler: TypeAlias = Callable[[Exchange], Reply | None]
"""Answers a request on its connection's thread; None when the session answers it later. Raises RefusalError."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path, in which the last segment but one may be `{id}`."""

    method: str
    path: str
    handler: Handler


class Routes:
    """Finds the handler of a request with two look-ups at most."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._handlers = {(route.method, route.path): route.handler for route in routes}
        self._paths = {path for _, path in self._handlers}

    def find(self, method: str, path: str) -> tuple[Handler, str]:
        """The handler, and the value of `{id}`. Raises RefusalError (404, 405)."""
        if handler := self._handlers.get((method, path)):
            return handler, ""
        pattern, parameter = _pattern(path)
        if handler := self._handlers.get((method, pattern)):
            return handler, parameter
        if path in self._paths or pattern in self._paths:
            raise RefusalError(405, "MethodNotAllowed", f"The Runtime API does not serve {method[:20]} on this path")
        raise not_found(path)


def _pattern(path: str) -> tuple[str, str]:
    head, _, last = path.rpartition("/")
    head, _, parameter = head.rpartition("/")
    return f"{head}/{{id}}/{last}", parameter
