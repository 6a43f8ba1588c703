"""An execution environment's log: where what it says goes, from whatever thread it is said on."""

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.version import Version
from relambda.actors.environments.memory_peak import MemoryPeak
from relambda.actors.logs.echo import Echo
from relambda.actors.logs.lines import InitReport, Report, stream_name
from relambda.actors.logs.order import Order
from relambda.actors.logs.tail import Tail
from relambda.actors.logs.text import LogText
from relambda.actors.logs.weight import pieces
from relambda.actors.logs.words import (
    Closed,
    Ended,
    InitFailed,
    InitStarted,
    Marked,
    Started,
    Told,
    Word,
    Wrote,
)
from relambda.store.logs.records import GroupName, StreamName

if TYPE_CHECKING:
    from relambda.actors.logs.writer import LogWriter

WAIT_SECONDS = 2.0
"""How long output waits for room at most, with its container's pipe; then it is dropped, and the log says so.

What comes behind the end of an invocation may wait so long in all: the end of its processes is told behind it.
"""


class EnvironmentLog:
    """One log stream. The methods that tell something may be called from any thread and do not wait for the disk.

    Only `writes` may wait, on its container's own output thread, while the log's queue is full.
    """

    def __init__(self, writer: "LogWriter", resource: ResourceName, version: Version, id_: str) -> None:
        group = version.config["LoggingConfig"]["LogGroup"]
        name = stream_name(resource.name, version.version, group, _now_ms(), id_.replace("-", ""))
        self.stream = StreamName(GroupName(resource.account, resource.region, group), name)
        self._writer = writer
        self._order = Order()
        self._echo = Echo(resource.name, writer.echo_characters)
        self._new_text = partial(LogText, resource, version, self.peak_bytes)
        self._text = LogText(resource, version, self._peak_of_batch, self._echo.show)
        self._tail: Tail | None = None
        self._last_ms = 0
        self._peak: MemoryPeak | None = None
        self._batch_peak = 0
        self._writes = 0
        """How often the function has written; the output thread alone counts."""
        self._before_last, self._before_this = -1, -1
        """That count when the invocation before this one began, and when this one did; as if the init wrote."""
        self._dropped = 0
        self._patient_until = math.inf
        self._closed = False

    def container(self, container_id: str) -> None:
        """The container that the environment is in, before its runtime starts."""
        self._peak = MemoryPeak.find(container_id)

    def init_starts(self) -> None:
        """The runtime starts for the first time."""
        self._patient_until = math.inf
        self._put(InitStarted())

    def init_fails(self, report: InitReport) -> None:
        """The runtime did not become ready."""
        self._patient_until = time.monotonic() + WAIT_SECONDS
        self._tell(InitFailed(report))

    def starts(self, request_id: str, *, tail: bool = False) -> None:
        """An invocation begins; `tail` keeps the end of its log for `tail` to tell."""
        self._before_last, self._before_this = self._before_this, self._writes
        self._patient_until = math.inf
        self._tail = Tail(self._new_text(_unseen), _now_ms(), request_id) if tail else None
        self._put(Started(request_id))

    def writes(self, data: bytes) -> None:
        """The function's processes wrote; called on the container's output thread."""
        self._writes += 1
        if self._tail is not None:
            self._tail.write(_now_ms(), data)
        until = min(time.monotonic() + WAIT_SECONDS, self._patient_until)
        for piece, weight in pieces(data):
            word = Wrote(piece, self._dropped)
            taken = self._writer.put_output(self, _now_ms(), word, weight, until)
            self._dropped = 0 if taken else self._dropped + len(piece)

    @property
    def is_loud(self) -> bool:
        """Whether something was written in this invocation or in the one before."""
        return self._writes != self._before_last

    def peak_bytes(self) -> int:
        """The most memory that the container has used, 0 when that is not to be seen from here."""
        return 0 if self._peak is None else self._peak.read()

    def told_peak(self, peak_bytes: int) -> int:
        """What counts of a peak that a container tells of itself: 0 where it is read from here, and better."""
        return peak_bytes if self._peak is None else 0

    def wants_mark(self) -> bool:
        """Whether an invocation that ends now should have a mark behind it: it may have written, or memory is unknown.

        An environment that has written neither in this invocation nor in the one before needs none.
        """
        return self.is_loud or self._peak is None

    def ends(self, report: Report, *, last_words: str = "", marked: bool = False) -> None:
        """An invocation is over; when it is `marked`, `marks` or `closes` comes behind all that it wrote."""
        self._patient_until = time.monotonic() + WAIT_SECONDS
        self._put(Ended(report, marked and not self._closed, last_words))

    def tail(self, report: Report, *, last_words: str = "", peak_bytes: int = 0) -> bytes:
        """The last 4 KB of an invocation that ends; empty when they were not asked for at its start."""
        tail, self._tail = self._tail, None
        return b"" if tail is None else tail.end(_now_ms(), report, last_words, peak_bytes)

    def marks(self, request_id: str, peak_bytes: int) -> None:
        """All output of that invocation has come."""
        self._put(Marked(request_id, peak_bytes))

    def tells(self, line: str, type_: str, record: Mapping[str, Any]) -> None:
        """The platform tells of something: the line, or the record of `platform.TYPE`."""
        self._tell(Told(line, type_, record))

    def closes(self) -> None:
        """The environment is no more: it writes nothing behind this."""
        self._closed = True
        if self._dropped:
            self._put(Wrote(b"", self._dropped))
        self._put(Closed())

    def take(self, told: Iterable[tuple[int, Word]], now_ms: int) -> list[tuple[int, str]]:
        """The events that may be written now, when this was told; on the writer's thread."""
        self._batch_peak = 0
        ready = chain(chain.from_iterable(self._order.put(*each) for each in told), self._order.due(now_ms))
        return [event for at_ms, word in ready for event in self._events(at_ms, word)]

    @property
    def holds_since(self) -> int | None:
        """The time of the first of what is held back, None when nothing is; on the writer's thread."""
        return self._order.since

    def _events(self, at_ms: int, word: Word) -> Iterator[tuple[int, str]]:
        """An event is never older than the one before it: CloudWatch Logs sorts by time."""
        self._last_ms = max(self._last_ms, at_ms)
        if isinstance(word, Started):
            self._echo.begin()
        for message in self._text.write(self._last_ms, word):
            yield self._last_ms, message

    def _tell(self, word: Word) -> None:
        """What may come inside an invocation, where an init is done again, stands in its tail too."""
        if (tail := self._tail) is not None:
            tail.tell(_now_ms(), word)
        self._put(word)

    def _put(self, word: Word) -> None:
        self._writer.put(self, _now_ms(), word)

    def _peak_of_batch(self) -> int:
        """All of a batch is over when it is written: one look is enough."""
        self._batch_peak = self._batch_peak or self.peak_bytes()
        return self._batch_peak


def _unseen(lines: list[str]) -> None:
    """Lines that another one shows."""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
