"""The X-Ray daemon's port, as X-Ray's SDKs in functions know it: segments by UDP, sampling rules by HTTP.

X-Ray Developer Guide, "Sending segment documents to the X-Ray daemon": a datagram is the header
`{"format": "json", "version": 1}`, a line end, and a segment document.
"""

import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import msgspec

from relambda.actors.traces.document import MAX_DOCUMENT, BadSegmentError, read_segment
from relambda.actors.traces.sampling import ANSWERS
from relambda.actors.traces.sink import TraceSink
from relambda.store.traces import Segment

_log = logging.getLogger(__name__)
USUAL_PORT: Final = 2000
_MAX_DATAGRAM: Final = 65_536
_POLL_SECONDS: Final = 0.5
_REQUEST_SECONDS: Final = 5.0


class TraceDaemon:
    """Listens on one address: the usual port if it is free, another one otherwise. Owns its two threads."""

    def __init__(self, host: str, sink: TraceSink) -> None:
        self._sink = sink
        self._http, self._udp = _bind(host)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._receive, name="trace-daemon-udp", daemon=True),
            threading.Thread(
                target=self._http.serve_forever, args=(_POLL_SECONDS,), name="trace-daemon-http", daemon=True
            ),
        ]

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, for UDP and TCP alike."""
        host, port = self._udp.getsockname()[:2]
        return str(host), int(port)

    def start(self) -> None:
        """Begin to listen."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> None:
        """Take nothing more, and end the threads; call it once."""
        self._stopping.set()
        self._http.shutdown()
        for thread in self._threads:
            thread.join(timeout)
        self._http.server_close()
        self._udp.close()

    def _receive(self) -> None:
        while not self._stopping.is_set():
            try:
                datagram = self._udp.recv(_MAX_DATAGRAM)
            except TimeoutError:
                continue
            except OSError as error:
                _log.warning("the trace daemon's port failed: %s", error)
                continue
            self._take(datagram)

    def _take(self, datagram: bytes) -> None:
        try:
            self._sink.put(_segment(datagram))
        except (BadSegmentError, msgspec.DecodeError, RecursionError) as error:
            _log.info("a datagram of %d bytes is no trace segment: %s", len(datagram), error)


def _segment(datagram: bytes) -> Segment:
    header, _, document = datagram.partition(b"\n")
    if msgspec.json.decode(header) != {"format": "json", "version": 1}:
        raise BadSegmentError("ParseError", "The datagram has another header than version 1 of format json.")
    return read_segment(document, "")


class _Handler(BaseHTTPRequestHandler):
    """What the real daemon passes on to X-Ray; here the rules are always the default ones."""

    timeout = _REQUEST_SECONDS
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer a request of an SDK for its sampling."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MAX_DOCUMENT:
            self.close_connection = True
            self._answer(413, b"{}")
            return
        body = self.rfile.read(int(length))
        answer = ANSWERS.get(self.path.rstrip("/"))
        self._answer(404, b"{}") if answer is None else self._answer(200, msgspec.json.encode(answer(body)))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Into our own log."""
        _log.debug(format, *args)


def _bind(host: str) -> tuple[ThreadingHTTPServer, socket.socket]:
    """TCP and UDP on one port. Raises OSError when no port is free for both."""
    refused: OSError | None = None
    for port in (USUAL_PORT, *[0] * 8):
        try:
            return _bind_both(host, port)
        except OSError as error:
            refused = error
    raise OSError(f"no port of {host} is free for the trace daemon: {refused}")


def _bind_both(host: str, port: int) -> tuple[ThreadingHTTPServer, socket.socket]:
    http = ThreadingHTTPServer((host, port), _Handler)
    http.daemon_threads = True
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        udp.settimeout(_POLL_SECONDS)
        udp.bind((host, http.server_port))
    except OSError:
        udp.close()
        http.server_close()
        raise
    return http, udp
