"""What the Runtime API answers to a runtime that does something out of turn, as the official emulator does."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from relambda.actors.runtime_api.session import RuntimeFailure

OK = (202, b'{"status":"OK"}')
Reader = Callable[[Any], tuple[int, dict[str, str], bytes]]


def refusal(answer: tuple[int, bytes]) -> tuple[int, str, str]:
    document = json.loads(answer[1])
    assert set(document) == {"errorMessage", "errorType"}
    return answer[0], document["errorType"], document["errorMessage"]


def transition(was: str, wanted: str) -> tuple[int, str, str]:
    reason = "Error: State transition is not allowed"
    return 403, "InvalidStateTransition", f"State transition from {was} to {wanted} failed for runtime. {reason}"


def chunks(*pieces: bytes, trailers: bytes = b"") -> bytes:
    body = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return body + b"0\r\n" + trailers + b"\r\n"


def streaming(sandbox: Any, body: bytes) -> bytes:
    head = (
        f"POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nHost: {sandbox.host}:{sandbox.port}\r\n"
        "Lambda-Runtime-Function-Response-Mode: streaming\r\nTrailer: Lambda-Runtime-Function-Error-Type\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    return head.encode() + body


def test_ping_is_answered(sandbox: Any) -> None:
    """Given a session, when it is pinged, then it says pong."""
    assert sandbox.ask("GET", "/ping") == (200, b"pong")


def test_a_second_answer_is_a_wrong_transition(running: Any) -> None:
    """Given an answered invocation, when it is answered again, then that is refused, by response and by error."""
    assert running.ask("POST", "/runtime/invocation/1/response", b"1") == OK
    again = refusal(running.ask("POST", "/runtime/invocation/1/response", b"2"))
    failed = refusal(running.ask("POST", "/runtime/invocation/1/error", b"{}"))
    assert again == transition("RuntimeResponseSentState", "InvocationResponse")
    assert failed == transition("RuntimeResponseSentState", "InvocationErrorResponse")
    assert running.heard.hear() == ("response", "1", b"1")
    assert running.heard.silent


@pytest.mark.parametrize("path", ["response", "error"])
def test_an_answer_to_another_request_is_a_wrong_id(running: Any, path: str) -> None:
    """Given a running invocation, when another one is answered, then the id is refused."""
    answer = running.ask("POST", f"/runtime/invocation/other/{path}", b"{}")
    assert refusal(answer) == (400, "InvalidRequestID", "Invalid request ID")
    assert running.heard.silent


def test_an_unknown_response_mode_is_refused(running: Any) -> None:
    """Given a running invocation, when it is answered in an unknown mode, then it may still be answered well."""
    answer = running.ask(
        "POST", "/runtime/invocation/1/response", b"1", {"Lambda-Runtime-Function-Response-Mode": "Streaming"}
    )
    assert refusal(answer) == (400, "InvalidFunctionResponseMode", "Invalid function response mode")
    assert running.ask("POST", "/runtime/invocation/1/response", b"1") == OK


def test_too_large_a_response_is_refused_and_ends_the_invocation(running: Any) -> None:
    """Given a response past the limit, when it is posted whole or in chunks, then 413 is read, not a broken pipe."""
    answer = running.ask("POST", "/runtime/invocation/1/response", b"x" * 6_291_557)
    expected = (413, "RequestEntityTooLarge", "Exceeded maximum allowed payload size (6291556 bytes).")
    assert refusal(answer) == expected
    kind, _, failure = running.heard.hear()
    assert (kind, failure.error_type) == ("error", "Function.ResponseSizeTooLarge")
    running.session.assign(running.event("2"))
    assert running.ask("GET", "/runtime/invocation/next")[0] == 200
    pieces = (b"x" * 1_000_000 for _ in range(7))
    assert refusal(running.ask("POST", "/runtime/invocation/2/response", pieces)) == expected


def test_the_largest_response_is_taken(running: Any) -> None:
    """Given a response right at the limit, when it is posted, then it is accepted."""
    assert running.ask("POST", "/runtime/invocation/1/response", b"x" * 6_291_556) == OK
    assert len(running.heard.hear()[2]) == 6_291_556


def test_next_while_running_gives_the_same_invocation_again(running: Any) -> None:
    """Given a running invocation, when the runtime asks again, then it gets it again, and nothing more is heard."""
    assert running.ask("GET", "/runtime/invocation/next") == (200, b"{}")
    assert running.heard.silent


def test_an_init_error_is_taken_once_and_only_at_init(sandbox: Any, sandboxes: Callable[[], Any]) -> None:
    """Given an init error, when the runtime goes on, then every step is refused; nor may it come after init."""
    headers = {"Lambda-Runtime-Function-Error-Type": "Runtime.Foo"}
    assert sandbox.ask("POST", "/runtime/init/error", b'{"a":1}', headers) == OK
    assert sandbox.heard.hear() == ("init error", RuntimeFailure(b'{"a":1}', "Runtime.Foo"))
    assert refusal(sandbox.ask("POST", "/runtime/init/error", b"{}")) == transition("InitError", "InitError")
    assert refusal(sandbox.ask("GET", "/runtime/invocation/next")) == transition("InitError", "Ready")
    other = sandboxes()
    other.parked()
    assert other.heard.hear() == ("next",)
    assert refusal(other.ask("POST", "/runtime/init/error", b"{}")) == transition("Ready", "InitError")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/runtime/nosuch", 404),
        ("GET", "/runtime/restore/next", 404),
        ("POST", "/runtime/restore/error", 404),
        ("GET", "/", 404),
        ("POST", "/runtime/invocation/next", 405),
        ("GET", "/runtime/invocation/1/response", 405),
    ],
)
def test_what_is_not_served_is_refused_in_json(sandbox: Any, method: str, path: str, status: int) -> None:
    """Given a session, when a path or a method is asked for that is not there, then the refusal says so."""
    assert refusal(sandbox.ask(method, path))[0] == status


def test_an_unknown_host_is_refused_and_told_nothing(sandbox: Any) -> None:
    """Given an open session, when another host name is used, or another one on its connection, then it is refused."""
    status, error_type, message = refusal(sandbox.ask("GET", "/ping", headers={"Host": "other:9001"}))
    assert (status, error_type) == (403, "Forbidden")
    assert sandbox.host not in message
    client = sandbox.http()
    client.request("GET", "/2018-06-01/ping")
    assert client.getresponse().read() == b"pong"
    client.request("GET", "/2018-06-01/ping", headers={"Host": "other"})
    assert client.getresponse().status == 403


def test_expect_continue_is_answered_at_once(running: Any, reply_of: Reader) -> None:
    """Given a client that waits for leave to send, when it asks, then it gets it before the body."""
    client = running.raw(
        f"POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nHost: {running.host}\r\n"
        "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n".encode()
    )
    assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b"abc")
    assert reply_of(client)[0] == 202
    assert running.heard.hear() == ("response", "1", b"abc")


def test_expect_continue_is_refused_without_the_body(running: Any, reply_of: Reader) -> None:
    """Given a client that waits for leave to send too much, when it asks, then it hears 413 and the end."""
    client = running.raw(
        f"POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nHost: {running.host}\r\n"
        "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n".encode()
    )
    status, headers, _ = reply_of(client)
    assert (status, headers["connection"]) == (413, "close")
    assert client.recv(1) == b""


def test_a_refused_body_that_does_not_come_is_not_waited_for(
    running: Any, reply_of: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a refused request whose body stalls, when the bound is over, then the refusal is told, and the end."""
    monkeypatch.setattr("relambda.actors.runtime_api.body.DRAIN_SECONDS", 0.05)
    client = running.raw(
        f"POST /2018-06-01/runtime/invocation/other/response HTTP/1.1\r\nHost: {running.host}\r\n"
        "Content-Length: 9\r\n\r\nhalf".encode()
    )
    status, headers, _ = reply_of(client)
    assert (status, headers["connection"]) == (400, "close")
    assert client.recv(1) == b""


