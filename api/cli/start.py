"""`relambda start`: a cloud in the foreground, or with -d in the background."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from relambda.api.cli import daemon
from relambda.api.cli.output import CommandError, answer, common_options, offline_option, read_settings, say
from relambda.api.cloud_file import CloudFile
from relambda.api.exit_codes import ExitCode
from relambda.api.network.listening import CannotListenError, PortInUseError, bind
from relambda.api.settings.debug_config import EXAMPLE, config_of
from relambda.api.settings.discontinued import warnings
from relambda.api.settings.option import SettingsError
from relambda.api.settings.settings import Settings


@click.command
@click.option("-d", "--detach", is_flag=True, help="Run in the background; return when the cloud is ready.")
@click.option("--host", help="Listen on this address [default: 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; 0 takes a free one [default: 4566].")
@offline_option
@common_options
def start(*, detach: bool, state_dir: Path | None, host: str | None, port: int | None, as_json: bool) -> None:
    """Start a cloud.

    Several may run side by side, each with its own --state-dir and --port. A signal (Ctrl-C) stops it: it waits a
    few seconds for invocations that are running; a second one does not wait.
    """
    settings = read_settings(state_dir=state_dir, host=host, port=port)
    for warning in warnings(os.environ):
        say(f"warning: {warning}")
    _check_debugging(settings)
    _refuse_second(settings.state_dir)
    if detach:
        _start_in_background(settings, as_json=as_json)
    else:
        _serve(settings, as_json=as_json)


def _check_debugging(settings: Settings) -> None:
    """A configuration that the cloud could not read ends the command, and not the cloud behind it."""
    try:
        config = config_of(settings)
    except SettingsError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    if settings.debug_mode and config is None:
        say(f"warning: LAMBDA_DEBUG_MODE does nothing without LAMBDA_DEBUG_MODE_CONFIG_PATH: YAML such as {EXAMPLE}")


def _refuse_second(state_dir: Path) -> None:
    found = CloudFile.read(state_dir)
    if found is None:
        return
    if found.master.alive():
        raise CommandError(
            f"a cloud runs on {state_dir} already: pid {found.master.pid}, {found.url}; "
            f"stop it with `relambda stop --state-dir {state_dir}`, or give this one another --state-dir",
            ExitCode.IN_USE,
        )
    if found.worker.alive():
        say(f"waiting for the rest of a cloud that was killed (pid {found.worker.pid}) to stop")
        if not daemon.gone(found.worker):
            raise CommandError(f"pid {found.worker.pid} still serves {state_dir}: kill it", ExitCode.IN_USE)


def _start_in_background(settings: Settings, *, as_json: bool) -> None:
    listens = ",".join(str(listen) for listen in settings.gateway_listen)
    os.environ["GATEWAY_LISTEN"] = listens
    try:
        found = daemon.start(["--state-dir", str(settings.state_dir)], settings.state_dir)
    except daemon.StartFailedError as error:
        codes = [code for code in ExitCode if code == error.code]
        raise CommandError(str(error), codes[0] if codes else ExitCode.TIMED_OUT) from error
    for warning in found.warnings:
        say(f"warning: {warning}")
    answer(describe(found, settings.state_dir), f"Ready. {found.url} (pid {found.master.pid})", as_json=as_json)


def _serve(settings: Settings, *, as_json: bool) -> None:
    from relambda.api.network.bridge import for_containers, host_for_containers  # noqa: PLC0415 as the last one
    from relambda.api.network.complaints import complaints  # noqa: PLC0415 as the last one
    from relambda.api.network.doors import open_doors  # noqa: PLC0415 as the next one
    from relambda.api.server import Server, configure_logging  # noqa: PLC0415 only this command pays for gunicorn

    try:
        bound = bind(settings.gateway_listen)
    except PortInUseError as error:
        raise CommandError(str(error), ExitCode.IN_USE) from error
    except CannotListenError as error:
        raise CommandError(str(error)) from error
    configure_logging(debug=settings.debug)
    with complaints() as warnings_:
        host = host_for_containers(settings)
        bound += for_containers(host, bound)
        doors = open_doors(settings, host)
    Server(settings, bound, doors, _announcement(settings.state_dir, as_json=as_json), warnings_).run()


def _announcement(state_dir: Path, *, as_json: bool) -> Callable[[CloudFile], None]:
    def announce(found: CloudFile) -> None:
        text = f"relambda {found.version} at {found.url}, state in {state_dir}\nReady."
        click.echo(json.dumps(describe(found, state_dir)) if as_json else text)

    return announce


def describe(found: CloudFile, state_dir: Path) -> dict[str, Any]:
    """What `start` and `status` say of a running cloud in JSON."""
    shown = asdict(found)
    return {
        "pid": found.master.pid,
        "state_dir": str(state_dir),
        **{key: shown[key] for key in ("url", "version", "started", "warnings")},
    }
