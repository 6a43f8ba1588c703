"""What a session promises to whoever runs an execution environment."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from relambda.actors.runtime_api.listener import RuntimeApi

Reader = Callable[[Any], tuple[int, dict[str, str], bytes]]


def test_a_closed_connection_that_was_parked_swallows_nothing(sandbox: Any, reply_of: Reader) -> None:
    """Given a `/next` whose client is gone, when an event is assigned right then, then the next client gets it."""
    for number in range(50):
        gone = sandbox.parked()
        if number == 0:
            assert sandbox.heard.hear() == ("next",)
        gone.close()
    sandbox.session.assign(sandbox.event("kept", b"1"))
    assert reply_of(sandbox.parked())[2] == b"1"


@pytest.mark.parametrize("size", [2, 6_000_000])
def test_a_client_that_wants_one_answer_reads_its_end(sandbox: Any, size: int) -> None:
    """Given a `/next` that asks for the connection to be closed, when it gets its event, then the stream ends."""
    head = f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {sandbox.host}\r\nConnection: close\r\n\r\n"
    client = sandbox.raw(head.encode())
    assert sandbox.heard.hear() == ("next",)
    sandbox.session.assign(sandbox.event("1", b"x" * size))
    with client.makefile("rb") as answer:
        assert answer.read().endswith(b"\r\n\r\n" + b"x" * size)


def test_of_several_parked_the_first_that_lives_is_served(sandbox: Any, reply_of: Reader) -> None:
    """Given two waiting calls and the first one's client gone, when an event is assigned, then the second gets it."""
    first = sandbox.parked()
    assert sandbox.heard.hear() == ("next",)
    second = sandbox.parked()
    first.close()
    sandbox.session.assign(sandbox.event("1", b"7"))
    assert reply_of(second)[2] == b"7"
    assert sandbox.heard.silent


def test_reset_cuts_what_was_parked(sandbox: Any, reply_of: Reader) -> None:
    """Given a parked runtime, when the session is reset, then its call ends and the next one gets the event."""
    old = sandbox.parked()
    assert sandbox.heard.hear() == ("next",)
    sandbox.session.reset()
    assert old.recv(1) == b""
    sandbox.session.assign(sandbox.event("1", b"2"))
    assert reply_of(sandbox.parked())[2] == b"2"
    assert sandbox.heard.hear() == ("next",)


def test_reset_forgets_the_invocation(running: Any) -> None:
    """Given a running invocation, when the session is reset, then its answer is not taken, and another may come."""
    running.session.reset()
    assert running.ask("POST", "/runtime/invocation/1/response", b"late")[0] == 400
    running.session.assign(running.event("2", b"2"))
    assert running.ask("GET", "/runtime/invocation/next") == (200, b"2")
    assert running.heard.hear() == ("next",)
    assert running.heard.silent


def test_reset_cuts_a_response_that_is_being_sent(running: Any) -> None:
    """Given half a response, when the session is reset, then the connection ends and nothing is heard."""
    head = f"POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nHost: {running.host}\r\n"
    client = running.raw(f"{head}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n".encode())
    assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    running.session.reset()
    assert client.recv(1) == b""
    assert running.heard.silent


def test_a_second_event_at_a_time_is_refused(sandbox: Any) -> None:
    """Given an event that is not answered, when another one is assigned, then that is an error of the caller's."""
    sandbox.parked()
    assert sandbox.heard.hear() == ("next",)
    sandbox.session.assign(sandbox.event("1"))
    with pytest.raises(RuntimeError, match="still has invocation 1"):
        sandbox.session.assign(sandbox.event("2"))


def test_an_event_that_nobody_took_gives_way(sandbox: Any, reply_of: Reader) -> None:
    """Given an event that no runtime has been given, when another one is assigned, then the runtime gets that one."""
    sandbox.session.assign(sandbox.event("1", b"1"))
    sandbox.session.assign(sandbox.event("2", b"2"))
    assert reply_of(sandbox.parked())[2] == b"2"


def test_an_event_that_is_not_wanted_is_not_delivered(sandbox: Any, reply_of: Reader) -> None:
    """Given an event whose invocation has ended, when the runtime asks, then it waits on, and gets the next one."""
    sandbox.heard.unwanted.add("1")
    sandbox.session.assign(sandbox.event("1", b"1"))
    runtime = sandbox.parked()
    assert sandbox.heard.hear() == ("next",)
    sandbox.session.assign(sandbox.event("2", b"2"))
    assert reply_of(runtime)[2] == b"2"


