"""The Telemetry API and the Logs API: subscribing in the init, events by HTTP and TCP, in batches as asked for."""

import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from relambda.actors.clock import SystemClock
from relambda.actors.telemetry.telemetry import Telemetry

TELEMETRY, LOGS = "/2022-07-01/telemetry", "/2020-08-15/logs"
WAIT = 20.0


class Subscriber:
    """An HTTP server that keeps what is posted to it; `statuses` are its next answers, 200 after them."""

    def __init__(self) -> None:
        self.batches: queue.SimpleQueue[list[dict[str, Any]]] = queue.SimpleQueue()
        self.statuses: list[int] = []
        kept = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = kept.statuses.pop(0) if kept.statuses else 200
                if status == 200:
                    kept.batches.put(json.loads(body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - the base class names it

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def types(self) -> list[str]:
        """The types of events in the next batch."""
        return [event["type"] for event in self.batches.get(timeout=WAIT)]


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    made = Subscriber()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    made = Telemetry(lambda port: ("127.0.0.1", port), SystemClock())
    yield made
    made.stop(WAIT)


@pytest.fixture
def extension(sandboxes: Callable[..., Any], telemetry: Telemetry, extension_of: Callable[[Any, str], Any]) -> Any:
    """A registered extension of a sandbox with telemetry."""
    client = extension_of(sandboxes(telemetry), "collector")
    client.register("INVOKE")
    return client


def wanted(port: int, *types: str, **buffering: int) -> bytes:
    destination = {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{port}/"}
    document = {"schemaVersion": "2022-12-13", "types": types, "destination": destination}
    return json.dumps({**document, **({"buffering": buffering} if buffering else {})}).encode()


def test_early_and_later_events_come_by_http(extension: Any, telemetry: Telemetry, subscriber: Subscriber) -> None:
    """Given events before the subscription and behind it, when they are flushed, then those asked for come in order."""
    telemetry.publish("platform.initStart", {"phase": "init"}, 1_700_000_000_123)
    telemetry.publish("function", "not wanted\n")
    assert extension.ask("PUT", TELEMETRY, wanted(subscriber.port, "platform"))[::2] == (200, "OK")
    assert extension.sandbox.heard.hear_environment() == ("subscribed", "Telemetry", "collector", ("platform",))
    telemetry.publish("platform.start", {"requestId": "1", "version": "$LATEST"})
    assert telemetry.flush(WAIT)
    events = subscriber.batches.get(timeout=WAIT)
    assert events[0] == {
        "time": "2023-11-14T22:13:20.123Z",
        "type": "platform.initStart",
        "record": {"phase": "init"},
    }
    while len(events) < 2:
        events += subscriber.batches.get(timeout=WAIT)
    assert [event["type"] for event in events[1:]] == ["platform.start"]


def test_a_batch_goes_when_its_time_is_over(extension: Any, telemetry: Telemetry, subscriber: Subscriber) -> None:
    """Given a subscription with a short time, when nothing flushes, then the events come by themselves."""
    assert extension.ask("PUT", TELEMETRY, wanted(subscriber.port, "function", timeoutMs=25))[0] == 200
    telemetry.publish("function", "hello\n")
    (event,) = subscriber.batches.get(timeout=WAIT)
    assert (event["type"], event["record"]) == ("function", "hello\n")


def test_tcp_gets_a_document_a_line(extension: Any, telemetry: Telemetry) -> None:
    """Given a subscription by TCP, when events come, then each is a line of the one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT)
        destination = {"protocol": "TCP", "port": listener.getsockname()[1]}
        document = {"schemaVersion": "2021-03-18", "types": ["function"], "destination": destination}
        assert extension.ask("PUT", LOGS, json.dumps(document).encode())[::2] == (200, "OK")
        telemetry.publish("function", "one\n")
        telemetry.publish("function", {"level": "INFO"})
        assert telemetry.flush(WAIT)
        with listener.accept()[0] as connection, connection.makefile() as lines:
            connection.settimeout(WAIT)
            assert [json.loads(lines.readline())["record"] for _ in range(2)] == ["one\n", {"level": "INFO"}]


def test_a_lost_batch_is_told_of(extension: Any, telemetry: Telemetry, subscriber: Subscriber) -> None:
    """Given a subscriber that refuses a batch three times, when it takes the next one, then it hears of the loss."""
    assert extension.ask("PUT", TELEMETRY, wanted(subscriber.port, "function", timeoutMs=25))[0] == 200
    subscriber.statuses = [500, 500, 500]
    telemetry.publish("function", "lost\n")
    assert telemetry.flush(WAIT)
    telemetry.publish("function", "kept\n")
    assert telemetry.flush(WAIT)
    kept, dropped = subscriber.batches.get(timeout=WAIT)
    assert (kept["record"], dropped["type"], dropped["record"]["droppedRecords"]) == (
        "kept\n",
        "platform.logsDropped",
        1,
    )


def test_after_the_init_nobody_may_subscribe(extension: Any, subscriber: Subscriber) -> None:
    """Given an environment whose init is over, when an extension subscribes, then it is too late, by either API."""
    extension.sandbox.parked()
    extension.parked()
    assert extension.sandbox.heard.hear_environment() == ("idle",)
    for path, kind, schema in ((TELEMETRY, "Telemetry", "2022-12-13"), (LOGS, "Logs", "2021-03-18")):
        body = {**json.loads(wanted(subscriber.port, "platform")), "schemaVersion": schema}
        status, _, document = extension.ask("PUT", path, json.dumps(body).encode())
        assert (status, document["errorType"]) == (403, f"{kind}.SubscriptionClosed")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"types": []}, "types should not be empty"),
        ({"types": ["logs"]}, "types must be of"),
        ({"schemaVersion": "1999-01-01"}, "schemaVersion"),
        ({"buffering": {"timeoutMs": 24}}, "timeoutMs must be between 25 and 30000"),
        ({"buffering": {"maxItems": 10_001}}, "maxItems must be between 1000 and 10000"),
        ({"destination": {"protocol": "HTTP", "URI": "http://169.254.169.254:80/"}}, "sandbox.localdomain"),
        ({"destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain/"}}, "port is not provided"),
        ({"destination": {"protocol": "UDP"}}, "HTTP or TCP"),
    ],
)
def test_a_bad_subscription_is_refused(extension: Any, change: dict[str, Any], told: str) -> None:
    """Given a subscription that is wrong in one place, when it is asked for, then the refusal names the place."""
    body = {**json.loads(wanted(4243, "platform")), **change}
    status, _, document = extension.ask("PUT", TELEMETRY, json.dumps(body).encode())
    assert (status, document["errorType"]) == (400, "ValidationError")
    assert told in document["errorMessage"]


def test_only_extensions_may_subscribe(extension: Any) -> None:
    """Given no identifier, when somebody subscribes, then it is refused."""
    extension.identifier = ""
    assert extension.ask("PUT", TELEMETRY, wanted(1, "platform"))[0] == 403


def test_stop_ends_every_thread(extension: Any, telemetry: Telemetry) -> None:
    """Given a subscriber that does not answer, when telemetry stops, then its thread ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert extension.ask("PUT", TELEMETRY, wanted(port, "platform", timeoutMs=25))[0] == 200
        telemetry.publish("platform.start", {"requestId": "1", "version": "$LATEST"})
        listener.settimeout(WAIT)
        with listener.accept()[0]:
            telemetry.stop(WAIT)
    assert not [thread for thread in threading.enumerate() if thread.name == "telemetry"]
