"""`relambda logs`."""

import json
import os
import re
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path

import click

from relambda.api.cli import log_file
from relambda.api.cli.function_logs import Event, Function, FunctionLogs
from relambda.api.cli.http_client import CloudRefusedError, CloudUnreachableError
from relambda.api.cli.output import CommandError, common_options, read_settings
from relambda.api.cloud_file import CloudFile
from relambda.api.exit_codes import ExitCode

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_AGO = re.compile(r"(\d{1,9})([smhd])")


class Since(click.ParamType[int]):
    """A time, told as so long ago (10m, 2h) or in ISO 8601; milliseconds since 1970."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it, or end the command."""
        if isinstance(value, int):
            return value
        if ago := _AGO.fullmatch(str(value)):
            return time.time_ns() // 1_000_000 - int(ago[1]) * UNITS[ago[2]] * 1000
        try:
            return int(datetime.fromisoformat(str(value)).astimezone().timestamp() * 1000)
        except ValueError:
            self.fail(f"{value} is neither so long ago, as 30s, 10m, 2h or 1d, nor a time in ISO 8601", param, ctx)


@click.command
@click.argument("function", required=False)
@click.option("-f", "--follow", "follows", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(0, 1_000_000), default=100, show_default=True)
@click.option("--since", type=Since(), help="All of a function's log from a time on: 10m, 2h, or 2026-01-31T12:00.")
@common_options
def logs(
    *, function: str | None, follows: bool, lines: int, since: int | None, state_dir: Path | None, as_json: bool
) -> None:
    """Show the log of FUNCTION, a name or an ARN; without it, that of a cloud that was started with -d.

    A name is looked for in the account and region that AWS_ACCESS_KEY_ID and AWS_REGION say, as the AWS CLI does.
    With --json, one JSON object a line.
    """
    directory = read_settings(state_dir=state_dir).state_dir
    if function is None:
        if since is not None:
            raise CommandError("--since goes with a function's name", ExitCode.USAGE)
        _show_cloud(directory, lines, follows=follows, as_json=as_json)
        return
    try:
        _show_function(directory, function, lines, since, follows=follows, as_json=as_json)
    except (CloudRefusedError, CloudUnreachableError) as error:
        raise CommandError(f"no logs of {function}: {error}") from error


def _show_cloud(directory: Path, lines: int, *, follows: bool, as_json: bool) -> None:
    path = log_file.path_of(directory)
    if not path.exists() and not follows:
        raise CommandError(f"there is no log at {path}: only a cloud that was started with -d writes one")
    shown, end = log_file.tail(path, lines)
    for line in chain(shown, log_file.follow(path, end) if follows else ()):
        click.echo(json.dumps({"line": line}) if as_json else line)


def _show_function(directory: Path, name: str, lines: int, since: int | None, *, follows: bool, as_json: bool) -> None:
    found = CloudFile.running(directory)
    if found is None:
        raise CommandError(f"no cloud runs on {directory}", ExitCode.NOT_RUNNING)
    try:
        function = Function.named(name, os.environ)
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    logs = FunctionLogs(found.url, function)
    shown = logs.last(lines) if since is None else list(logs.since(since))
    events: Iterator[Event] = chain(shown, logs.follow(shown) if follows else ())
    for event in events:
        click.echo(json.dumps(event) if as_json else event["message"].rstrip("\r\n"))
