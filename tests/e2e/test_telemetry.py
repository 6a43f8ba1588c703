"""What a function's extensions are told through the Telemetry and Logs APIs, and where they run."""

import io
import json
import socket
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from relambda.actors.engine.docker_engine import DockerEngine

pytestmark = pytest.mark.docker

Call = Callable[..., Any]

COLLECTOR = """#!/var/lang/bin/python3.11
import contextlib, http.server, json, os, socket, socketserver, threading, urllib.request

base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}"


observer = socket.create_connection((os.environ["OBSERVER"], int(os.environ["PORT"])))
one_at_a_time = threading.Lock()


def keep(events):
    with one_at_a_time:
        observer.sendall("".join(json.dumps(event) + "\\n" for event in events).encode())


class ByHttp(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        keep(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class ByTcp(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            keep([{**json.loads(line), "by": "tcp"}])


def ask(method, path, body=None, **headers):
    request = urllib.request.Request(base + path, body and json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return dict(answer.headers), answer.read()


name = {"Lambda-Extension-Name": "collector"}
headers, _ = ask("POST", "/2020-01-01/extension/register", {"events": ["INVOKE"]}, **name)
me = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}
web = http.server.ThreadingHTTPServer(("sandbox.localdomain", 4243), ByHttp)
tcp = socketserver.ThreadingTCPServer(("sandbox.localdomain", 4244), ByTcp)
for server in (web, tcp):
    threading.Thread(target=server.serve_forever, daemon=True).start()
soon = {"timeoutMs": 25}
ask("PUT", "/2022-07-01/telemetry", {
    "schemaVersion": "2022-12-13", "types": ["platform", "function", "extension"], "buffering": soon,
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/"}}, **me)
ask("PUT", "/2020-08-15/logs", {
    "schemaVersion": "2021-03-18", "types": ["platform"], "buffering": soon,
    "destination": {"protocol": "TCP", "port": 4244}}, **me)
print("the extension is ready", flush=True)
with contextlib.suppress(FileExistsError):
    os.mkfifo("/tmp/subscribed")
subscribed = os.open("/tmp/subscribed", os.O_RDWR)
os.write(subscribed, b"x")
while True:
    ask("GET", "/2020-01-01/extension/event/next", **me)
"""

LATE = """#!/var/lang/bin/python3.11
import contextlib, os, urllib.request

with contextlib.suppress(FileExistsError):
    os.mkfifo("/tmp/subscribed")
with open("/tmp/subscribed", "rb", buffering=0) as subscribed:
    subscribed.read(1)
base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2020-01-01/extension"
name = {"Lambda-Extension-Name": "late"}
with urllib.request.urlopen(urllib.request.Request(f"{base}/register", b'{"events": []}', name)) as answer:
    me = {"Lambda-Extension-Identifier": answer.headers["Lambda-Extension-Identifier"]}
urllib.request.urlopen(urllib.request.Request(f"{base}/event/next", headers=me))
"""

FUNCTION = """
import json, os, urllib.request

print("loaded")


def handler(event, context):
    print("handled", context.aws_request_id)
    if event == "metadata":
        url = f"http://{os.environ['AWS_LAMBDA_METADATA_API']}/2026-01-15/metadata/execution-environment"
        token = f"Bearer {os.environ['AWS_LAMBDA_METADATA_TOKEN']}"
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": token})) as answer:
            return json.load(answer)
    if event == "raise":
        raise ValueError("no")
"""


STREAMER = """#!/var/lang/bin/python3.11
import http.client, os, time

runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
streaming = {"Lambda-Runtime-Function-Response-Mode": "streaming"}


def slowly():
    yield b'"first '
    time.sleep(1)
    yield b'last"'


while True:
    runtime.request("GET", "/2018-06-01/runtime/invocation/next")
    event = runtime.getresponse()
    event.read()
    answer = f"/2018-06-01/runtime/invocation/{event.headers['Lambda-Runtime-Aws-Request-Id']}/response"
    runtime.request("POST", answer, slowly(), streaming)
    runtime.getresponse().read()
"""


@pytest.fixture
def aws(shared_cloud: Any) -> Any:
    """A client of the shared cloud."""
    return shared_cloud.client()


@pytest.fixture
def observer(docker_engine: DockerEngine) -> Iterator[socket.socket]:
    """Where the extension sends all that it is told, a JSON document a line."""
    with socket.create_server((docker_engine.runtime_api_host(), 0)) as listener:
        listener.settimeout(50)
        yield listener


