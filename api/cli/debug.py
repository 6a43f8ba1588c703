"""`relambda debug`."""

import json
from pathlib import Path
from typing import Any

import click

from relambda.api.cli.http_client import CloudUnreachableError, debugged
from relambda.api.cli.output import CommandError, answer, common_options, read_settings
from relambda.api.cloud_file import CloudFile
from relambda.api.exit_codes import ExitCode
from relambda.api.settings.debug_config import EXAMPLE


@click.command
@click.argument("function")
@common_options
def debug(*, function: str, state_dir: Path | None, as_json: bool) -> None:
    """Print what an editor needs to debug FUNCTION, a name or an ARN: port, paths, a launch configuration."""
    directory = read_settings(state_dir=state_dir).state_dir
    found = CloudFile.running(directory)
    if found is None:
        raise CommandError(f"no cloud runs on {directory}", ExitCode.NOT_RUNNING)
    try:
        functions = debugged(found.url)
    except CloudUnreachableError as error:
        raise CommandError(str(error)) from error
    named = [each for each in functions if function in {each["function"], each["function"].split(":", 6)[6]}]
    if len(named) != 1:
        raise CommandError(_advice(function, named))
    answer(named[0], _text(named[0]), as_json=as_json)


def _advice(function: str, named: list[dict[str, Any]]) -> str:
    if named:
        return f"{function} is several functions, give an ARN: {', '.join(each['function'] for each in named)}"
    return (
        f"{function} is not debugged by this cloud: start it with LAMBDA_DEBUG_MODE=1 and "
        f"LAMBDA_DEBUG_MODE_CONFIG_PATH naming a YAML file such as {EXAMPLE}"
    )


def _text(function: dict[str, Any]) -> str:
    lines = [
        f"{function['function']} listens on {function['host']}:{function['port']} once it has been invoked",
        f"timeouts: {function['timeouts']}",
        *(f"{mapping['remoteRoot']} is {mapping['localRoot']}" for mapping in function["path_mappings"]),
        "Visual Studio Code, in .vscode/launch.json:",
        json.dumps(function["launch"], indent=2),
    ]
    return "\n".join(lines)
