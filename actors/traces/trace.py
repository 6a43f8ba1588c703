"""The trace of one invocation that is recorded: what the function gets of it, and the segments that come of it."""

import secrets
from dataclasses import dataclass, field

import msgspec

from relambda.actors.clock import Clock
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.segments import Run, SegmentIds, segments_of
from relambda.actors.domain.trace_header import TraceHeader
from relambda.actors.traces.document import read_cause
from relambda.actors.traces.sink import TraceSink
from relambda.store.traces import Segment


def trace_of(header: str, *, active: bool) -> TraceHeader | None:
    """The header of a trace that is recorded; None for any other, which most are: told without taking it apart."""
    if "Sampled=1" not in header and (not active or "Sampled=0" in header):
        return None
    read = TraceHeader.read(header).decided(active=active)
    return read if read.recorded and read.root else None


def unrecorded(header: str) -> str:
    """The header that the function gets of a trace that is not recorded: with a decision, and with a parent.

    X-Ray's SDKs take a header without either for an environment that is not ready, and give the function no segment.
    """
    if "Parent=" not in header:
        header = header.replace("Sampled=", f"Parent={secrets.token_hex(8)};Sampled=", 1)
    return header.replace("Sampled=?", "Sampled=0")


@dataclass(slots=True)
class Trace:
    """Told by whoever has the invocation at that moment; times in milliseconds since the epoch."""

    function: ResourceName
    version: str
    request_id: str
    header: TraceHeader
    clock: Clock
    sink: TraceSink
    accepted_ms: float
    ids: SegmentIds = field(default_factory=lambda: SegmentIds(*(secrets.token_hex(8) for _ in range(5))))
    _began_ms: float = 0.0
    _answered_ms: float = 0.0
    _init_ms: float = 0.0
    _cause: str = ""

    @property
    def passed_on(self) -> str:
        """The header that the function gets: what it records itself goes below its Invocation."""
        return str(self.header.below(self.ids.invocation))

    @property
    def told(self) -> tuple[str, str]:
        """The trace's id and that of the function's segment, as REPORT tells them."""
        return self.header.root, self.ids.function

    def begins(self, init_ms: float) -> None:
        """An environment gets the invocation; `init_ms` is how long its init took if this is its first."""
        self._began_ms, self._init_ms = self.clock.now_ms(), init_ms

    def answers(self, cause: str = "") -> None:
        """The function has answered; what follows is overhead. `cause` is what its runtime says of a failure."""
        self._answered_ms, self._cause = self.clock.now_ms(), cause

    def ends(self, *, failed: bool) -> None:
        """The caller is about to hear of it."""
        now_ms = self.clock.now_ms()
        run = Run(
            function=self.function,
            version=self.version,
            request_id=self.request_id,
            trace=self.header.root,
            parent=self.header.parent,
            accepted_ms=self.accepted_ms,
            began_ms=self._began_ms or now_ms,
            answered_ms=self._answered_ms or now_ms,
            ended_ms=now_ms,
            init_ms=self._init_ms,
            failed=failed,
            cause=read_cause(self._cause),
        )
        owner = self.function.scope.prefix
        for document in segments_of(run, self.ids):
            self.sink.put(Segment(run.trace, document["id"], owner, msgspec.json.encode(document)))
