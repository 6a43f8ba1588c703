"""Options of the cloud itself: where its engine is, what it logs and keeps, and who hears of its traces."""

import json
import re
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

pytestmark = pytest.mark.docker

ENGINE = "/var/run/docker.sock"


class _Forward(socketserver.BaseRequestHandler):
    """Hands bytes on to the engine and back, each end by itself, as `docker` wants for what it attaches to."""

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(ENGINE)
            back = threading.Thread(target=_pump, args=(engine, self.request))
            back.start()
            _pump(self.request, engine)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class UnixForward(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class TcpForward(socketserver.ThreadingTCPServer):
    daemon_threads = True


@pytest.fixture(params=["unix", "tcp"])
def engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Another address of the engine."""
    path = tmp_path / "engine.sock"
    server = UnixForward(str(path), _Forward) if request.param == "unix" else TcpForward(("127.0.0.1", 0), _Forward)
    with server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield (
            f"unix://{path}" if isinstance(server, UnixForward) else f"tcp://127.0.0.1:{server.socket.getsockname()[1]}"
        )
        server.shutdown()
        thread.join(10)


def test_functions_run_in_the_engine_that_is_named(
    engine_url: str, make_cloud: Any, make_function: Any, call: Any
) -> None:
    """Given DOCKER_HOST, a socket of another name or an address of TCP, then functions run, fail and reset there."""
    cloud = make_cloud(DOCKER_HOST=engine_url, RELAMBDA_POOL_SIZE="1")
    aws = cloud.client()
    name = make_function(aws, "import os\ndef handler(event, context):\n    return os._exit(3) if event else 'fine'\n")
    assert call(aws, name)[0] == "fine"
    assert call(aws, name, 1)[0]["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert call(aws, name)[0] == "fine"


def test_debug_logs_each_request(make_cloud: Any, make_function: Any, call: Any, shared_cloud: Any) -> None:
    """Given DEBUG=1, then the log has each request and what containers do; without, neither."""
    said = []
    for cloud in (make_cloud(DEBUG="1"), shared_cloud):
        aws = cloud.client()
        name = make_function(aws)
        call(aws, name)
        sought = (rf"POST /2015-03-31/functions/{name}/invocations", r"container of \S+ started in \d+ ms")
        if cloud is not shared_cloud:
            assert cloud.comes_to(lambda cloud=cloud, sought=sought: all(re.search(one, cloud.log()) for one in sought))
        said.append([re.search(one, cloud.log()) is not None for one in sought])
    assert said == [[True, True], [False, False]]


def test_of_logs_the_oldest_go(make_cloud: Any, make_function: Any, call: Any) -> None:
    """Given RELAMBDA_LOGS_MAX_BYTES, when functions write more, then the oldest lines go and the newest stay."""
    cloud = make_cloud(RELAMBDA_LOGS_MAX_BYTES="60000")
    aws, logs = cloud.client(), cloud.client(service="logs")
    name = make_function(aws, "def handler(event, context):\n    print(event, 'x' * 5000)\n")

    def kept() -> list[str]:
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        return [event["message"].split()[0] for event in events if event["message"].rstrip().endswith("x")]

    for number in range(40):
        call(aws, name, number)
    assert cloud.comes_to(lambda: kept()[-1:] == ["39"] and len(kept()) < 15), kept()
    assert kept() == [str(number) for number in range(40 - len(kept()), 40)]


class Collector(ThreadingHTTPServer):
    """Takes what an OpenTelemetry collector takes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Collect)
        self.names: list[str] = []


class _Collect(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        spans = [span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans]
        self.server.names += [f"{self.path} {span.name}" for span in spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def test_traces_go_on_to_who_is_named(make_cloud: Any, make_function: Any, call: Any) -> None:
    """Given an X-Ray daemon and a collector, when a traced function runs, then both hear of its segments."""
    with Collector() as collector, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(30)
        cloud = make_cloud(
            RELAMBDA_XRAY_DAEMON=f"127.0.0.1:{daemon.getsockname()[1]}",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}",
        )
        aws = cloud.client()
        name = make_function(aws, TracingConfig={"Mode": "Active"})
        call(aws, name)
        origins = {json.loads(daemon.recv(65_536).partition(b"\n")[2])["origin"] for _ in range(2)}
        assert origins == {"AWS::Lambda", "AWS::Lambda::Function"}
        assert cloud.comes_to(lambda: f"/v1/traces {name}" in collector.names), collector.names
        collector.shutdown()
        thread.join(10)


@pytest.fixture(scope="module")
def written_through(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that notes each write of a process that waits for the disk."""
    library = tmp_path_factory.mktemp("library") / "written_through.so"
    source = Path(__file__).with_name("handlers") / "written_through.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", str(source), "-o", str(library)], check=True)
    return library


@pytest.mark.parametrize("durability", ["process", "power"])
def test_what_survives_the_loss_of_power(
    durability: str, written_through: Path, make_cloud: Any, make_function: Any, tmp_path: Path
) -> None:
    """Given RELAMBDA_DURABILITY=power, then each change waits until the disk has the log's head; else none does."""
    notes = tmp_path / "notes"
    cloud = make_cloud(RELAMBDA_DURABILITY=durability, LD_PRELOAD=str(written_through), WRITTEN_THROUGH=str(notes))
    aws = cloud.client()
    name = make_function(aws)

    def waited() -> int:
        before = notes.stat().st_size if notes.exists() else 0
        for version in range(3):
            aws.create_alias(FunctionName=name, Name=f"alias-{version}", FunctionVersion="$LATEST")
            aws.delete_alias(FunctionName=name, Name=f"alias-{version}")
        return (notes.stat().st_size if notes.exists() else 0) - before

    assert waited() >= 6 if durability == "power" else waited() == 0


def test_of_traces_the_oldest_go(make_cloud: Any) -> None:
    """Given RELAMBDA_TRACES_MAX_BYTES, when more segments come, then the oldest go and the newest stay."""
    cloud = make_cloud(RELAMBDA_TRACES_MAX_BYTES="50000")
    xray = cloud.client(service="xray")
    now = int(time.time())
    traces = [f"1-{now:08x}-{number:024x}" for number in range(100)]
    for number, trace in enumerate(traces):
        segment = {"name": "own", "id": f"{number:016x}", "trace_id": trace, "start_time": now, "end_time": now + 1}
        xray.put_trace_segments(
            TraceSegmentDocuments=[json.dumps({**segment, "metadata": {"long": {"x": "x" * 2000}}})]
        )

    def kept() -> list[str]:
        found = [xray.batch_get_traces(TraceIds=traces[at : at + 5])["Traces"] for at in range(0, 100, 5)]
        return [trace["Id"] for some in found for trace in some]

    assert cloud.comes_to(lambda: len(kept()) < 30), len(kept())
    assert len(kept()) > 10
    assert sorted(kept()) == traces[-len(kept()) :]
