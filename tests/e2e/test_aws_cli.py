"""The AWS CLI version 2, the real one: what people's scripts do with functions, and `aws logs tail --follow`."""

import base64
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Protocol

import pytest

pytestmark = pytest.mark.docker

Call = Callable[..., Any]
SAYS = """
def handler(event, context):
    print("said", (event or {}).get("word"))
    return {"heard": event}
"""


class Cli(Protocol):
    """Runs `aws` with arguments."""

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]": ...


def is_version_2(command: str) -> bool:
    """Whether this is the AWS CLI, and its version 2."""
    said = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    return said.startswith("aws-cli/2.")


@pytest.fixture(scope="module")
def aws_cli() -> str:
    """The path of the AWS CLI version 2; the `aws` that is found first may be a virtual environment's version 1."""
    folders = [*os.get_exec_path(), "/usr/bin", "/usr/local/bin"]
    found = (shutil.which("aws", path=folder) for folder in dict.fromkeys(folders))
    command = next((each for each in found if each is not None and is_version_2(each)), None)
    if command is None:
        pytest.fail("there is no AWS CLI version 2: `make aws-cli` installs Debian's package awscli")
    return command


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of a user without configuration files; there is no pager to wait for a key."""
    nothing = str(tmp_path_factory.mktemp("aws") / "none")
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "AWS_CONFIG_FILE": nothing,
        "AWS_SHARED_CREDENTIALS_FILE": nothing,
        "AWS_ACCESS_KEY_ID": "111111111111",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_PAGER": "",
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture
def cli(aws_cli: str, environment: dict[str, str], shared_cloud: Any) -> Cli:
    """Runs `aws` against the shared cloud. Versions before 2.13 know no AWS_ENDPOINT_URL."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [aws_cli, *arguments, "--endpoint-url", shared_cloud.url]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)

    return run


@pytest.fixture
def follow(aws_cli: str, environment: dict[str, str], shared_cloud: Any) -> Iterator[Callable[..., IO[str]]]:
    """Starts `aws logs tail GROUP --follow`, ended with the test as Ctrl-C ends it; its output."""
    running: list[subprocess.Popen[str]] = []

    def start(group: str, *arguments: str) -> IO[str]:
        command = [aws_cli, "logs", "tail", group, "--follow", *arguments, "--endpoint-url", shared_cloud.url]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment))
        output = running[-1].stdout
        assert output is not None
        return output

    yield start
    for process in running:
        with process:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) in {0, 130}


@pytest.fixture
def function(shared_cloud: Any, make_function: Any, call: Call) -> str:
    """A function that has said one word."""
    aws = shared_cloud.client()
    name = str(make_function(aws, SAYS))
    call(aws, name, {"word": "before"})
    return name


def told_until(output: IO[str], *wanted: str) -> list[str]:
    """The lines that come, up to one that holds all of these words."""
    lines = []
    for line in output:
        lines.append(line.rstrip("\n"))
        if all(word in line for word in wanted):
            return lines
    raise AssertionError(f"the output ended before {wanted}: {lines}")


def test_tail_follows(shared_cloud: Any, function: str, call: Call, follow: Callable[..., IO[str]]) -> None:
    """Given `tail --follow`, then what was written before comes, and what is written meanwhile, each line once."""
    output = follow(f"/aws/lambda/{function}", "--since", "1h", "--format", "short")
    before = told_until(output, "REPORT")
    answers = [call(shared_cloud.client(), function, {"word": word})[1] for word in ("one", "two")]
    after = [told_until(output, "REPORT", answer["ResponseMetadata"]["RequestId"]) for answer in answers]

    assert [line.split()[1] for line in before] == ["INIT_START", "START", "said", "END", "REPORT"]
    assert [[line.split()[1:3] for line in lines][1] for lines in after] == [["said", "one"], ["said", "two"]]
    assert [[line.split()[1] for line in lines] for lines in after] == [["START", "said", "END", "REPORT"]] * 2


def test_tail_follows_what_matches(
    shared_cloud: Any, function: str, call: Call, follow: Callable[..., IO[str]]
) -> None:
    """Given a filter pattern, then nothing else comes while it follows."""
    output = follow(f"/aws/lambda/{function}", "--since", "1h", "--filter-pattern", '"said" -two', "--format", "short")
    assert [line.split()[1:] for line in told_until(output, "said")] == [["said", "before"]]
    for word in ("two", "three"):
        call(shared_cloud.client(), function, {"word": word})
    assert [line.split()[1:] for line in told_until(output, "said")] == [["said", "three"]]


