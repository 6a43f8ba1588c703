"""How many calls may be on their way to another endpoint."""

import threading
from collections.abc import Iterator
from http.client import IncompleteRead
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import falcon
import pytest
from falcon.testing import create_environ

from relambda.api.network import upstream
from relambda.api.network.upstream import Upstream


class Endless(BaseHTTPRequestHandler):
    """Announces more than it sends before it is told to go on."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"begin")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


def request() -> falcon.Request:
    return falcon.Request({**create_environ(path="/q"), "RAW_URI": "/q"})


def test_calls_are_bounded_and_let_go(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given as many answers under way as there may be, then the next call is told.

    An answer that breaks off is no whole one, and makes room; so does a call that never arrives.
    """
    monkeypatch.setattr(upstream, "MOST_AT_ONCE", 1)
    others = Upstream(url, "c")
    body = body_of(others)

    refused = others.answer(request(), falcon.Response(), "sqs", "r")
    assert refused is not None
    assert refused.status == 503
    assert b"1 calls are under way already" in refused.body

    parts = iter(body)
    assert next(parts) == b"begin"
    with pytest.raises(IncompleteRead):
        next(parts)
    body.close()
    body.close()
    body_of(others).close()
    lost = Upstream("http://127.0.0.1:1", "c")
    assert [status_of(lost), status_of(lost)] == [502, 502]


def body_of(others: Upstream) -> Any:
    """What is to be read of an answer that has begun."""
    answer = falcon.Response()
    assert others.answer(request(), answer, "sqs", "r") is None
    return answer.stream


def status_of(others: Upstream) -> int:
    """The status of a call that fails."""
    refused = others.answer(request(), falcon.Response(), "sqs", "r")
    assert refused is not None
    return refused.status
