import json
import socket
from pathlib import Path
from typing import Protocol

import pytest

from relambda.api.exit_codes import ExitCode

pytestmark = pytest.mark.docker


class Done(Protocol):
    returncode: int
    stdout: str
    stderr: str


class Command(Protocol):
    def __call__(self, *arguments: object, **environ: str) -> Done: ...


def test_a_machine_that_is_well_is_called_well(relambda: Command, tmp_path: Path) -> None:
    """Every subject is looked at, and the exit code is 0."""
    done = relambda("doctor", "--state-dir", tmp_path, "--json", GATEWAY_LISTEN="127.0.0.1:0")
    told = json.loads(done.stdout)
    assert (done.returncode, told["well"]) == (0, True), told
    assert {finding["subject"] for finding in told["findings"]} >= {"engine", "images", "disk", "port"}


def test_a_missing_engine_is_wrong_and_the_mend_is_said(relambda: Command, tmp_path: Path) -> None:
    """An engine that nobody answers for is named with where it was looked for."""
    nowhere = f"unix://{tmp_path}/docker.sock"
    done = relambda("doctor", "--state-dir", tmp_path, DOCKER_HOST=nowhere, GATEWAY_LISTEN="127.0.0.1:0")
    assert done.returncode == ExitCode.UNWELL
    assert f"✗ engine: no Docker engine answers; tried {nowhere}" in done.stdout
    assert "docker/setup-engine.sh" in done.stdout


def test_a_taken_port_is_wrong(relambda: Command, tmp_path: Path) -> None:
    """Whoever listens there, the start would fail."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = relambda("doctor", "--state-dir", tmp_path, GATEWAY_LISTEN=f"127.0.0.1:{port}")
    assert done.returncode == ExitCode.UNWELL
    assert f"✗ port: 127.0.0.1:{port} is in use" in done.stdout


def test_a_newer_state_directory_is_wrong(relambda: Command, tmp_path: Path) -> None:
    """What a newer release wrote is not touched."""
    (tmp_path / "FORMAT").write_text("999\n")
    done = relambda("doctor", "--state-dir", tmp_path, GATEWAY_LISTEN="127.0.0.1:0")
    assert done.returncode == ExitCode.UNWELL
    assert "✗ state directory:" in done.stdout


def test_images_are_listed_with_what_can_be_built(relambda: Command) -> None:
    """Runtimes with a recipe are there, whether their image is or not."""
    told = json.loads(relambda("images", "list", "--json").stdout)
    assert any(image["runtime"] == "python3.11" and image["buildable"] for image in told)
