"""Where segments go: kept, and passed on to whoever else wants them, by one thread and off the way of every invoke."""

import logging
import queue
import threading
import time
from collections.abc import Sequence
from typing import Protocol, TypeAlias

from relambda.store.errors import StoreError
from relambda.store.traces import Segment, TraceStore

_log = logging.getLogger(__name__)
MAX_WAITING = 10_000
"""Segments that wait to be kept; past them they are dropped, and the log says so."""
MAX_BATCH = 500
KEEP_DAYS = 30
"""As long as X-Ray keeps traces (X-Ray endpoints and quotas, "Trace and service graph retention")."""
TRIM_SECONDS = 60.0
SETTLE_SECONDS = 3.0
_Item: TypeAlias = "Segment | threading.Event | None"


class Forward(Protocol):
    """Another receiver of segments; called on the sink's thread, and must come back within a few seconds."""

    def send(self, segments: Sequence[Segment]) -> None:
        """Pass segments on; raises OSError when they could not be."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class TraceSink:
    """Owns the thread. Any thread may put; putting never waits."""

    def __init__(self, store: TraceStore, forwards: Sequence[Forward] = ()) -> None:
        self.store, self._forwards = store, forwards
        self._queue: queue.Queue[_Item] = queue.Queue(MAX_WAITING)
        self._dropped = 0
        self._trimmed = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="trace-sink", daemon=True)
        self._thread.start()

    def put(self, *segments: Segment) -> None:
        """Have segments kept."""
        for segment in segments:
            try:
                self._queue.put_nowait(segment)
            except queue.Full:
                self._dropped += 1

    def settle(self, seconds: float = SETTLE_SECONDS) -> bool:
        """Wait until what was put before this call can be read; whether it can."""
        settled = threading.Event()
        try:
            self._queue.put(settled, timeout=seconds)
        except queue.Full:
            return False
        return settled.wait(seconds)

    def stop(self, timeout: float = 10.0) -> None:
        """Keep what has come, end the thread, close the forwards; call it once."""
        try:
            self._queue.put(None, timeout=timeout)
        except queue.Full:
            _log.error("the trace sink is stuck; %d segments are lost", self._queue.qsize())
        self._thread.join(timeout)
        for forward in self._forwards:
            forward.close()

    def _run(self) -> None:
        open_ = True
        while open_:
            segments, settled, open_ = self._gather()
            self._work(segments)
            for event in settled:
                event.set()

    def _gather(self) -> tuple[list[Segment], list[threading.Event], bool]:
        """What has come by now, once something has; False at its end."""
        segments, settled = list[Segment](), list[threading.Event]()
        try:
            item = self._queue.get(timeout=TRIM_SECONDS)
            while item is not None:
                if isinstance(item, Segment):
                    segments.append(item)
                else:
                    settled.append(item)
                if len(segments) >= MAX_BATCH:
                    break
                item = self._queue.get_nowait()
        except queue.Empty:
            return segments, settled, True
        return segments, settled, item is not None

    def _work(self, segments: Sequence[Segment]) -> None:
        """No segment may end the thread."""
        if dropped := self._dropped:
            self._dropped = 0
            _log.warning("%d trace segments were dropped: more came than can be kept", dropped)
        try:
            if segments:
                self.store.put(segments, _now_ms())
            if time.monotonic() - self._trimmed > TRIM_SECONDS or self.store.is_due_for_trim:
                self._trimmed = time.monotonic()
                self.store.trim(_now_ms() - KEEP_DAYS * 86_400_000)
        except StoreError as error:
            _log.warning("%d trace segments were not kept: %s", len(segments), error)
        for forward in self._forwards if segments else ():
            self._forward(forward, segments)

    def _forward(self, forward: Forward, segments: Sequence[Segment]) -> None:
        try:
            forward.send(segments)
        except Exception as error:  # noqa: BLE001 - whatever it was, what is kept here is not its fault
            _log.warning("%d trace segments were not passed on: %s", len(segments), error)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
