"""The demonstration that `make run` ends with: a function runs, survives a restart, and travels in a snapshot."""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from relambda.api.cli import log_file
from relambda.api.cloud_file import CloudFile
from relambda.api.settings.settings import Settings

FUNCTION = "relambda-demo"
RUNTIME = os.environ.get("RELAMBDA_DEMO_RUNTIME", "python3.11")
ACCOUNT, REGION = "000000000000", "us-east-1"
COMMAND_SECONDS = 150
WAIT = {"Delay": 1, "MaxAttempts": 120}
HANDLER = """
count = 0


def handler(event, context):
    global count
    count += 1
    return {"hello": event.get("name", "you"), "count": count}
"""


class DemoError(Exception):
    """Raised when a step did not do what it promises; the message says which and how."""


class Demo:
    """The steps, each printed with its time."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def run(self) -> None:
        """Go through all steps. Raises DemoError at the first that fails; leaves the cloud running."""
        with self._step("start the cloud in the background"):
            cloud = restart(Settings.read(os.environ).state_dir)
        self._first_life(cloud)
        with self._step("restart the cloud"):
            cloud = restart(Path(cloud["state_dir"]))
        with self._step("invoke after the restart: nothing was lost"):
            expect_count(client(cloud), 1)
        with tempfile.TemporaryDirectory(prefix="relambda-demo-") as scratch:
            self._travel(cloud, Path(scratch))
        self._say_how_to_use(cloud["url"])

    def _first_life(self, cloud: dict[str, Any]) -> None:
        aws = client(cloud)
        with self._step(f"create the function {FUNCTION} ({RUNTIME})"):
            create(aws)
        with self._step("wait until it is Active, with the SDK's own waiter"):
            aws.get_waiter("function_active_v2").wait(FunctionName=FUNCTION, WaiterConfig=WAIT)
        with self._step("invoke it cold: a container starts"):
            expect_count(aws, 1)
        with self._step("invoke it warm"):
            expect_count(aws, 2)

    def _travel(self, cloud: dict[str, Any], scratch: Path) -> None:
        pod, elsewhere = scratch / "demo.pod", scratch / "state"
        with self._step("export a snapshot"):
            relambda("snapshot", "export", str(pod), "--state-dir", cloud["state_dir"])
        with self._step("start an empty cloud, on a free port"):
            empty = relambda("start", "-d", "--host", "127.0.0.1", "--port", "0", "--state-dir", str(elsewhere))
        try:
            with self._step("import the snapshot there"):
                relambda("snapshot", "import", str(pod), "--state-dir", str(elsewhere))
            with self._step("invoke there"):
                expect_count(client(empty), 1)
        finally:
            with self._step("stop that cloud and remove it"):
                relambda("stop", "--state-dir", str(elsewhere))
                shutil.rmtree(elsewhere)

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        except (BotoCoreError, ClientError, OSError) as error:
            raise DemoError(f"{what}: {error}") from error
        self._console.print(f"[green]✓[/] {what:<58} {(time.perf_counter() - began) * 1000:>9.1f} ms")

    def _say_how_to_use(self, url: str) -> None:
        self._console.print(f"\nThe cloud runs at [bold]{url}[/]. Use it as you use AWS:\n")
        self._console.print(
            f"  export AWS_ACCESS_KEY_ID={ACCOUNT} AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION={REGION}"
        )
        self._console.print(f"  aws --endpoint-url {url} lambda list-functions")
        self._console.print(f"  aws --endpoint-url {url} lambda invoke --function-name {FUNCTION} /dev/stdout")
        self._console.print("\n`.venv/bin/relambda stop` stops it, and `relambda start -d` brings everything back.")


def relambda(*arguments: str) -> dict[str, Any]:
    """Run the command with --json and return its answer. Raises DemoError with what it said."""
    command = [sys.executable, "-P", "-m", "relambda.api.cli", *arguments, "--json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=True)
    except subprocess.CalledProcessError as error:
        raise DemoError(f"relambda {' '.join(arguments)} failed:\n{error.stderr}") from error
    except subprocess.TimeoutExpired as error:
        raise DemoError(f"relambda {' '.join(arguments)} took longer than {COMMAND_SECONDS} s") from error
    return dict(json.loads(done.stdout))


def restart(state_dir: Path) -> dict[str, Any]:
    """Stop the cloud of a directory if one runs, and start it."""
    where = ("--state-dir", str(state_dir))
    relambda("stop", *where)
    return relambda("start", "-d", *where)


def client(cloud: dict[str, Any]) -> Any:
    """An SDK's client of a cloud."""
    return boto3.client(
        "lambda",
        endpoint_url=cloud["url"],
        region_name=REGION,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="any",  # noqa: S106 a local cloud takes any
        config=Config(retries={"total_max_attempts": 1}, read_timeout=60, proxies={}),
    )


def create(aws: Any) -> None:
    """Create the function, in the place of one that an earlier run left."""
    with suppress(aws.exceptions.ResourceNotFoundException):
        aws.delete_function(FunctionName=FUNCTION)
    aws.create_function(
        FunctionName=FUNCTION,
        Runtime=RUNTIME,
        Role=f"arn:aws:iam::{ACCOUNT}:role/demo",
        Handler="index.handler",
        Code={"ZipFile": zipped(HANDLER)},
    )


def zipped(source: str) -> bytes:
    """A function's code as a zip."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("index.py", source)
    return body.getvalue()


def expect_count(aws: Any, count: int) -> None:
    """Invoke, and expect the answer of an environment that was invoked `count` times. Raises DemoError."""
    answer = aws.invoke(FunctionName=FUNCTION, Payload=json.dumps({"name": "world"}))
    said = answer["Payload"].read().decode()
    if answer.get("FunctionError") or json.loads(said) != {"hello": "world", "count": count}:
        raise DemoError(f"the function answered {said} where the count {count} was expected")


def main() -> None:
    """Run the demonstration; exit 1 with a message when a step fails."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        Demo(console).run()
    except DemoError as error:
        console.print(f"[red]✗[/] {error}", style=None, markup=True)
        state_dir = Settings.read(os.environ).state_dir
        if CloudFile.running(state_dir):
            log = log_file.path_of(state_dir)
            console.print("\n".join([f"The last lines of {log}:", *log_file.last_lines(log, 20)]), markup=False)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