def test_tail_formats(cli: Cli, function: str) -> None:
    """Given `tail` without `--follow`, then each line has its time and stream, unless the format leaves them out."""
    group = f"/aws/lambda/{function}"
    detailed = cli("logs", "tail", group).stdout.splitlines()
    short = cli("logs", "tail", group, "--format", "short", "--since", "1h").stdout.splitlines()
    assert len(detailed) == len(short) == 5
    for one, other in zip(detailed, short, strict=True):
        assert one.split(maxsplit=2)[1].count("[$LATEST]") == 1
        assert one.split(maxsplit=2)[2].strip() == other.split(maxsplit=1)[1].strip()
    assert cli("logs", "tail", group, "--since", "2100-01-01T00:00:00").stdout == ""
    (stream,) = json.loads(cli("logs", "describe-log-streams", "--log-group-name", group).stdout)["logStreams"]
    prefix = stream["logStreamName"][:11]
    assert cli("logs", "tail", group, "--log-stream-name-prefix", prefix).stdout.splitlines() == detailed
    assert cli("logs", "tail", group, "--log-stream-names", "other").stdout == ""


@pytest.mark.parametrize("options", [[], ["--follow"]], ids=["once", "following"])
def test_tail_of_nothing(cli: Cli, options: list[str]) -> None:
    """Given a group that does not exist, then the CLI ends with AWS's error."""
    done = cli("logs", "tail", "/aws/lambda/nobody", *options)
    assert done.returncode == 254
    assert "(ResourceNotFoundException)" in done.stderr
    assert "The specified log group does not exist." in done.stderr


def test_a_function_from_a_script(cli: Cli, zipped: Callable[[str], bytes], tmp_path: Path) -> None:
    """Given the README's commands, then a function is created, waited for, invoked with raw JSON, and deleted."""
    package, answer = tmp_path / "hello.zip", tmp_path / "answer.json"
    package.write_bytes(zipped(SAYS))
    named = ["--function-name", "cli-v2-hello"]

    def done(*arguments: str) -> str:
        ended = cli("lambda", *arguments)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    role = ["--role", "arn:aws:iam::111111111111:role/any"]
    code = ["--runtime", "python3.11", "--handler", "index.handler", "--zip-file", f"fileb://{package}"]
    assert json.loads(done("create-function", *named, *code, *role))["State"] == "Pending"
    assert done("wait", "function-active-v2", *named) == ""
    raw = ["--cli-binary-format", "raw-in-base64-out", "--payload", '{"word": "raw"}']
    invoked = json.loads(done("invoke", *named, *raw, str(answer)))
    assert invoked == {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
    assert json.loads(answer.read_text()) == {"heard": {"word": "raw"}}
    log = ["--log-type", "Tail", "--query", "LogResult", "--output", "text"]
    encoded = base64.b64encode(b'{"word": "encoded"}').decode()
    tail = base64.b64decode(done("invoke", *named, "--payload", encoded, *log, str(answer))).decode()
    assert "said encoded\n" in tail
    done("update-function-configuration", *named, "--timeout", "7", "--environment", "Variables={STAGE=dev}")
    assert done("wait", "function-updated-v2", *named) == ""
    about = ["--query", "[Timeout,Environment.Variables.STAGE]", "--output", "text"]
    assert done("get-function-configuration", *named, *about).split() == ["7", "dev"]
    done("delete-function", *named)
    missing = cli("lambda", "get-function", *named)
    assert (missing.returncode, "(ResourceNotFoundException)" in missing.stderr) == (254, True)


def test_listing_with_queries_and_pages(cli: Cli, shared_cloud: Any, function: str) -> None:
    """Given five versions, then pages of the service and of the CLI, and queries over them, show each once."""
    aws = shared_cloud.client()
    for number in range(5):
        aws.update_function_configuration(FunctionName=function, Description=f"{number}")
        aws.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig={"Delay": 0.05})
        aws.publish_version(FunctionName=function)
    named = ["lambda", "list-versions-by-function", "--function-name", function]
    every = ["$LATEST", "1", "2", "3", "4", "5"]
    query = ["--query", "Versions[].Version", "--output", "text"]
    assert cli(*named, *query, "--page-size", "2").stdout.split() == every
    assert cli(*named, *query, "--no-paginate").stdout.split() == every
    found: list[str] = []
    more: list[str] = []
    while True:
        page = json.loads(cli(*named, "--max-items", "4", *more).stdout)
        found += [each["Version"] for each in page["Versions"]]
        if "NextToken" not in page:
            break
        more = ["--starting-token", page["NextToken"]]
    assert found == every
    own = f"Functions[?FunctionName=='{function}'].[Runtime,MemorySize]"
    shown = cli("lambda", "list-functions", "--query", own, "--output", "text").stdout
    assert shown.split() == ["python3.11", "128"]
