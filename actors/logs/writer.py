"""The one thread that writes the logs of all environments, off the way of every invoke."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from relambda.actors.logs.environment_log import EnvironmentLog
from relambda.actors.logs.log_queue import MAX_BYTES, LogQueue
from relambda.actors.logs.words import Word
from relambda.store.errors import StoreError
from relambda.store.logs.logs_store import LogStore
from relambda.store.logs.records import StreamName

_log = logging.getLogger(__name__)

GATHER_SECONDS = 0.25
"""How long a batch is gathered for while nobody reads: few and large ones do not hold up invokes (measured)."""
SETTLE_POLL_SECONDS = 0.01
TRIM_SECONDS = 30.0
RETRY_SECONDS = 1.0
SETTLE_SECONDS = 10.0
"""A loaded disk may take seconds for a flush; who reads sooner would miss what it waits for."""
FAR_MS = 1 << 62


@dataclass(frozen=True, slots=True)
class Settle:
    """Somebody wants to read what was told before `at_ms`."""

    at_ms: int
    done: threading.Event = field(default_factory=threading.Event)


Item: TypeAlias = "tuple[EnvironmentLog, int, Word] | Settle"
Batch: TypeAlias = "dict[StreamName, list[tuple[int, str]]]"


class LogWriter:
    """Owns the thread. When the disk refuses, a batch is tried once more after a second, then dropped and logged."""

    def __init__(self, store: LogStore, echo_characters: int, max_queued_bytes: int = MAX_BYTES) -> None:
        self.store, self.echo_characters = store, echo_characters
        self._queue: LogQueue[Item] = LogQueue(max_queued_bytes)
        self._hurry, self._stopping = threading.Event(), threading.Event()
        self._holding: set[EnvironmentLog] = set()
        self._settling: list[Settle] = []
        self._trimmed = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def put(self, log: EnvironmentLog, at_ms: int, word: Word) -> None:
        """Have a word written; never waits."""
        self._queue.put((log, at_ms, word))

    def put_output(self, log: EnvironmentLog, at_ms: int, word: Word, size: int, seconds: float) -> bool:
        """Have output written; waits up to `seconds` for room, and is False when there was none."""
        return self._queue.put_sized((log, at_ms, word), size, seconds)

    def settle(self, seconds: float = SETTLE_SECONDS) -> bool:
        """Wait until all that was told before this call can be read, also the ends of invocations; whether it can."""
        if self._stopping.is_set():
            return True
        settle = Settle(_now_ms())
        self._queue.put(settle)
        self._hurry.set()
        return settle.done.wait(seconds)

    def stop(self, timeout: float = 10.0) -> None:
        """Write what is left, end the thread; safe to call twice."""
        self._stopping.set()
        self._hurry.set()
        self._queue.close()
        self._thread.join(timeout)
        if self._thread.is_alive():
            _log.error("the log writer did not end within %.0f s; the ends of some logs may be missing", timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._queue.wait(self._patience())
            self._hurry.wait(GATHER_SECONDS)
            self._guarded(self._queue.take())
            if not self._settling:
                self._hurry.clear()
        self._guarded(self._queue.take(), last=True)

    def _patience(self) -> float:
        if self._settling:
            return SETTLE_POLL_SECONDS
        return GATHER_SECONDS if self._holding else TRIM_SECONDS

    def _guarded(self, items: list[Item], *, last: bool = False) -> None:
        """No word may end the thread."""
        try:
            self._work(items, last=last)
        except Exception:  # noqa: BLE001 - whatever it was, it is logged, and the next batch is not its fault
            _log.exception("a batch of function logs was lost")

    def _work(self, items: Iterable[Item], *, last: bool) -> None:
        told: defaultdict[EnvironmentLog, list[tuple[int, Word]]] = defaultdict(list)
        for item in items:
            if isinstance(item, Settle):
                self._settling.append(item)
            else:
                log, at_ms, word = item
                told[log].append((at_ms, word))
        if batch := self._collect(told, FAR_MS if last else _now_ms()):
            self._write(batch)
        self._tell_settled()
        self._trim_if_due()

    def _collect(self, told: Mapping[EnvironmentLog, list[tuple[int, Word]]], now_ms: int) -> Batch:
        batch: Batch = {}
        for log in {*told, *self._holding}:
            if lines := log.take(told.get(log, ()), now_ms):
                batch[log.stream] = lines
        self._holding = {log for log in {*told, *self._holding} if log.holds_since is not None}
        return batch

    def _write(self, batch: Batch) -> None:
        try:
            self.store.append(batch, _now_ms())
        except StoreError as error:
            _log.warning("function logs wait for the disk: %s", error)
            self.store.trim(_now_ms())
            self._stopping.wait(RETRY_SECONDS)
            self.store.append(batch, _now_ms())

    def _tell_settled(self) -> None:
        """What is held back since a reader asked is not what it asked for."""
        first = min((log.holds_since or 0 for log in self._holding), default=FAR_MS)
        waiting = [settle for settle in self._settling if settle.at_ms >= first]
        for settle in self._settling:
            if settle not in waiting:
                settle.done.set()
        self._settling = waiting

    def _trim_if_due(self) -> None:
        if time.monotonic() - self._trimmed < TRIM_SECONDS and not self.store.is_due_for_trim:
            return
        self._trimmed = time.monotonic()
        if removed := self.store.trim(_now_ms()):
            _log.info("removed %d log events that had expired or were too many", removed)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