def test_a_streamed_response_is_one_payload(running: Any, reply_of: Reader) -> None:
    """Given a streaming response, when it ends without trailers, then its chunks are the payload."""
    client = running.raw(streaming(running, chunks(b"part1", b"\0" * 8, b"part2")))
    assert reply_of(client)[0] == 202
    assert running.heard.hear() == ("response", "1", b"part1" + b"\0" * 8 + b"part2")
    client.sendall(f"GET /2018-06-01/ping HTTP/1.1\r\nHost: {running.host}:{running.port}\r\n\r\n".encode())
    assert reply_of(client)[2] == b"pong"


def test_an_error_behind_a_streams_first_byte_is_an_error(running: Any, reply_of: Reader) -> None:
    """Given a streaming response, when error trailers end it, then the invocation failed with their document."""
    document = b'{"errorType":"Error","errorMessage":"mid"}'
    trailers = (
        b"Lambda-Runtime-Function-Error-Type: Error\r\nLambda-Runtime-Function-Error-Body: "
        + base64.b64encode(document)
        + b"\r\n"
    )
    assert reply_of(running.raw(streaming(running, chunks(b"part1", trailers=trailers))))[0] == 202
    assert running.heard.hear() == ("error", "1", RuntimeFailure(document, "Error"))


def test_a_response_that_breaks_off_is_refused_and_may_not_be_repeated(running: Any, reply_of: Reader) -> None:
    """Given half a response, when the client sends no more, then no listener hears of it, and no step follows."""
    import socket

    client = running.raw(streaming(running, b"5\r\nab"))
    client.shutdown(socket.SHUT_WR)
    status, _, body = reply_of(client)
    assert refusal((status, body))[:2] == (400, "TruncatedHTTPRequest")
    answer = running.ask("GET", "/runtime/invocation/next")
    assert refusal(answer) == transition("InvocationResponse", "Ready")
    assert running.heard.silent