@pytest.fixture
def make_observed(aws: Any, make_function: Any, observer: socket.socket) -> Callable[..., str]:
    """Creates functions with an extension that is told everything; arguments are members of their configuration."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for path, source in (("extensions/collector", COLLECTOR), ("streamer", STREAMER)):
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, source)
    layer = aws.publish_layer_version(LayerName=f"l-{uuid.uuid4().hex[:12]}", Content={"ZipFile": body.getvalue()})
    host, port = observer.getsockname()
    variables = {"OBSERVER": host, "PORT": str(port)}
    members = {"Layers": [layer["LayerVersionArn"]], "Timeout": 20, "Environment": {"Variables": variables}}
    return lambda **more: str(make_function(aws, FUNCTION, **members, **more))


@pytest.fixture
def observed(make_observed: Callable[..., str]) -> str:
    """A function with an extension that is told everything."""
    return make_observed()


def told_until(observer: socket.socket, wanted: set[tuple[str, str]]) -> list[dict[str, Any]]:
    """What the extension was told, until events of these types came by these ways."""
    events: list[dict[str, Any]] = []
    with observer.accept()[0] as connection, connection.makefile() as lines:
        connection.settimeout(50)
        while not wanted <= {(event["type"], event.get("by", "http")) for event in events}:
            events.append(json.loads(lines.readline()))
    return events


def test_all_that_happens_is_told(aws: Any, observed: str, observer: socket.socket, call: Call) -> None:
    """Given a subscriber to both APIs, then it gets the init, the invocation and all output, with figures that fit."""
    _, answer = call(aws, observed, "raise")
    request_id = answer["ResponseMetadata"]["RequestId"]
    events = told_until(observer, {("platform.report", "http"), ("platform.report", "tcp")})
    told: dict[str, Any] = {}
    for event in events:
        if "by" not in event:
            told.setdefault(event["type"], event["record"])
    assert (
        told["platform.initStart"].items()
        >= {
            "initializationType": "on-demand",
            "phase": "init",
            "functionName": observed,
            "functionVersion": "$LATEST",
            "instanceMaxMemory": 128 * 1024 * 1024,
        }.items()
    )
    init = {"initializationType": "on-demand", "phase": "init", "status": "success"}
    assert told["platform.initRuntimeDone"] == init
    assert told["platform.initReport"].pop("metrics")["durationMs"] > 0
    assert told["platform.initReport"] == init
    subscription = {"name": "collector", "state": "Subscribed", "types": ["platform", "function", "extension"]}
    assert told["platform.telemetrySubscription"] == subscription
    assert told["platform.extension"] == {"name": "collector", "state": "Ready", "events": ["INVOKE"]}
    assert told["platform.start"]["requestId"] == request_id
    done, report = told["platform.runtimeDone"], told["platform.report"]
    assert (done["requestId"], done["status"]) == (report["requestId"], report["status"]) == (request_id, "error")
    assert_spans_fill(done)
    assert 0 < done["metrics"]["durationMs"] <= report["metrics"]["durationMs"]
    assert report["metrics"]["billedDurationMs"] >= report["metrics"]["durationMs"]
    assert report["metrics"]["initDurationMs"] > 0
    assert 1 < report["metrics"]["maxMemoryUsedMB"] <= report["metrics"]["memorySizeMB"] == 128
    output = [event["record"] for event in events if event["type"] == "function"]
    assert output[:2] == ["loaded\n", f"handled {request_id}\n"]
    assert told["extension"] == "the extension is ready\n"
    by_tcp = {event["type"] for event in events if event.get("by")}
    assert {"platform.start", "platform.end", "platform.report", "platform.logsSubscription"} <= by_tcp


def assert_spans_fill(done: dict[str, Any]) -> dict[str, float]:
    """The three spans, which lie behind each other and fill the duration."""
    spans = {span["name"]: span["durationMs"] for span in done["spans"]}
    assert list(spans) == ["responseLatency", "responseDuration", "runtimeOverhead"]
    assert min(spans.values()) >= 0
    assert sum(spans.values()) == pytest.approx(done["metrics"]["durationMs"], abs=0.01)
    return spans


def test_a_slow_stream_takes_its_time(aws: Any, observed: str, observer: socket.socket, call: Call) -> None:
    """Given a runtime that streams its answer with a pause in it, then that is the response's duration, not latency."""
    variables = aws.get_function_configuration(FunctionName=observed)["Environment"]["Variables"]
    aws.update_function_configuration(
        FunctionName=observed, Environment={"Variables": {**variables, "AWS_LAMBDA_EXEC_WRAPPER": "/opt/streamer"}}
    )
    assert call(aws, observed, "stream")[0] == "first last"
    events = told_until(observer, {("platform.report", "http")})
    (done,) = [each["record"] for each in events if each["type"] == "platform.runtimeDone" and "by" not in each]
    spans = assert_spans_fill(done)

    assert done["metrics"]["producedBytes"] == len('"first last"')
    assert spans["responseDuration"] > 200, "most of the pause, however late the first byte was seen"


