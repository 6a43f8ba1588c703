"""Given a listening Runtime API; sessions whose secret host names are loopback addresses; runtimes and raw clients."""

import itertools
import json
import os
import queue
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from relambda.actors.runtime_api.listener import RuntimeApi
from relambda.actors.runtime_api.session import ExecutionEnvironment, RuntimeEvent, RuntimeFailure
from relambda.actors.telemetry.subscription import Subscription
from relambda.actors.telemetry.telemetry import Telemetry

WAIT = 20.0
DEADLINE = 4_102_444_800_000
_REGISTER = "/2020-01-01/extension/register"
_NEXT = "/2020-01-01/extension/event/next"
ENVIRONMENT = ExecutionEnvironment("f", "$LATEST", "main.handler", "111111111111", "metadata-token")
_hosts = (f"127.1.{number // 250}.{number % 250 + 1}" for number in itertools.count())


class Recorder:
    """A session's listener that keeps what it hears, in order."""

    def __init__(self) -> None:
        self._heard: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._environment: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._beginnings: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.delivered: list[str] = []
        self.unwanted: set[str] = set()
        """Ids of invocations that are not to be delivered any more."""

    def on_next(self) -> None:
        self._heard.put(("next",))

    def on_delivery(self, request_id: str) -> int | None:
        if request_id in self.unwanted:
            return None
        self.delivered.append(request_id)
        return DEADLINE

    def on_response(self, request_id: str, payload: bytes) -> None:
        self._heard.put(("response", request_id, payload))

    def on_error(self, request_id: str, failure: RuntimeFailure) -> None:
        self._heard.put(("error", request_id, failure))

    def on_init_error(self, failure: RuntimeFailure) -> None:
        self._heard.put(("init error", failure))

    def on_idle(self) -> None:
        self._environment.put(("idle",))

    def on_answer_begins(self) -> None:
        self._beginnings.put(None)

    def on_extensions_registered(self) -> None:
        self._environment.put(("registered",))

    def on_extension_error(self, name: str, phase: str, failure: RuntimeFailure) -> None:
        self._environment.put(("extension error", name, phase, failure))

    def on_subscribed(self, subscription: Subscription) -> None:
        self._environment.put(("subscribed", subscription.api, subscription.extension, subscription.types))

    def on_restore_ready(self) -> None:
        self._environment.put(("restore ready",))

    def on_restore_error(self, failure: RuntimeFailure) -> None:
        self._environment.put(("restore error", failure))

    def hear(self) -> tuple[Any, ...]:
        """What the runtime said next; fails after a while of silence."""
        return self._heard.get(timeout=WAIT)

    def hear_environment(self) -> tuple[Any, ...]:
        """What happened next to the environment as a whole; fails after a while of silence."""
        return self._environment.get(timeout=WAIT)

    def hear_beginning(self) -> None:
        """An answer begins; fails after a while of silence."""
        self._beginnings.get(timeout=WAIT)

    @property
    def no_beginning(self) -> bool:
        """Whether no more answers have begun."""
        return self._beginnings.empty()

    @property
    def environment_silent(self) -> bool:
        """Whether nothing more was heard of the environment as a whole."""
        return self._environment.empty()

    @property
    def silent(self) -> bool:
        """Whether nothing more was heard."""
        return self._heard.empty()


