"""The one thread that writes the logs of all environments, off the way of every invoke."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from relambda.actors.logs.environment_log import EnvironmentLog
from relambda.actors.logs.log_queue import MAX_BYTES, LogQueue
from relambda.actors.logs.weight import WORD_BYTES
from relambda.actors.logs.words import Word, Wrote
from relambda.store.errors import StoreError
from relambda.store.logs.logs_store import MOST_TRIMMED, LogStore
from relambda.store.logs.records import GroupName, StreamName

_log = logging.getLogger(__name__)

GATHER_SECONDS = 0.25
"""How long a batch is gathered for while nobody reads: few and large ones do not hold up invokes (measured)."""
SETTLE_POLL_SECONDS = 0.01
TRIM_SECONDS = 30.0
RETRY_SECONDS = 1.0
SETTLE_SECONDS = 10.0
"""A loaded disk may take seconds for a flush; who reads sooner would miss what it waits for."""
SLICE_BYTES = 8 * 1024 * 1024
"""The weight of what is made to events and written at a time: others' words and readers wait no longer than that."""
FINISH_SECONDS = 4.0
"""How long a stopping writer goes on with output; what is left then is told by LOGS_DROPPED."""
FAR = 1 << 62


@dataclass(frozen=True, slots=True)
class Settle:
    """Somebody wants to read what was told of a group before `at_ms`: what has this number in the queue, or less."""

    group: GroupName
    number: int
    at_ms: int
    done: threading.Event = field(default_factory=threading.Event)


Told: TypeAlias = "Mapping[EnvironmentLog, Sequence[tuple[int, Word]]]"
Batch: TypeAlias = "dict[StreamName, list[tuple[int, str]]]"


class LogWriter:
    """Owns the thread. When the disk refuses, a slice is tried once more after a second, then dropped and logged."""

    def __init__(self, store: LogStore, echo_characters: int, max_queued_bytes: int = MAX_BYTES) -> None:
        self.store, self.echo_characters = store, echo_characters
        self._queue: LogQueue[EnvironmentLog, tuple[int, Word]] = LogQueue(max_queued_bytes)
        self._stopping = threading.Event()
        self._holding: set[EnvironmentLog] = set()
        self._settling: list[Settle] = []
        self._asking = threading.Lock()
        self._trimmed, self._trims_on = time.monotonic(), False
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def put(self, log: EnvironmentLog, at_ms: int, word: Word) -> None:
        """Have a word written; never waits."""
        self._queue.put(log, (at_ms, word), WORD_BYTES)

    def put_output(self, log: EnvironmentLog, at_ms: int, word: Word, weight: int, until: float) -> bool:
        """Have output written; waits for room until a monotonic time, and is False when there was none."""
        return self._queue.put_sized(log, (at_ms, word), weight, until)

    def settle(self, group: GroupName, seconds: float = SETTLE_SECONDS) -> bool:
        """Wait until all that was told of a group before this call can be read; whether it can.

        The ends of invocations are waited for too, other groups' logs are not.
        """
        if self._stopping.is_set():
            return True
        settle = Settle(group, self._queue.number(), _now_ms())
        with self._asking:
            self._settling.append(settle)
        self._queue.hurry()
        return settle.done.wait(seconds) or self._give_up(settle)

    def stop(self, timeout: float = 10.0) -> None:
        """Write what is left, end the thread; safe to call twice. Output that would take too long is left out."""
        self._stopping.set()
        self._queue.close()
        self._thread.join(timeout)
        if self._thread.is_alive():
            _log.error("the log writer did not end within %.0f s; the ends of some logs may be missing", timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._queue.wait(self._patience())
            if not self._settling:
                self._queue.gather(GATHER_SECONDS)
            self._guarded(self._queue.take(SLICE_BYTES))
        self._finish()

    def _finish(self) -> None:
        until = time.monotonic() + FINISH_SECONDS
        while not self._queue.is_empty and time.monotonic() < until:
            self._guarded(self._queue.take(SLICE_BYTES))
        self._guarded({log: list(without_output(told)) for log, told in self._queue.take(FAR).items()}, last=True)

    def _patience(self) -> float:
        if self._settling:
            return SETTLE_POLL_SECONDS
        return GATHER_SECONDS if self._holding or self._trims_on else TRIM_SECONDS

    def _guarded(self, told: Told, *, last: bool = False) -> None:
        """No word may end the thread."""
        try:
            self._work(told, last=last)
        except Exception:  # noqa: BLE001 - whatever it was, it is logged, and the next slice is not its fault
            _log.exception("a part of function logs was lost")

    def _work(self, told: Told, *, last: bool) -> None:
        try:
            if batch := self._collect(told, FAR if last else _now_ms()):
                self._write(batch)
        finally:
            self._queue.written()
        self._tell_settled()
        self._trim_if_due()

    def _collect(self, told: Told, now_ms: int) -> Batch:
        batch: Batch = {}
        concerned = {*told, *self._holding}
        for log in concerned:
            if lines := log.take(told.get(log, ()), now_ms):
                batch[log.stream] = lines
        self._holding = {log for log in concerned if log.holds_since is not None}
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
        with self._asking:
            self._settling = [settle for settle in self._settling if not self._tell_if_settled(settle)]

    def _tell_if_settled(self, settle: Settle) -> bool:
        """What came or is held back since a reader asked is not what it asked for."""
        held = min((log.holds_since or 0 for log in self._holding if log.stream.group == settle.group), default=FAR)
        oldest = self._queue.oldest(lambda log: log.stream.group == settle.group)
        if settle.at_ms >= held or (oldest is not None and oldest <= settle.number):
            return False
        settle.done.set()
        return True

    def _give_up(self, settle: Settle) -> bool:
        with self._asking:
            self._settling = [other for other in self._settling if other is not settle]
        return settle.done.is_set()

    def _trim_if_due(self) -> None:
        if time.monotonic() - self._trimmed < TRIM_SECONDS and not self.store.is_due_for_trim:
            return
        removed = self.store.trim(_now_ms())
        self._trims_on = removed >= MOST_TRIMMED
        if not self._trims_on:
            self._trimmed = time.monotonic()
        if removed:
            _log.info("removed %d log events that had expired or were too many", removed)


def without_output(told: Sequence[tuple[int, Word]]) -> Iterator[tuple[int, Word]]:
    """These words, with what was written told as dropped, once for what comes in one go."""
    dropped = at_ms = 0
    for at_ms, word in told:
        if isinstance(word, Wrote):
            dropped += word.dropped + len(word.data)
            continue
        if dropped:
            yield at_ms, Wrote(b"", dropped)
            dropped = 0
        yield at_ms, word
    if dropped:
        yield at_ms, Wrote(b"", dropped)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
