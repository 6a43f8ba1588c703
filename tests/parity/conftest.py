"""One cloud for the whole suite, as users have it: started by the command line, spoken to by boto3."""

import io
import json
import os
import subprocess
import sys
import threading
import uuid
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

SECONDS = 120
ACCOUNT, REGION = "111111111111", "us-east-1"
ROLE = "arn:aws:iam::111111111111:role/parity"
STAND_INS = ("python3.12", "python3.13", "nodejs22.x", "java21", "provided.al2023")
_OURS = ("LAMBDA_", "RELAMBDA_", "GATEWAY_", "AWS_", "BUCKET_MARKER_", "DNS_", "DEBUG")


def _run(*words: object, **options: str) -> str:
    """Run a Python program with these options of a cloud, and nothing of the caller's own; what it prints."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    command = [sys.executable, "-P", *(str(word) for word in words)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, check=False, env={**environ, **options}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _relambda(*arguments: object, **options: str) -> str:
    """Run the command line."""
    return _run("-m", "relambda.api.cli", *arguments, **options)


class S3(ThreadingHTTPServer):
    """A store of objects by `/bucket/key`, as S3 serves them to who reads them."""

    daemon_threads = True

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        super().__init__(("127.0.0.1", 0), _S3Request)


class _S3Request(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, S3)
        found = self.server.objects.get(self.path.partition("?")[0])
        missing = b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"
        body = missing if found is None else found
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """The S3 that the cloud fetches code from."""
    with S3() as server:
        thread = threading.Thread(target=server.serve_forever, name="s3")
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


class StartCloud(Protocol):
    """Starts a cloud with options; answers what `relambda start --json` does: its `url`, `state_dir`, `pid`."""

    def __call__(self, **options: str) -> dict[str, Any]: ...


@pytest.fixture(scope="session")
def start_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartCloud]:
    """Starts clouds, which are stopped at the end."""
    places: list[tuple[object, ...]] = []

    def start(**options: str) -> dict[str, Any]:
        where = ("--state-dir", tmp_path_factory.mktemp("parity") / "state")
        started = _relambda("start", "-d", "--host", "127.0.0.1", "--port", 0, *where, "--json", **options)
        places.append(where)
        answer: dict[str, Any] = json.loads(started)
        return answer

    yield start
    for where in places:
        _relambda("stop", *where)


Replay = Callable[[], set[str]]
_REPLAY = Path(__file__).with_name("replay.py")


@pytest.fixture(scope="session")
def cloud_options(python_image: str, s3: S3) -> dict[str, str]:
    """The options of the suite's cloud.

    Where AWS ties a feature to other runtimes, their functions become Active here on python3.11's image.
    """
    return {
        "LAMBDA_RUNTIME_IMAGE_MAPPING": json.dumps(dict.fromkeys(STAND_INS, python_image)),
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{s3.server_port}",
    }


@pytest.fixture(scope="session")
def cloud(cloud_options: dict[str, str], start_cloud: StartCloud) -> Iterator[dict[str, Any]]:
    """The cloud of the suite. After all that was done to it, its log alone must make the same cloud: see replay.py."""
    started = start_cloud(**cloud_options)
    yield started
    _run(_REPLAY, started["url"], **cloud_options)


@pytest.fixture(scope="session")
def replay(cloud: dict[str, Any], cloud_options: dict[str, str]) -> Replay:
    """Replays the log of the suite's cloud into a fresh process; the operations that were asked of both."""
    return lambda: set(_run(_REPLAY, cloud["url"], **cloud_options).split())


@pytest.fixture(scope="session")
def session() -> boto3.session.Session:
    """Reads the model once for all clients."""
    return boto3.session.Session()


def _client(session: boto3.session.Session, url: str, account: str, region: str, **config: Any) -> Any:
    """A Lambda client that does not retry."""
    return session.client(
        "lambda",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=account,
        aws_secret_access_key="parity",
        config=Config(**{"retries": {"total_max_attempts": 1}, "max_pool_connections": 20, **config}),
    )


@pytest.fixture(scope="session")
def aws_of(session: boto3.session.Session) -> Iterator[Callable[[dict[str, Any]], Any]]:
    """Makes clients of account 111111111111 in us-east-1 of any cloud."""
    made: list[Any] = []

    def client(cloud: dict[str, Any]) -> Any:
        made.append(_client(session, cloud["url"], ACCOUNT, REGION))
        return made[-1]

    yield client
    for each in made:
        each.close()


