"""Services that this cloud does not have: their requests go on, as they came, to RELAMBDA_UPSTREAM_URL.

Bodies stream both ways, so that none is held in memory; the Host header stays, since signatures cover it and answers
are built from it.
"""

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Final
from urllib.parse import urlsplit

import falcon

from relambda.api.network.unserved import failure, unserved
from relambda.api.wire.response import Response

MOST_AT_ONCE: Final = 256
CONNECT_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 300.0
"""How long the other side may say nothing: services hold calls that wait (SQS, Step Functions) for a minute."""
BLOCK: Final = 64 * 1024

HOP_BY_HOP: Final = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade"}
)  # fmt: skip
"""Headers that are about one connection (RFC 9110, section 7.6.1), beside those that Connection names."""
_OWN: Final = frozenset({"date", "server"})
"""Headers of an answer that this cloud's own server writes."""


class Upstream:
    """Sends requests on, or answers 501 when no URL is set. Used on the threads of requests."""

    def __init__(self, url: str, cloud_id: str) -> None:
        self._url, self._where = url, urlsplit(url)
        self._via = f"relambda-{cloud_id}"
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)

    def answer(self, req: falcon.Request, resp: falcon.Response, service: str, request_id: str) -> Response | None:
        """Answer into `resp`, or give the failure that is the answer."""
        content_type = req.content_type or ""
        if not self._url:
            return unserved(service, content_type, request_id)
        problem = self._forward(req, resp)
        if problem is None:
            return None
        status, why = problem
        message = f"{service} is asked for at RELAMBDA_UPSTREAM_URL={self._url}, {why}"
        return failure(
            service, content_type, request_id, status=status, code="ServiceUnavailableException", message=message
        )

    def _forward(self, req: falcon.Request, resp: falcon.Response) -> tuple[int, str] | None:
        """Status and reason of what went wrong, if anything did before the answer began."""
        if self._via in (req.get_header("Via") or ""):
            return 508, "which leads back to this cloud: name another endpoint"
        if not self._places.acquire(blocking=False):
            return 503, f"where {MOST_AT_ONCE} calls are under way already: try again"
        call = _Call(self._connection(), self._places)
        try:
            call.send(req, self._where.path.rstrip("/"), self._via)
            call.receive(req, resp)
        except (OSError, HTTPException) as error:
            call.close()
            return 502, f"which does not answer: {error!r}"
        except BaseException:
            call.close()
            raise
        return None

    def _connection(self) -> HTTPConnection:
        kind = HTTPSConnection if self._where.scheme == "https" else HTTPConnection
        return kind(self._where.hostname or "", self._where.port, timeout=CONNECT_SECONDS)


class _Call:
    """One request on its way; iterated, the body of its answer. It keeps its place until it is closed."""

    def __init__(self, connection: HTTPConnection, places: threading.BoundedSemaphore) -> None:
        self._connection, self._places = connection, places
        self._answer: HTTPResponse | None = None
        self._closed = False

    def send(self, req: falcon.Request, prefix: str, via: str) -> None:
        """Send all of the request. Raises OSError, HTTPException."""
        connection = self._connection
        connection.connect()
        connection.sock.settimeout(SILENCE_SECONDS)
        connection.putrequest(req.method, prefix + req.env["RAW_URI"], skip_host=True, skip_accept_encoding=True)
        headers = _without_hops({name.lower(): value for name, value in req.headers.items()})
        via_others = headers.pop("via", "")
        headers.pop("expect", None)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("via", f"{via_others}, 1.1 {via}".lstrip(", "))
        connection.putheader("x-forwarded-proto", req.scheme)
        chunked = req.content_length is None and req.get_header("Transfer-Encoding") is not None
        if chunked:
            connection.putheader("transfer-encoding", "chunked")
        # Who refuses need not read all of a body: its answer is there even when sending breaks off.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(_blocks(req, chunked=chunked), encode_chunked=chunked)

    def receive(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Wait for the head of the answer; its body follows when `resp` is iterated. Raises OSError, HTTPException."""
        self._answer = answer = self._connection.getresponse()
        resp.status = answer.status
        fields = [(name.lower(), value) for name, value in answer.getheaders()]
        kept = _without_hops(dict(fields))
        for name, value in fields:
            if name in kept and name not in _OWN:
                resp.append_header(name, value)
        if req.method == "HEAD" or answer.status in {204, 304}:
            self.close()
        else:
            resp.stream = self

    def __iter__(self) -> Iterator[bytes]:
        assert self._answer is not None
        while block := self._answer.read1(BLOCK):
            yield block
        if self._answer.length:
            raise IncompleteRead(b"", self._answer.length)

    def close(self) -> None:
        """Let go of the connection; safe to call twice."""
        if not self._closed:
            self._closed = True
            self._connection.close()
            self._places.release()


def _without_hops(headers: dict[str, str]) -> dict[str, str]:
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return {name: value for name, value in headers.items() if name not in HOP_BY_HOP | named}


def _blocks(req: falcon.Request, *, chunked: bool) -> Iterator[bytes] | None:
    if not req.content_length and not chunked:
        return None
    source = req.stream if chunked else req.bounded_stream
    return iter(lambda: source.read(BLOCK), b"")
