import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any, Protocol

import pytest

from relambda.api.cli.http_client import health
from relambda.api.cloud_file import CloudFile
from relambda.api.exit_codes import ExitCode

pytestmark = pytest.mark.docker


class Clouds(Protocol):
    def directory(self, name: str = "state") -> Path: ...
    def start(self, name: str = "state", **environ: str) -> dict[str, Any]: ...
    def foreground(self, name: str = "state", *arguments: str) -> subprocess.Popen[str]: ...


class Done(Protocol):
    returncode: int
    stdout: str
    stderr: str


class Command(Protocol):
    def __call__(self, *arguments: object, **environ: str) -> Done: ...


def test_a_cloud_starts_in_the_background_answers_and_stops(clouds: Clouds, relambda: Command) -> None:
    """`start -d` returns when the cloud answers; `status` tells of it; `stop` ends it, and twice is no error."""
    started = clouds.start()
    where = ("--state-dir", started["state_dir"])
    running = relambda("status", *where, "--json")
    stopped = relambda("stop", *where, "--json")
    again = relambda("stop", *where, "--json")
    gone = relambda("status", *where, "--json")
    told = json.loads(running.stdout)
    assert (told["running"], told["url"], told["pid"]) == (True, started["url"], started["pid"])
    assert told["health"]
    assert (stopped.returncode, json.loads(stopped.stdout)["stopped"]) == (0, True)
    assert (again.returncode, json.loads(again.stdout)["stopped"]) == (0, False)
    assert (gone.returncode, json.loads(gone.stdout)["running"]) == (ExitCode.NOT_RUNNING, False)
    assert health(started["url"]) is None


def test_a_second_cloud_on_the_same_directory_is_told_who_holds_it(clouds: Clouds, relambda: Command) -> None:
    """The refusal names the process and the address of the first, which goes on."""
    started = clouds.start()
    second = relambda("start", "--state-dir", started["state_dir"], "--port", 0)
    assert second.returncode == ExitCode.IN_USE
    assert f"pid {started['pid']}" in second.stderr
    assert started["url"] in second.stderr
    assert health(started["url"]) is not None