def test_invocations_are_told_one_behind_the_other(
    aws: Any, observed: str, observer: socket.socket, call: Call
) -> None:
    """Given invocations that write, at once behind each other, then the end of each is told before the next start."""
    ids = [call(aws, observed)[1]["ResponseMetadata"]["RequestId"] for _ in range(10)]
    with observer.accept()[0] as connection:
        connection.settimeout(50)
        told: list[tuple[str, str]] = []
        with connection.makefile() as lines:
            while ("platform.report", ids[-1]) not in told:
                event = json.loads(lines.readline())
                if "by" not in event and "requestId" in event["record"]:
                    told.append((event["type"], event["record"]["requestId"]))
    kinds = [f"platform.{kind}" for kind in ("start", "runtimeDone", "report")]
    assert told == [(kind, request_id) for request_id in ids for kind in kinds]


def test_metadata_are_where_the_environment_says(aws: Any, observed: str, call: Call) -> None:
    """Given the variables of the metadata endpoint, then a function reads its zone there."""
    assert call(aws, observed, "metadata")[0] == {"AvailabilityZoneID": "use1-az1"}


def test_an_init_without_a_program_is_told(
    aws: Any, make_image: Any, make_image_function: Any, python_image: str, observer: socket.socket, call: Call
) -> None:
    """Given a subscriber that is there before the runtime, when that cannot be executed, then both events say why."""
    dockerfile = f'FROM {python_image}\nCOPY collector late /opt/extensions/\nENTRYPOINT ["/none"]\n'
    image = make_image(dockerfile, collector=COLLECTOR.encode(), late=LATE.encode())
    host, port = observer.getsockname()
    variables = {"Variables": {"OBSERVER": host, "PORT": str(port)}}
    call(aws, make_image_function(aws, image, Timeout=20, Environment=variables))
    events = told_until(observer, {("platform.initRuntimeDone", "http"), ("platform.initReport", "http")})
    told = {event["type"]: event["record"] for event in events if "by" not in event}
    assert told["platform.initReport"].pop("metrics")["durationMs"] > 0
    for type_ in ("platform.initRuntimeDone", "platform.initReport"):
        assert told[type_] == {
            "initializationType": "on-demand",
            "phase": "init",
            "status": "error",
            "errorType": "Runtime.InvalidEntrypoint",
        }


def test_the_log_tells_of_subscriptions(
    aws: Any, observed: str, call: Call, log_of: Callable[[str], list[str]]
) -> None:
    """Given a subscriber to both APIs, then its log says so within the init, and that it is ready before START."""
    call(aws, observed)
    lines = log_of(observed)
    assert lines[0].startswith("INIT_START ")
    told = [line for line in lines if line.startswith(("TELEMETRY\t", "LOGS\t", "EXTENSION\t", "START "))]
    assert told[:3] == [
        "TELEMETRY\tName: collector\tState: Subscribed\tTypes: [Platform, Function, Extension]\n",
        "LOGS\tName: collector\tState: Subscribed\tTypes: [Platform]\n",
        "EXTENSION\tName: collector\tState: Ready\tEvents: [INVOKE]\n",
    ]
    assert [line.partition(" ")[0] for line in told[3:]] == ["START"]
    kinds = ("LOGS", "loaded", "EXTENSION", "START")
    order = [next(at for at, line in enumerate(lines) if line.startswith(kind)) for kind in kinds]
    assert order == sorted(order), "what the init wrote stands before its end"


def test_the_log_tells_of_subscriptions_in_json(
    aws: Any, make_observed: Callable[..., str], call: Call, log_of: Callable[[str], list[str]]
) -> None:
    """Given the JSON format at INFO, then subscriptions are the records that subscribers get, in their order."""
    name = make_observed(LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "INFO"})
    call(aws, name)
    events = [json.loads(line) for line in log_of(name) if line.startswith('{"time":')]
    told = [(event["type"], event["record"]) for event in events if event["type"].startswith("platform.")]
    assert told[:3] == [
        (
            "platform.telemetrySubscription",
            {"name": "collector", "state": "Subscribed", "types": ["platform", "function", "extension"]},
        ),
        ("platform.logsSubscription", {"name": "collector", "state": "Subscribed", "types": ["platform"]}),
        ("platform.extension", {"name": "collector", "state": "Ready", "events": ["INVOKE"]}),
    ]
    assert [type_ for type_, _ in told[3:]] == ["platform.start", "platform.report"]
