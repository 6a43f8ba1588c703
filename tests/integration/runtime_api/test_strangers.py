"""Connections that say nothing, and heads without end: they take little, and nothing from those who speak."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from relambda.actors.runtime_api.listener import RuntimeApi

Connect = Callable[..., socket.socket]
Reader = Callable[[Any], tuple[int, dict[str, str], bytes]]
HEAD = "GET /2018-06-01/ping HTTP/1.1\r\nHost: {}\r\n"


@pytest.fixture
def connect(api: RuntimeApi) -> Iterator[Connect]:
    """Connects from an address of its own, and says nothing."""
    made: list[socket.socket] = []

    def open_one(address: str = "127.200.0.1") -> socket.socket:
        made.append(socket.create_connection(("127.0.0.1", api.address[1]), 20, (address, 0)))
        return made[-1]

    yield open_one
    for one in made:
        one.close()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few strangers, without a moment's patience."""
    for name, value in {"MAX_SILENT": 4, "MOMENT_SECONDS": 0.0, "MAX_OF_ADDRESS": 8, "MAX_IN_ALL": 12}.items():
        monkeypatch.setattr(f"relambda.actors.runtime_api.strangers.{name}", value)


def is_closed(client: socket.socket) -> bool:
    """Whether the other side ends it, now or soon."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def comes_to(most: int) -> bool:
    """Whether no more than so many connections have a thread, now or soon."""
    until = time.monotonic() + 20
    while sum(thread.name == "runtime-api-connection" for thread in threading.enumerate()) > most:
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.usefixtures("few")
def test_the_longest_silent_goes(
    connect: Connect, sandbox: Any, reply_of: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    """Given more silent connections than an address may have, then the first ones end; the last one may speak."""
    clients = [connect() for _ in range(40)]
    assert all(is_closed(client) for client in clients[:36])
    clients[-1].sendall(f"{HEAD.format(sandbox.host)}\r\n".encode())

    assert reply_of(clients[-1])[0] == 200
    assert comes_to(4)
    assert sum("say nothing" in message for message in caplog.messages) == 1
    assert "of 127.200.0.1 that say nothing" in caplog.text


@pytest.mark.usefixtures("few")
def test_who_has_spoken_stays(connect: Connect, sandbox: Any, reply_of: Reader) -> None:
    """Given a runtime that waits, when others connect from its address and are silent, then it gets its event."""
    parked = connect()
    parked.sendall(f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {sandbox.host}\r\n\r\n".encode())
    assert sandbox.heard.hear() == ("next",)
    silent = [connect() for _ in range(20)]
    assert is_closed(silent[0])
    sandbox.session.assign(sandbox.event("1", b"7"))

    assert reply_of(parked)[2] == b"7"


@pytest.mark.usefixtures("few")
def test_of_many_addresses_the_fullest_has_to_go(connect: Connect, sandbox: Any, reply_of: Reader) -> None:
    """Given as many silent connections as there may be in all, then one of a crowd ends, and not one that is alone."""
    alone = connect("127.200.1.1")
    crowds = [[connect(f"127.200.2.{number}") for _ in range(4)] for number in range(4)]
    assert any(is_closed(crowd[0]) for crowd in crowds[:1])
    alone.sendall(f"{HEAD.format(sandbox.host)}\r\n".encode())

    assert reply_of(alone)[0] == 200


def test_hundreds_of_environments_share_an_address(sandboxes: Any, connect: Connect, reply_of: Reader) -> None:
    """Given an address that all containers seem to have, when hundreds of them wait, then each gets its event."""
    waiting = []
    for _ in range(300):
        sandbox, client = sandboxes(), connect("127.0.0.1")
        client.sendall(f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {sandbox.host}\r\n\r\n".encode())
        waiting.append((sandbox, client))
    for number, (sandbox, client) in enumerate(waiting):
        assert sandbox.heard.hear() == ("next",)
        sandbox.session.assign(sandbox.event(str(number), b"%d" % number))
        assert reply_of(client)[2] == b"%d" % number


def test_who_speaks_for_nobody_is_not_kept(connect: Connect, sandbox: Any, reply_of: Reader) -> None:
    """Given a host name that is no environment's, then the refusal is the connection's end."""
    client = connect()
    client.sendall(f"{HEAD.format('nobody')}\r\n".encode())

    assert reply_of(client)[0] == 403
    assert is_closed(client)


def test_large_heads_wait_for_room(
    connect: Connect, sandbox: Any, reply_of: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a large head that does not end, then another one of its address waits, and nobody else does."""
    monkeypatch.setattr("relambda.actors.runtime_api.large_heads.MAX_OF_ADDRESS", 1)
    large = f"{HEAD.format(sandbox.host)}X: {'x' * 100_000}".encode()
    endless, second, third, other = connect(), connect(), connect(), connect("127.200.3.1")
    endless.sendall(large)
    endless.sendall(b"x" * 900_000)
    second.sendall(large + b"\r\n\r\n")
    third.sendall(f"{HEAD.format(sandbox.host)}\r\n".encode())
    other.sendall(large + b"\r\n\r\n")
    assert reply_of(third)[0] == 200
    assert reply_of(other)[0] == 200
    endless.close()

    assert reply_of(second)[0] == 200
