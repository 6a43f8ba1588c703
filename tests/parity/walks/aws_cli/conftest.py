"""The AWS CLI (v1), as a user runs it: a process for each command, told of the cloud by AWS_ENDPOINT_URL_LAMBDA."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

AWS = str(Path(sys.executable).with_name("aws"))
SECONDS = 120
TRIES = 60


class Cli:
    """`aws lambda` of an account: `cli("get-function", function_name="f")` is its answer."""

    def __init__(self, account: str, environment: dict[str, str]) -> None:
        self.account = account
        self._environment = environment

    def __call__(self, command: str, *arguments: str, **options: Any) -> Any:
        """Run a command that must succeed; what it prints, read from JSON when it is some."""
        done = self._run(command, *arguments, **options)
        assert done.returncode == 0, f"{done.args}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    def refused(self, command: str, *arguments: str, **options: Any) -> str:
        """Run a command that must fail; the error's code."""
        done = self._run(command, *arguments, **options)
        assert done.returncode, f"{done.args} was not refused: {done.stdout}"
        return done.stderr.partition("(")[2].partition(")")[0]

    def usage(self, *arguments: str) -> str:
        """What the CLI says to arguments that it does not know."""
        return self._run(*arguments).stderr

    def wait(self, waiter: str, **options: Any) -> None:
        """Run `aws lambda wait`."""
        self("wait", waiter, **options)

    def becomes(self, holds: Callable[[Any], bool], command: str, **options: Any) -> Any:
        """Ask until the answer is as it should be; the answer. Each time takes a process's start."""
        answers = (self(command, **options) for _ in range(TRIES))
        found = next((answer for answer in answers if holds(answer)), None)
        assert found is not None, f"{command} of {options} did not become what it should"
        return found

    def pages(self, command: str, member: str, size: int = 2, **options: Any) -> list[list[Any]]:
        """A list in pages of `--max-items`, each begun by the one before's `--starting-token`."""
        page = self(command, max_items=size, **options)
        found = [page[member]]
        while "NextToken" in page:
            page = self(command, max_items=size, starting_token=page["NextToken"], **options)
            found.append(page[member])
        return found

    def arn(self, resource: str) -> str:
        """The ARN of a Lambda resource of the account."""
        return f"arn:aws:lambda:us-east-1:{self.account}:{resource}"

    @property
    def role(self) -> str:
        """A role's ARN."""
        return f"arn:aws:iam::{self.account}:role/walk"

    def _run(self, command: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        words = [AWS, "lambda", command, *arguments, *(word for name in options for word in _words(name, options))]
        return subprocess.run(
            words, env=self._environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )


def _words(name: str, options: dict[str, Any]) -> list[str]:
    """An option and its value: True is the option alone, False its `--no-` form, a structure is JSON."""
    option, value = name.replace("_", "-"), options[name]
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    return [f"--{option}", json.dumps(value) if isinstance(value, dict | list) else str(value)]


@pytest.fixture(scope="session")
def make_cli(caller: Callable[[str], dict[str, str]]) -> Callable[[str], Cli]:
    """Makes the CLI of an account."""
    return lambda account: Cli(account, caller(account))


class MakeFunction(Protocol):
    """Creates a function with the CLI; it is Pending."""

    def __call__(self, cli: Cli, name: str, **options: Any) -> dict[str, Any]: ...


@pytest.fixture(scope="session")
def make_function(package: Path) -> MakeFunction:
    """Makes functions of Python 3.11 that echo."""

    def make(cli: Cli, name: str, **options: Any) -> dict[str, Any]:
        ordinary = {"runtime": "python3.11", "handler": "app.handler", "role": cli.role}
        ordinary["zip_file"] = f"fileb://{package}"
        made: dict[str, Any] = cli("create-function", function_name=name, **{**ordinary, **options})
        return made

    return make
