"""`relambda logs`."""

import json
from itertools import chain
from pathlib import Path

import click

from relambda.api import log_file
from relambda.api.cli_output import CommandError, common_options, read_settings


@click.command
@click.option("-f", "--follow", "follows", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(0, 1_000_000), default=100, show_default=True)
@common_options
def logs(*, follows: bool, lines: int, state_dir: Path | None, as_json: bool) -> None:
    """Show the log of a cloud that was started with -d; with --json, one JSON object a line."""
    path = log_file.path_of(read_settings(state_dir=state_dir).state_dir)
    if not path.exists() and not follows:
        raise CommandError(f"there is no log at {path}: only a cloud that was started with -d writes one")
    shown, end = log_file.tail(path, lines)
    for line in chain(shown, log_file.follow(path, end) if follows else ()):
        click.echo(json.dumps({"line": line}) if as_json else line)