class Clients(Protocol):
    """Makes Lambda clients of an account and region of the cloud."""

    def __call__(self, account: str = ACCOUNT, region: str = REGION, **config: Any) -> Any: ...


@pytest.fixture(scope="session")
def other_aws(cloud: dict[str, Any], session: boto3.session.Session) -> Iterator[Clients]:
    """Clients of any account and region; `config` is for botocore's Config. They do not retry."""
    made: dict[str, Any] = {}

    def client(account: str = ACCOUNT, region: str = REGION, **config: Any) -> Any:
        key = repr((account, region, config))
        if key not in made:
            made[key] = _client(session, cloud["url"], account, region, **config)
        return made[key]

    yield client
    for each in made.values():
        each.close()


@pytest.fixture(scope="session")
def aws(other_aws: Clients) -> Any:
    """The Lambda client of account 111111111111 in us-east-1."""
    return other_aws()


@pytest.fixture(scope="session")
def raw_aws(other_aws: Clients) -> Any:
    """The same client without the SDK's own checks: what it is given is what the cloud gets."""
    return other_aws(parameter_validation=False)


def _zip(source: str = "def handler(event, context):\n    return event\n", name: str = "app.py") -> bytes:
    """A deployment package of one file, the same bytes for the same source."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), source)
    return content.getvalue()


@pytest.fixture(scope="session")
def make_zip() -> Callable[..., bytes]:
    """Makes a deployment package of one Python source, `app.py` unless named otherwise."""
    return _zip


@pytest.fixture(scope="session")
def function_zip() -> bytes:
    """A deployment package whose `app.handler` answers its event."""
    return _zip()


def _fresh(stem: str = "f") -> str:
    return f"{stem}-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def fresh() -> Callable[..., str]:
    """Makes names that no other test uses, from a stem when one is given."""
    return _fresh


class Wait(Protocol):
    """Waits with one of boto3's waiters, many times a second."""

    def __call__(self, waiter: str, name: str, client: Any = None, **given: Any) -> None: ...


@pytest.fixture(scope="session")
def wait(aws: Any) -> Wait:
    """Waits for a function with the SDK's own waiters, looking every 30 ms for at most a minute."""

    def until(waiter: str, name: str, client: Any = None, **given: Any) -> None:
        waiting = (client or aws).get_waiter(waiter)
        waiting.wait(FunctionName=name, WaiterConfig={"Delay": 0.03, "MaxAttempts": 2000}, **given)

    return until


class MakeFunction(Protocol):
    """Creates a function and waits until it is Active; answers what CreateFunction answered."""

    def __call__(self, name: str | None = None, client: Any = None, **create_args: Any) -> dict[str, Any]: ...


@pytest.fixture
def make_function(aws: Any, wait: Wait) -> Iterator[MakeFunction]:
    """Makes functions, python3.11 and echoing unless told otherwise; they are deleted after the test."""
    made: list[tuple[Any, str]] = []

    def make(name: str | None = None, client: Any = None, **create_args: Any) -> dict[str, Any]:
        name, by = name or _fresh("made"), client or aws
        ordinary = {"Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler", "Code": {"ZipFile": _zip()}}
        if create_args.get("PackageType") == "Image":
            ordinary = {"Role": ROLE}
        answer: dict[str, Any] = by.create_function(FunctionName=name, **{**ordinary, **create_args})
        made.append((by, name))
        wait("function_active_v2", name, by)
        return answer

    yield make
    for by, name in made:
        try:
            by.delete_function(FunctionName=name)
        except by.exceptions.ResourceNotFoundException:
            continue


@pytest.fixture(scope="session")
def request_of(function_zip: bytes) -> Callable[..., dict[str, Any]]:
    """Makes requests of CreateFunction that are good but for what they are given; None leaves a member out."""

    def make(**given: Any) -> dict[str, Any]:
        ordinary = {
            "FunctionName": _fresh(),
            "Runtime": "python3.11",
            "Role": ROLE,
            "Handler": "app.handler",
            "Code": {"ZipFile": function_zip},
        }
        return {member: value for member, value in {**ordinary, **given}.items() if value is not None}

    return make


