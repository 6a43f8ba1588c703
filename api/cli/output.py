"""What every command shares: its options, its errors, and where it writes.

Standard output carries the answer alone (with --json: JSON alone); everything said on the way goes to standard error.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from relambda.api.exit_codes import ExitCode
from relambda.api.settings.option import SettingsError
from relambda.api.settings.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


class CommandError(click.ClickException):
    """Ends a command with a message on standard error and an exit code."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click reads an instance's own


def common_options(command: Command) -> Command:
    """Give a command --state-dir and --json."""
    directory = click.option(
        "--state-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="The cloud's state directory [default: RELAMBDA_STATE_DIR, else the user's own].",
    )
    return directory(json_option(command))


def json_option(command: Command) -> Command:
    """Give a command --json."""
    return click.option("--json", "as_json", is_flag=True, help="Write the answer as JSON.")(command)


def offline_option(command: Command) -> Command:
    """Give a command --offline, which sets RELAMBDA_OFFLINE for whatever reads the settings afterwards."""

    def remember(_context: click.Context, _parameter: click.Parameter, given: object) -> None:
        if given:
            os.environ["RELAMBDA_OFFLINE"] = "1"

    return click.option(
        "--offline",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=remember,
        help="Pull no image; only those present are used.",
    )(command)


def read_settings(*, state_dir: Path | None, host: str | None = None, port: int | None = None) -> Settings:
    """The settings of this environment and command line; a bad one ends the command."""
    try:
        return Settings.read(os.environ, state_dir=state_dir, host=host, port=port)
    except SettingsError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error


def say(message: str) -> None:
    """Say something on the way."""
    click.echo(message, err=True)


def answer(document: Any, text: str, *, as_json: bool) -> None:
    """Write a command's answer: `document` with --json, else `text`."""
    click.echo(json.dumps(document, indent=2, sort_keys=True) if as_json else text)