@pytest.mark.parametrize(
    "request_text",
    [
        "nonsense\r\n\r\n",
        "GET /2018-06-01/ping HTTP/2.0\r\nHost: {host}\r\n\r\n",
        "GET /2018-06-01/ping HTTP/1.1\r\nHost : {host}\r\n\r\n",
        "GET /2018-06-01/ping HTTP/1.1\r\nHost: {host}\r\nHost: other\r\n\r\n",
        "GET /2018-06-01/ping HTTP/1.1\r\nHost: {host}\r\n folded\r\n\r\n",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
    ],
)
def test_what_is_no_http_is_refused(running: Any, reply_of: Reader, request_text: str) -> None:
    """Given a connection, when no request comes over it, then it is refused with 400 and ended."""
    text = request_text.format(host=running.host, path="/2018-06-01/runtime/invocation/1/response")
    client = running.raw(text.encode())
    status, headers, body = reply_of(client)
    assert refusal((status, body))[:2] == (400, "BadRequest")
    assert headers["connection"] == "close"
    assert client.recv(1) == b""


def test_an_endless_head_is_refused(sandbox: Any, reply_of: Reader) -> None:
    """Given a connection, when a head grows past its limit, then it is refused before it costs more memory."""
    client = sandbox.raw(b"GET / HTTP/1.1\r\nX: " + b"x" * 1_200_000)
    assert reply_of(client)[0] == 400


def test_a_head_that_trickles_costs_no_more_than_its_bytes(sandbox: Any, reply_of: Reader) -> None:
    """Given a long head in thousands of pieces, when it is whole, then it is answered like any other."""
    client = sandbox.raw(f"GET /2018-06-01/ping HTTP/1.1\r\nHost: {sandbox.host}\r\nX: ".encode())
    for _ in range(2000):
        client.sendall(b"x" * 500)
    client.sendall(b"\r\n")
    client.sendall(b"\r")
    client.sendall(b"\n")
    assert reply_of(client)[2] == b"pong"


def test_too_many_headers_are_refused(sandbox: Any, reply_of: Reader) -> None:
    """Given a head of a thousand headers, when it is read, then it is refused."""
    head = f"GET /2018-06-01/ping HTTP/1.1\r\nHost: {sandbox.host}\r\n".encode()
    assert reply_of(sandbox.raw(head + b"".join(b"X-%d: 1\r\n" % number for number in range(1000)) + b"\r\n"))[0] == 400


@pytest.mark.parametrize(
    "body", [b"5;" + b"x" * 5000, b"0\r\n" + b"X-A: " + b"x" * 1_999_990 + b"\r\nX-B: 1234567\r\n\r\n"]
)
def test_endless_lines_of_a_body_are_refused(running: Any, reply_of: Reader, body: bytes) -> None:
    """Given a chunk's line or trailers past their limit, when they come, then they are refused."""
    assert reply_of(running.raw(streaming(running, body)))[0] == 400


def test_a_chunks_line_that_stalls_ends_the_connection(running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a chunk's line that begins and does not end, when its bound is over, then so is the connection."""
    client = running.http()
    client.request("GET", "/2018-06-01/ping")
    assert client.getresponse().read() == b"pong"
    monkeypatch.setattr("relambda.actors.runtime_api.connection.HEAD_SECONDS", 0.3)
    client.sock.sendall(streaming(running, b"5"))
    assert client.sock.recv(1) == b""


def test_empty_values_are_omitted_and_line_ends_do_not_split_headers(sandbox: Any, reply_of: Reader) -> None:
    """Given an event with an injected line end, when it is handed over, then only AWS's headers are there."""
    sandbox.session.assign(sandbox.event("1", client_context='{\r\nX-Evil: "ä"}'))
    status, headers, body = reply_of(sandbox.parked())
    assert (status, body) == (200, b"{}")
    assert headers == {
        "content-type": "application/json",
        "lambda-runtime-aws-request-id": "1",
        "lambda-runtime-deadline-ms": "4102444800000",
        "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:1:function:f",
        "lambda-runtime-client-context": '{  X-Evil: "ä"}',
        "content-length": "2",
    }