def test_what_is_held_for_a_mark_is_delivered_behind_it(sandbox: Any, reply_of: Reader) -> None:
    """Given a session that holds for a mark, then a waiting runtime gets its event with that mark, and no other."""
    runtime = sandbox.parked()
    assert sandbox.heard.hear() == ("next",)
    sandbox.session.hold("mark")
    sandbox.session.assign(sandbox.event("1", b"1"))
    sandbox.session.release("another")
    assert sandbox.heard.delivered == []
    sandbox.session.release("mark")
    assert reply_of(runtime)[2] == b"1"
    assert sandbox.heard.delivered == ["1"]


def test_an_event_is_delivered_once(sandbox: Any, reply_of: Reader) -> None:
    """Given a runtime that loses its event and asks again, then it gets the same one, and its time goes on."""
    sandbox.session.assign(sandbox.event("1", b"1"))
    assert sandbox.heard.delivered == []
    first, again = reply_of(sandbox.parked()), reply_of(sandbox.parked())
    assert first == again
    assert sandbox.heard.delivered == ["1"]


def test_a_reset_holds_nothing_back(sandbox: Any, reply_of: Reader) -> None:
    """Given a session that holds for a mark, when it is reset, then the next event is delivered at once."""
    sandbox.session.hold("mark")
    sandbox.session.reset()
    sandbox.session.assign(sandbox.event("1", b"1"))
    assert reply_of(sandbox.parked())[2] == b"1"


def test_a_closed_session_is_refused(sandbox: Any, api: RuntimeApi) -> None:
    """Given a closed session, when its runtime asks, then it is a stranger; its name may be opened again."""
    parked = sandbox.parked()
    assert sandbox.heard.hear() == ("next",)
    sandbox.session.close()
    sandbox.session.close()
    assert parked.recv(1) == b""
    assert sandbox.ask("GET", "/ping")[0] == 403
    sandbox.session.assign(sandbox.event("1"))
    api.open(sandbox.host, sandbox.heard, sandbox.session.environment)
    assert sandbox.ask("GET", "/ping")[0] == 200


@pytest.mark.parametrize("token", ["", "a b", "a:1", "a/b", "ä"])
def test_a_token_is_a_host_name(api: RuntimeApi, sandbox: Any, token: str) -> None:
    """Given a listener, when a session is opened under no host name or a taken one, then it is refused."""
    with pytest.raises(ValueError, match="host name"):
        api.open(token, sandbox.heard, sandbox.session.environment)
    with pytest.raises(ValueError, match="open already"):
        api.open(sandbox.host, sandbox.heard, sandbox.session.environment)


def test_stop_ends_every_thread(sandbox: Any, api: RuntimeApi) -> None:
    """Given a parked and an idle connection, when the listener stops, then both end, and so do its threads."""
    parked, idle = sandbox.parked(), sandbox.http()
    assert sandbox.heard.hear() == ("next",)
    idle.request("GET", "/2018-06-01/ping")
    assert idle.getresponse().read() == b"pong"
    api.stop(10)
    assert parked.recv(1) == idle.sock.recv(1) == b""
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("runtime-api")]


def test_a_taken_port_is_told(api: RuntimeApi) -> None:
    """Given a listener, when another one wants its port, then the error names both address and mend."""
    other = RuntimeApi("127.0.0.1", api.address[1])
    with pytest.raises(RuntimeError, match="start it first"):
        _ = other.address
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {api.address[1]}.*choose another"):
        other.start()


def test_a_client_that_reads_slowly_holds_up_nobody(sandbox: Any, reply_of: Reader) -> None:
    """Given a parked client with a small window, when a large event is assigned, then the caller need not wait."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(20)
    client.connect((sandbox.host, sandbox.port))
    with client:
        client.sendall(f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {sandbox.host}\r\n\r\n".encode())
        assert sandbox.heard.hear() == ("next",)
        sandbox.session.assign(sandbox.event("1", b"x" * 6_291_456))
        assert len(reply_of(client)[2]) == 6_291_456


def test_one_runtime_may_not_have_all_connections(sandbox: Any) -> None:
    """Given a runtime with as many connections as it may have, when it wants one more, then that one is refused."""
    for _ in range(256):
        client = sandbox.http()
        client.request("GET", "/2018-06-01/ping")
        assert client.getresponse().read() == b"pong"
    assert sandbox.ask("GET", "/ping")[0] == 503