class Sandbox:
    """A session with its listener, and the ways to speak for its runtime."""

    def __init__(self, api: RuntimeApi, folder: Path, telemetry: Telemetry | None = None, **members: Any) -> None:
        self.host = next(_hosts)
        self.port = api.address[1]
        self.folder = folder
        self.heard = Recorder()
        self.session = api.open(self.host, self.heard, replace(ENVIRONMENT, **members), telemetry)
        self._ends: list[Callable[[], object]] = []

    def event(self, request_id: str, payload: bytes = b"{}", **more: Any) -> RuntimeEvent:
        return RuntimeEvent(request_id, payload, "arn:aws:lambda:us-east-1:1:function:f", **more)

    def start(self, source: str, handler: str = "main.handler") -> "subprocess.Popen[bytes]":
        """The official Python runtime client, with a module of this source."""
        (self.folder / "main.py").write_text(source)
        surroundings = {
            **os.environ,
            "AWS_LAMBDA_RUNTIME_API": f"{self.host}:{self.port}",
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "LAMBDA_TASK_ROOT": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", handler],
            cwd=self.folder,
            env=surroundings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._ends += [lambda: process.wait(WAIT), process.kill]
        return process

    def raw(self, data: bytes = b"") -> socket.socket:
        """A connection that has sent these bytes; every line end is written out."""
        client = socket.create_connection((self.host, self.port), timeout=WAIT)
        self._ends.append(client.close)
        client.sendall(data)
        return client

    def parked(self) -> socket.socket:
        """A connection that waits in `/next`; only the first of a runtime is heard."""
        return self.raw(f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())

    def http(self) -> HTTPConnection:
        client = HTTPConnection(self.host, self.port, timeout=WAIT)
        self._ends.append(client.close)
        return client

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """One request over a connection of its own: status and body."""
        client = self.http()
        client.request(method, "/2018-06-01" + path, body, headers or {})
        answer = client.getresponse()
        return answer.status, answer.read()

    def end(self) -> None:
        for end in reversed(self._ends):
            end()


class ExtensionClient:
    """Speaks for one extension of a sandbox."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self.sandbox, self.name = sandbox, name
        self.identifier = ""

    def register(self, *events: str, **headers: str) -> tuple[int, dict[str, Any]]:
        """Register for kinds of events; status and document."""
        named = {"Lambda-Extension-Name": self.name, **headers}
        status, found, document = self.ask("POST", _REGISTER, json.dumps({"events": events}).encode(), named)
        self.identifier = found.get("lambda-extension-identifier", "")
        return status, document

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], Any]:
        """One request under its identifier: status, headers, document."""
        client = self.sandbox.http()
        own = {"Lambda-Extension-Identifier": self.identifier} if self.identifier else {}
        client.request(method, path, body, {**own, **(headers or {})})
        answer = client.getresponse()
        data = answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, json.loads(data or b"null")

    def fail(self, phase: str, error_type: str) -> tuple[int, dict[str, str], Any]:
        """Report an error of the phase `init` or `exit`."""
        headers = {"Lambda-Extension-Function-Error-Type": error_type} if error_type else {}
        return self.ask("POST", f"/2020-01-01/extension/{phase}/error", b'{"errorMessage":"broken"}', headers)

    def next(self) -> dict[str, Any]:
        """Ask for the next event and wait for it."""
        status, _, document = self.ask("GET", _NEXT)
        assert status == 200, document
        return dict(document)

    def parked(self) -> socket.socket:
        """A connection that waits for the next event."""
        lines = [
            f"GET {_NEXT} HTTP/1.1",
            f"Host: {self.sandbox.host}",
            f"Lambda-Extension-Identifier: {self.identifier}",
        ]
        return self.sandbox.raw("\r\n".join([*lines, "", ""]).encode())


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    """A listening Runtime API, which leaves no thread behind."""
    api = RuntimeApi("0.0.0.0")
    api.start()
    yield api
    api.stop(WAIT)


@pytest.fixture
def sandboxes(api: RuntimeApi, tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """Makes sandboxes with an open session each; its arguments are telemetry and members of ExecutionEnvironment."""
    made: list[Sandbox] = []

    def make(telemetry: Telemetry | None = None, **members: Any) -> Sandbox:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Sandbox(api, folder, telemetry, **members))
        return made[-1]

    yield make
    for sandbox in made:
        sandbox.end()


@pytest.fixture
def sandbox(sandboxes: Callable[[], Sandbox]) -> Sandbox:
    """One sandbox with an open session."""
    return sandboxes()


@pytest.fixture
def external(sandbox: Sandbox) -> Callable[..., list[ExtensionClient]]:
    """Expects external extensions of these names in `sandbox`, and speaks for them."""

    def expect(*names: str) -> list[ExtensionClient]:
        sandbox.session.expect_extensions(names)
        return [ExtensionClient(sandbox, name) for name in names]

    return expect


@pytest.fixture
def extension_of() -> Callable[[Sandbox, str], ExtensionClient]:
    """Speaks for an extension of a sandbox that was not expected: an internal one."""
    return ExtensionClient


@pytest.fixture
def running(sandbox: Sandbox) -> Sandbox:
    """A sandbox whose runtime has got invocation "1"."""
    sandbox.session.assign(sandbox.event("1"))
    assert sandbox.ask("GET", "/runtime/invocation/next")[0] == 200
    assert sandbox.heard.hear() == ("next",)
    return sandbox


@pytest.fixture
def reply_of() -> Callable[[socket.socket], tuple[int, dict[str, str], bytes]]:
    """Reads one answer from a raw connection: status, headers, body."""

    def read(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            data += _some(client)
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        while len(body) < int(headers.get("content-length", "0")):
            body += _some(client)
        return int(first.split()[1]), headers, body

    return read


def _some(client: socket.socket) -> bytes:
    piece = client.recv(262_144)
    assert piece, "the connection ended before its answer did"
    return piece
