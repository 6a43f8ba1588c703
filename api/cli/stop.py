"""`relambda stop`."""

from pathlib import Path

import click

from relambda.api.cli import daemon
from relambda.api.cli.output import CommandError, answer, common_options, read_settings
from relambda.api.cloud_file import CloudFile
from relambda.api.exit_codes import ExitCode


@click.command
@click.option("--timeout", type=click.FloatRange(0.1), default=daemon.STOP_WAIT_SECONDS, show_default=True)
@common_options
def stop(*, state_dir: Path | None, timeout: float, as_json: bool) -> None:
    """Stop a cloud; it waits a few seconds for invocations that are running. Stopping a stopped one is no error."""
    directory = read_settings(state_dir=state_dir).state_dir
    found = CloudFile.running(directory)
    if found is None:
        answer({"stopped": False, "state_dir": str(directory)}, f"no cloud runs on {directory}", as_json=as_json)
        return
    if not daemon.stop(found, timeout):
        raise CommandError(
            f"the cloud of {directory} (pid {found.master.pid}) still runs after {timeout:g} s; "
            f"`kill -9 {found.master.pid} {found.worker.pid}` ends it, and loses nothing that was acknowledged",
            ExitCode.TIMED_OUT,
        )
    document = {"stopped": True, "state_dir": str(directory), "pid": found.master.pid}
    answer(document, f"stopped the cloud of {directory} (pid {found.master.pid})", as_json=as_json)