class Answer:
    """A refusal as it came: status, code, message, and the body's own members."""

    def __init__(self, error: ClientError) -> None:
        response = error.response
        self.status: int = response["ResponseMetadata"]["HTTPStatusCode"]
        self.code: str = response["Error"]["Code"]
        self.message: str | None = response["Error"].get("Message")
        self.type: str | None = response.get("Type")
        self.headers: dict[str, str] = response["ResponseMetadata"]["HTTPHeaders"]
        self.members: dict[str, Any] = response

    @property
    def told(self) -> tuple[int, str, str | None]:
        """Status, code and message."""
        return self.status, self.code, self.message


class Refused(Protocol):
    """Calls an operation that must be refused; answers what came."""

    def __call__(self, call: Callable[..., Any], **given: Any) -> Answer: ...


@pytest.fixture(scope="session")
def refused() -> Refused:
    """Calls what must be refused."""

    def call_refused(call: Callable[..., Any], **given: Any) -> Answer:
        with pytest.raises(ClientError) as caught:
            call(**given)
        return Answer(caught.value)

    return call_refused


@pytest.fixture(scope="session")
def position(cloud: dict[str, Any]) -> Callable[[], int]:
    """The number of the last event in the log: a refused request leaves it as it was."""
    from urllib.request import urlopen

    def read() -> int:
        with urlopen(f"{cloud['url']}/_relambda/health", timeout=30) as answer:
            return int(json.load(answer)["position"])

    return read


@pytest.fixture(scope="session")
def state_dir(cloud: dict[str, Any]) -> Path:
    """Where the cloud keeps its state."""
    return Path(cloud["state_dir"])


@pytest.fixture
def publish_layer(aws: Any, fresh: Callable[..., str], make_zip: Callable[..., bytes]) -> Callable[..., Any]:
    """Publishes versions of layers, with a small zip unless another one is given."""

    def publishing(name: str | None = None, zipped: bytes | None = None, **given: Any) -> Any:
        content = {"ZipFile": zipped or make_zip("x = 1\n", "python/shared.py")}
        return aws.publish_layer_version(LayerName=name or fresh("layer"), Content=content, **given)

    return publishing


PLACE: dict[str, Any] = {
    "VpcConfig": {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
    "PermissionsConfig": {"CapacityProviderOperatorRoleArn": "arn:aws:iam::111111111111:role/operator"},
}


class Providers:
    """Makes capacity providers and waits for what they become; `by` another client, they are left there."""

    def __init__(self, aws: Any, fresh: Callable[..., str]) -> None:
        self._aws, self._fresh = aws, fresh
        self.made: list[str] = []

    def __call__(self, name: str | None = None, **given: Any) -> dict[str, Any]:
        name = name or self._fresh("provider")
        answer: dict[str, Any] = self._aws.create_capacity_provider(CapacityProviderName=name, **{**PLACE, **given})
        self.made.append(name)
        self._wait(lambda: self._state(name) != "Pending")
        return answer

    def by(self, aws: Any) -> "Providers":
        return Providers(aws, self._fresh)

    def delete(self, name: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._aws.delete_capacity_provider(CapacityProviderName=name)
        self.made.remove(name)
        self._wait(lambda: self._state(name) != "Deleting")
        return answer

    def _wait(self, holds: Callable[[], bool]) -> None:
        """Look again, a round trip each time, until it is so."""
        assert any(holds() for _ in range(5_000))

    def _state(self, name: str) -> str:
        try:
            provider = self._aws.get_capacity_provider(CapacityProviderName=name)["CapacityProvider"]
        except self._aws.exceptions.ResourceNotFoundException:
            return "gone"
        return str(provider["State"])


@pytest.fixture
def providers(aws: Any, fresh: Callable[..., str]) -> Iterator[Providers]:
    """Makes providers that are deleted after the test."""
    making = Providers(aws, fresh)
    yield making
    for name in list(making.made):
        making.delete(name)


@pytest.fixture
def managed(aws: Any, providers: Providers, python_image: str) -> Callable[..., dict[str, Any]]:
    """Makes functions of managed instances, with a provider of their own."""

    def make(provider: str, name: str) -> dict[str, Any]:
        arn = providers(provider)["CapacityProvider"]["CapacityProviderArn"]
        config = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": arn}}
        code = {"PackageType": "Image", "Code": {"ImageUri": python_image}}
        answer: dict[str, Any] = aws.create_function(
            FunctionName=name, Role=ROLE, CapacityProviderConfig=config, **code
        )
        assert any(aws.get_function_configuration(FunctionName=name)["State"] != "Pending" for _ in range(5_000))
        return answer

    return make
