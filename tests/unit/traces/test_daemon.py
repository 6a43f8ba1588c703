"""The trace daemon's port, and where its segments go on to."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from relambda.actors.traces.daemon import TraceDaemon
from relambda.actors.traces.document import read_segment
from relambda.actors.traces.forward import DaemonForward
from relambda.actors.traces.otlp import OtlpForward
from relambda.actors.traces.sink import Forward, TraceSink
from relambda.store.traces import TraceStore

TRACE = "1-581cf771-a006649127e371903a2de979"
DOCUMENT = {
    "name": "orders",
    "id": "70de5b6f19ff9a0a",
    "trace_id": TRACE,
    "start_time": 1.5,
    "end_time": 2.0,
    "fault": True,
    "annotations": {"customer": "me", "count": 2, "new": True},
    "subsegments": [{"name": "inner", "id": "53995c3f42cd8ad8", "start_time": 1.6, "end_time": 1.7}],
}
HEADER = b'{"format": "json", "version": 1}\n'


class Collector(HTTPServer):
    """Takes what an OpenTelemetry collector takes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Collect)
        self.came = threading.Event()
        self.path, self.body = "", b""


class _Collect(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        self.server.path, self.server.body = self.path, self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.server.came.set()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector on loopback."""
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


@pytest.fixture
def other_daemon() -> Iterator[socket.socket]:
    """The port of another daemon."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        yield listener


@pytest.fixture
def sink(tmp_path: Path, collector: Collector, other_daemon: socket.socket) -> Iterator[TraceSink]:
    """A sink that keeps, and passes on to both."""
    forwards: list[Forward] = [
        DaemonForward(*other_daemon.getsockname()),
        OtlpForward(f"http://127.0.0.1:{collector.server_port}"),
    ]
    made = TraceSink(TraceStore(tmp_path / "t.sqlite", 1 << 20), forwards)
    yield made
    made.stop()
    made.store.close()


@pytest.fixture
def daemon(sink: TraceSink) -> Iterator[TraceDaemon]:
    """The daemon on loopback."""
    made = TraceDaemon("127.0.0.1", sink)
    made.start()
    yield made
    made.stop(5)


def send(daemon: TraceDaemon, datagram: bytes) -> None:
    """Send a datagram to the daemon."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(datagram, daemon.address)


def test_a_datagram_is_kept_and_passed_on(
    daemon: TraceDaemon, sink: TraceSink, collector: Collector, other_daemon: socket.socket
) -> None:
    """Given a segment by UDP, then it is kept, the other daemon has it as it came, and the collector its spans."""
    send(daemon, b"nonsense")
    send(daemon, b'{"format": "json", "version": 7}\n' + json.dumps(DOCUMENT).encode())
    send(daemon, HEADER + json.dumps(DOCUMENT).encode())
    header, _, passed_on = other_daemon.recv(65_536).partition(b"\n")
    assert collector.came.wait(10)

    assert sink.settle()
    assert [each.id for each in sink.store.segments(TRACE, "anybody")] == [DOCUMENT["id"]]
    assert json.loads(header) == {"format": "json", "version": 1}
    assert json.loads(passed_on) == DOCUMENT
    assert collector.path == "/v1/traces"
    (resource,) = ExportTraceServiceRequest.FromString(collector.body).resource_spans
    outer, inner = resource.scope_spans[0].spans
    assert (outer.name, outer.trace_id.hex(), outer.span_id.hex()) == (
        "orders",
        "581cf771a006649127e371903a2de979",
        DOCUMENT["id"],
    )
    assert (outer.start_time_unix_nano, outer.end_time_unix_nano, outer.status.code) == (
        1_500_000_000,
        2_000_000_000,
        2,
    )
    assert {each.key for each in outer.attributes} == {"customer", "count", "new"}
    assert (inner.name, inner.parent_span_id) == ("inner", outer.span_id)


@pytest.mark.parametrize(
    "odd",
    [
        {"parent_id": "nobody"},
        {"annotations": 7},
        {"subsegments": [{"name": "without an id"}]},
        {"end_time": None, "in_progress": True},
    ],
)
def test_an_odd_segment_keeps_no_other_back(tmp_path: Path, collector: Collector, odd: dict[str, Any]) -> None:
    """Given one segment that cannot be told as spans, or is not over, then the collector gets those beside it."""
    document = {name: value for name, value in {**DOCUMENT, **odd}.items() if value is not None}
    forward = OtlpForward(f"http://127.0.0.1:{collector.server_port}")
    segments = [read_segment(json.dumps(each).encode(), "") for each in (document, {**DOCUMENT, "name": "good"})]
    forward.send(segments[:1])
    forward.send(segments)
    forward.close()

    assert collector.came.wait(10)
    sent = ExportTraceServiceRequest.FromString(collector.body).resource_spans
    assert [each.scope_spans[0].spans[0].name for each in sent] == ["good"]


def test_sampling_as_sdks_ask_for_it(daemon: TraceDaemon) -> None:
    """Given an SDK that asks for rules and targets, then the default rule, and to go on; anything else is not there."""
    rules = ask(daemon, "/GetSamplingRules", {})
    assert [each["SamplingRule"]["RuleName"] for each in rules["SamplingRuleRecords"]] == ["Default"]
    targets = ask(daemon, "/SamplingTargets", {"SamplingStatisticsDocuments": [{"RuleName": "Default"}]})
    assert targets["SamplingTargetDocuments"][0]["RuleName"] == "Default"
    with pytest.raises(OSError, match="404"):
        ask(daemon, "/Nothing", {})


def ask(daemon: TraceDaemon, path: str, given: dict[str, Any]) -> Any:
    """What the daemon answers by HTTP."""
    host, port = daemon.address
    with urlopen(Request(f"http://{host}:{port}{path}", json.dumps(given).encode()), timeout=10) as answer:
        return json.load(answer)


def test_a_receiver_that_is_away_harms_nobody(tmp_path: Path) -> None:
    """Given a collector that does not answer, when segments come, then they are kept all the same."""
    sink = TraceSink(TraceStore(tmp_path / "t.sqlite", 1 << 20), [OtlpForward("http://127.0.0.1:9")])
    daemon = TraceDaemon("127.0.0.1", sink)
    daemon.start()
    send(daemon, HEADER + json.dumps(DOCUMENT).encode())
    daemon.stop(5)
    sink.stop()

    assert len(sink.store.segments(TRACE, "")) == 1
    sink.store.close()
