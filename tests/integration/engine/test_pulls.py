"""Pulls from registries that want credentials, or that stop in the middle of an image."""

import json
import os
import re
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import docker
import pytest

from relambda.actors.engine import pulls
from relambda.actors.engine.contract import ImageAccessDeniedError, ImageUnavailableError
from relambda.actors.engine.docker_engine import DockerEngine

pytestmark = pytest.mark.docker

MB = 1_000_000


class Stalling(ThreadingHTTPServer):
    """In front of a real registry; of what is larger than a megabyte it hands on the half, and then nothing more."""

    daemon_threads = True

    def __init__(self, registry: str) -> None:
        super().__init__(("127.0.0.1", 0), _Stall)
        self.registry, self.let_go = registry, threading.Event()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Stall(BaseHTTPRequestHandler):
    server: Stalling

    def do_GET(self) -> None:
        behind = HTTPConnection(self.server.registry, timeout=30)
        behind.request("GET", self.path, headers=dict(self.headers.items()))
        answer = behind.getresponse()
        body = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value.replace(self.server.registry, self.server.address))
        self.end_headers()
        behind.close()
        if len(body) < MB:
            self.wfile.write(body)
            return
        for tenth in range(5):  # as slowly as a network, since the engine tells of progress now and then
            self.wfile.write(body[tenth * len(body) // 10 : (tenth + 1) * len(body) // 10])
            self.server.let_go.wait(0.2)
        self.server.let_go.wait(60)
        self.close_connection = True

    do_HEAD = do_GET  # noqa: N815 - the base class's name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def stalling(registry: Any) -> Iterator[Stalling]:
    """A registry that stops in the middle of a layer."""
    with Stalling(registry.address) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.let_go.set()
        server.shutdown()
        thread.join(10)


@pytest.fixture
def pushed(docker_api: docker.APIClient, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Puts an image of one file of random bytes into a registry, and takes it away from the engine."""
    names: list[str] = []

    def make(registry: Any, size: int = 100) -> str:
        folder = tmp_path / uuid.uuid4().hex
        folder.mkdir()
        (folder / "content").write_bytes(os.urandom(size))
        (folder / "Dockerfile").write_text("FROM scratch\nCOPY content /\n")
        name = f"{registry.address}/{folder.name}:1"
        said = list(docker_api.build(path=str(folder), tag=name, rm=True, decode=True))
        assert "error" not in said[-1], said
        credentials = {"username": registry.user or "nobody", "password": registry.password or "nothing"}
        for line in docker_api.push(name, auth_config=credentials, stream=True, decode=True):
            assert "error" not in line, line
        docker_api.remove_image(name)
        names.append(name)
        return name

    yield make
    for name in names:
        if docker_api.images(name):
            docker_api.remove_image(name, force=True)


def credential_helper(folder: Path, registry: Any) -> None:
    """A program as Docker's credential helpers are: asked on standard input for an address, it answers JSON."""
    program = folder / "docker-credential-vault"
    known = {"ServerURL": registry.address, "Username": registry.user, "Secret": registry.password}
    program.write_text(
        f'#!/bin/sh\n[ "$1" = get ] && read -r server\n'
        f"[ \"$server\" = {registry.address} ] && echo '{json.dumps(known)}' && exit\n"
        "echo 'credentials not found in native keychain'\nexit 1\n"
    )
    program.chmod(0o755)


@pytest.mark.filterwarnings("ignore:docker-credential-vault not installed")
@pytest.mark.parametrize("how", ["credHelpers", "credsStore"])
def test_credential_helpers_are_asked(
    how: str,
    docker_engine: DockerEngine,
    private_registry: Any,
    pushed: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Given Docker's configuration with a helper for a registry, or one for all, then what it knows opens the door."""
    name = pushed(private_registry)
    helpers: dict[str, Any] = {"credHelpers": {private_registry.address: "vault"}, "credsStore": "vault"}
    (tmp_path / "config.json").write_text(json.dumps({how: helpers[how]}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with pytest.raises(ImageUnavailableError, match="docker-credential-vault"):
        docker_engine.ensure_image([name], lambda _: None)

    credential_helper(tmp_path, private_registry)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert docker_engine.ensure_image([name], lambda _: None) == name


def test_without_credentials_access_is_denied(
    docker_engine: DockerEngine,
    private_registry: Any,
    pushed: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Given a helper that knows nothing of a registry, when an image of it is wanted, then that is denied."""
    name = pushed(private_registry)
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "vault"}))
    program = tmp_path / "docker-credential-vault"
    program.write_text("#!/bin/sh\necho 'credentials not found in native keychain'\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ImageAccessDeniedError):
        docker_engine.ensure_image([name], lambda _: None)


def test_a_registry_that_falls_silent_is_given_up(
    docker_engine: DockerEngine,
    registry: Any,
    stalling: Stalling,
    pushed: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Given a pull that stands still in a layer, then it is given up after a time, and told; the next try is anew."""
    monkeypatch.setattr(pulls, "_SILENCE_SECONDS", 3)
    name = pushed(registry, 4 * MB).replace(registry.address, stalling.address)
    heard: list[str] = []
    with pytest.raises(ImageUnavailableError, match="nothing was heard of the pull for 3 s"):
        docker_engine.ensure_image([name], heard.append)
    assert heard[0] == f"pulling {name}"
    assert any(re.fullmatch(rf"pulling {re.escape(name)}: \d0 % of 4 MB", line) for line in heard), heard
    with pytest.raises(ImageUnavailableError, match="nothing was heard of the pull"):
        docker_engine.ensure_image([name], heard.append)


def test_a_registry_that_never_answers_is_given_up(
    docker_engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a port that takes connections and says nothing, when an image of it is wanted, then that ends, and why."""
    monkeypatch.setattr(pulls, "_SILENCE_SECONDS", 3)
    with socket.create_server(("127.0.0.1", 0)) as dumb:
        name = f"127.0.0.1:{dumb.getsockname()[1]}/dumb:1"
        with pytest.raises(ImageUnavailableError, match="nothing was heard of the pull for 3 s"):
            docker_engine.ensure_image([name], lambda _: None)