@pytest.mark.parametrize("detach", [(), ("-d",)], ids=["foreground", "background"])
def test_a_port_in_use_is_said_with_what_to_do(clouds: Clouds, relambda: Command, detach: tuple[str, ...]) -> None:
    """The refusal comes at once, in the foreground and out of the background, and nothing is left running."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = relambda("start", *detach, "--port", port, "--state-dir", clouds.directory())
    assert refused.returncode == ExitCode.IN_USE
    assert f"127.0.0.1:{port} is in use" in refused.stderr
    assert "--port" in refused.stderr
    assert CloudFile.running(clouds.directory()) is None


def test_who_lacks_the_ports_of_awss_names_is_told(clouds: Clouds, relambda: Command) -> None:
    """Before the start, at the start and after it: on the terminal and by the doctor, with what is in the way."""
    where = ("--state-dir", clouds.directory())
    with socket.create_server(("127.77.7.7", 53)):
        environ = {"DNS_ADDRESS": "127.77.7.7", "GATEWAY_LISTEN": "127.0.0.1:0"}
        before = relambda("doctor", *where, **environ)
        started = relambda("start", "-d", *where, **environ)
        after = relambda("doctor", *where, GATEWAY_LISTEN="127.0.0.1:0", DNS_ADDRESS="0")
        status = relambda("status", *where, "--json")
    warning = "functions that call AWS by its own host names call AWS itself, and not this cloud: "
    assert f"! network: {warning}" in before.stdout
    assert f"warning: {warning}" in started.stderr
    assert "Ready." in started.stdout
    assert f"! network: {warning}" in after.stdout
    (told,) = json.loads(status.stdout)["warnings"]
    assert "is in use, by another cloud perhaps: LAMBDA_DOCKER_NETWORK" in told


def test_clouds_live_side_by_side(clouds: Clouds, relambda: Command) -> None:
    """Each has its own directory and port; stopping one leaves the other."""
    one, two = clouds.start("one"), clouds.start("two")
    relambda("stop", "--state-dir", one["state_dir"])
    assert one["url"] != two["url"]
    assert health(one["url"]) is None
    assert health(two["url"]) is not None


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_a_cloud_in_the_foreground(clouds: Clouds, how: signal.Signals) -> None:
    """It says Ready on its standard output, ends with 0 after the signal, and takes its file away."""
    with clouds.foreground() as cloud:
        assert cloud.stdout
        said = [next(cloud.stdout), next(cloud.stdout)]
        cloud.send_signal(how)
        cloud.communicate(timeout=60)
    assert said[1] == "Ready.\n"
    assert cloud.returncode == 0
    assert CloudFile.read(clouds.directory()) is None


def test_json_in_the_foreground_is_one_object_a_line(clouds: Clouds) -> None:
    """With --json a program can read where the cloud is."""
    with clouds.foreground("state", "--json") as cloud:
        assert cloud.stdout
        told = json.loads(next(cloud.stdout))
        cloud.terminate()
        cloud.communicate(timeout=60)
    assert told["pid"] == cloud.pid
    assert told["url"].startswith("http://127.0.0.1:")


def test_after_a_killed_master_the_next_start_works(clouds: Clouds) -> None:
    """What is left of the killed cloud is waited for, and the directory is served again."""
    killed = clouds.start()
    os.kill(killed["pid"], signal.SIGKILL)
    again = clouds.start()
    assert again["pid"] != killed["pid"]
    assert health(again["url"]) is not None


def test_a_killed_worker_is_replaced(clouds: Clouds) -> None:
    """The master opens the state again in a new worker, at the same address."""
    with clouds.foreground() as cloud:
        assert cloud.stdout
        said = [next(cloud.stdout), next(cloud.stdout)]
        first = CloudFile.read(clouds.directory())
        assert first
        os.kill(first.worker.pid, signal.SIGKILL)
        said += [next(cloud.stdout), next(cloud.stdout)]
        second = CloudFile.read(clouds.directory())
        assert second
        answers = health(second.url)
        cloud.terminate()
        cloud.communicate(timeout=60)
    assert said[:2] == said[2:]
    assert second.worker.pid != first.worker.pid
    assert answers is not None


@pytest.mark.parametrize("how", [signal.SIGTTIN, signal.SIGTTOU, signal.SIGUSR2, signal.SIGWINCH])
def test_signals_that_would_start_a_second_worker_do_nothing(clouds: Clouds, how: signal.Signals) -> None:
    """The state directory stays with one worker; the log says why."""
    with clouds.foreground() as cloud:
        assert cloud.stdout
        assert cloud.stderr
        first = [next(cloud.stdout), next(cloud.stdout)]
        cloud.send_signal(how)
        warned = next(line for line in cloud.stderr if "does nothing" in line)
        cloud.terminate()
        rest, _ = cloud.communicate(timeout=60)
    assert "relambda stop" in warned
    assert first[1] == "Ready.\n"
    assert "Ready." not in rest
    assert cloud.returncode == 0


def test_logs_show_and_follow(clouds: Clouds, relambda: Command) -> None:
    """The last lines of a cloud in the background, as text and as JSON, and what comes after them."""
    started = clouds.start()
    where = ("--state-dir", started["state_dir"])
    shown = relambda("logs", *where, "--lines", 1)
    told = relambda("logs", *where, "--json")
    assert shown.stdout == "Ready.\n"
    assert {"line": "Ready."} in [json.loads(line) for line in told.stdout.splitlines()]


def test_without_a_log_logs_says_which_clouds_write_one(clouds: Clouds, relambda: Command) -> None:
    """No traceback, no empty answer."""
    refused = relambda("logs", "--state-dir", clouds.directory())
    assert refused.returncode == ExitCode.FAILED
    assert "started with -d" in refused.stderr


def test_a_bad_option_ends_the_start_by_name(clouds: Clouds, relambda: Command) -> None:
    """The message names the variable, before anything is started."""
    refused = relambda("start", "--state-dir", clouds.directory(), LAMBDA_KEEPALIVE_MS="soon")
    assert refused.returncode == ExitCode.USAGE
    assert "LAMBDA_KEEPALIVE_MS='soon'" in refused.stderr
    assert not clouds.directory().exists()


def test_discontinued_options_are_warned_about_at_start(clouds: Clouds, relambda: Command) -> None:
    """On standard error, with the replacement, and standard output stays the answer alone."""
    where = ("--state-dir", clouds.directory())
    done = relambda("start", "-d", "--port", 0, *where, "--json", LAMBDA_STAY_OPEN_MODE="1")
    assert "LAMBDA_STAY_OPEN_MODE does nothing any more" in done.stderr
    assert "LAMBDA_KEEPALIVE_MS" in done.stderr
    assert json.loads(done.stdout)["url"]


def test_the_state_is_where_the_variable_says(clouds: Clouds, relambda: Command) -> None:
    """Given RELAMBDA_STATE_DIR, when a cloud is started, asked and stopped without --state-dir, then it is that one."""
    where = {"RELAMBDA_STATE_DIR": str(clouds.directory("by-variable"))}
    started = relambda("start", "-d", "--port", 0, "--json", **where)
    assert json.loads(started.stdout)["state_dir"] == where["RELAMBDA_STATE_DIR"], started.stderr
    assert (Path(where["RELAMBDA_STATE_DIR"]) / "cloud-id").exists()
    assert relambda("status", **where).returncode == ExitCode.OK
    assert relambda("stop", **where).returncode == ExitCode.OK
    assert relambda("status", **where).returncode == ExitCode.NOT_RUNNING


def test_the_exit_codes_are_in_the_help(relambda: Command) -> None:
    """`relambda --help` documents each one."""
    text = relambda("--help").stdout
    assert all(f"{code.value}  {code.meaning}" in text for code in ExitCode)
