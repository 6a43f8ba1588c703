"""`relambda status`."""

from pathlib import Path

import click

from relambda.api.cli.http_client import health
from relambda.api.cli.output import CommandError, answer, common_options, read_settings
from relambda.api.cli.start import describe
from relambda.api.cloud_file import CloudFile
from relambda.api.exit_codes import ExitCode


@click.command
@common_options
def status(*, state_dir: Path | None, as_json: bool) -> None:
    """Say whether a cloud runs on the state directory, where, and how it feels."""
    directory = read_settings(state_dir=state_dir).state_dir
    found = CloudFile.running(directory)
    if found is None:
        answer({"running": False, "state_dir": str(directory)}, f"no cloud runs on {directory}", as_json=as_json)
        raise SystemExit(ExitCode.NOT_RUNNING)
    feels = health(found.url)
    if feels is None:
        raise CommandError(
            f"the cloud of {directory} (pid {found.master.pid}) does not answer at {found.url}; "
            "`relambda logs` may tell why"
        )
    document = {"running": True, "health": feels, **describe(found, directory)}
    text = f"running at {found.url} (pid {found.master.pid}, since {found.started}), state in {directory}"
    answer(document, text, as_json=as_json)
