"""A trace put together from its segments: what each service served of it, and who had asked for that.

X-Ray Developer Guide, "Concepts": a call that a subsegment records, and to which no segment answers, stands for a
segment of the service that was called, an inferred one.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import msgspec

from relambda.store.traces import Segment

Document: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Service:
    """Whom X-Ray tells apart: a name, a type ("" for a program of one's own), and an account."""

    name: str
    type: str
    account: str

    def told(self) -> dict[str, Any]:
        """It as X-Ray's ServiceId."""
        kind = {"Type": self.type} if self.type else {}
        return {"Name": self.name, "Names": [self.name], "AccountId": self.account, **kind}


@dataclass(slots=True, eq=False)
class Part:
    """A segment or a subsegment, and what it is below: a part around it, or the one that called its service."""

    document: Document
    above: "Part | None"
    is_segment: bool

    @property
    def flags(self) -> "Flags":
        """How it ended."""
        return Flags.of(self.document)


@dataclass(frozen=True, slots=True)
class Flags:
    """How a part ended: by what it says, or else by the status that it was answered with."""

    error: bool
    throttle: bool
    fault: bool

    @classmethod
    def of(cls, document: Document) -> "Flags":
        """Those of a document (X-Ray segment documents, "Required segment fields" and "HTTP request data")."""
        status = http_status(document) or 0
        error, fault = document.get("error"), document.get("fault")
        said = bool(error or fault)
        return cls(
            error=bool(error) or (not said and 400 <= status < 500),
            throttle=bool(document.get("throttle")) or status == 429,
            fault=bool(fault) or (not said and status >= 500),
        )

    @property
    def ok(self) -> bool:
        """None of them."""
        return not (self.error or self.throttle or self.fault)


@dataclass(frozen=True, slots=True, eq=False)
class Hop:
    """What one service served, once: its segment, or what its caller recorded of it."""

    service: Service
    part: Part
    caller: Service | None
    is_inferred: bool
    is_root: bool

    @property
    def document(self) -> Document:
        """What is known of it."""
        return self.part.document


class Trace:
    """The segments of a trace, related to each other. Build it from one at least; nothing in them is an error."""

    def __init__(self, id_: str, documents: Sequence[Document], account: str) -> None:
        self.id, self.account = id_, account
        self.documents = sorted(documents, key=start_of)
        """Its segments, and subsegments that came by themselves, those that began first in front."""
        self.parts = _parts(self.documents)
        self.root = self._root()
        answered = {id(each.above) for each in self.parts if each.is_segment}
        self.calls = [each for each in self.parts if _is_call(each) and id(each) not in answered]
        """Subsegments that called a service which sent no segment."""
        self.hops = [*self._segments(), *self._inferred()]

    @property
    def start(self) -> float:
        """When its earliest segment began, in seconds since the epoch."""
        return min(start_of(each) for each in self.documents)

    @property
    def duration(self) -> float:
        """Seconds from there to the end of its last segment."""
        return max(end_of(each) for each in self.documents) - self.start

    @property
    def is_partial(self) -> bool:
        """Whether a part is still under way."""
        return any(each.document.get("in_progress") for each in self.parts)

    def parts_of(self, hop: Hop) -> Sequence[Part]:
        """All that a service recorded of what it served; of an inferred one that is its caller's part."""
        return [hop.part] if hop.is_inferred else self._by_segment[id(hop.part)]

    @cached_property
    def _by_segment(self) -> Mapping[int, Sequence[Part]]:
        found = defaultdict[int, list[Part]](list)
        for part in self.parts:
            found[id(segment_of(part))].append(part)
        return found

    def service_of(self, part: Part) -> Service | None:
        """Whose a part is; None when its segment is not there."""
        segment = segment_of(part)
        return None if segment is None else self._service(segment.document)

    @property
    def entry_point(self) -> Service:
        """Whom the client called."""
        return self._service(self.root.document)

    def _root(self) -> Part:
        """The segment that nobody of the trace called; of several the earliest one."""
        own = [each for each in self.parts if each.is_segment] or self.parts
        tops = [each for each in own if each.above is None] or own
        return min(tops, key=lambda each: start_of(each.document))

    def _service(self, document: Document) -> Service:
        aws = document.get("aws")
        account = aws.get("account_id") if isinstance(aws, dict) else None
        return Service(str(document["name"]), str(document.get("origin") or ""), str(account or self.account))

    def _segments(self) -> Iterator[Hop]:
        for part in self.parts:
            if part.is_segment:
                caller = self.service_of(part.above) if part.above else None
                yield Hop(self._service(part.document), part, caller, is_inferred=False, is_root=part is self.root)

    def _inferred(self) -> Iterator[Hop]:
        for part in self.calls:
            name, is_aws = str(part.document["name"]), part.document["namespace"] == "aws"
            service = Service(name, f"AWS::{name}" if is_aws else "remote", self.account)
            yield Hop(service, part, self.service_of(part), is_inferred=True, is_root=False)


def read_trace(id_: str, segments: Sequence[Segment], account: str) -> Trace:
    """A kept trace as an account sees it."""
    return Trace(id_, [msgspec.json.decode(each.document) for each in segments], account)


def segment_of(part: Part) -> Part | None:
    """The segment that a part is, or is in; None when that is not there."""
    seen = set[int]()
    here: Part | None = part
    while here is not None and not here.is_segment and id(here) not in seen:
        seen.add(id(here))
        here = here.above
    return here if here is not None and here.is_segment else None


def start_of(document: Document) -> float:
    """When a part began, in seconds since the epoch."""
    return float(document["start_time"])


def end_of(document: Document) -> float:
    """When it ended; one that is in progress ends, so far, where it begins."""
    return float(document.get("end_time", document["start_time"]))


def http(document: Document, side: str) -> Document:
    """The request or the response that a document tells of, {} without one."""
    about = document.get("http")
    told = about.get(side) if isinstance(about, dict) else None
    return told if isinstance(told, dict) else {}


def http_status(document: Document) -> int | None:
    """The status that was answered, when the document has one."""
    status = http(document, "response").get("status")
    return status if isinstance(status, int) else None


def _is_call(part: Part) -> bool:
    return not part.is_segment and part.document.get("namespace") in {"aws", "remote"}


def _parts(documents: Iterable[Document]) -> list[Part]:
    """All segments and subsegments, related to what they are below."""
    tops = [Part(each, None, is_segment=each.get("type") != "subsegment") for each in documents]
    found = [part for top in tops for part in _within(top)]
    by_id = {str(each.document.get("id", "")): each for each in found}
    for top in tops:
        top.above = by_id.get(str(top.document.get("parent_id", "")))
    return found


def _within(top: Part) -> Iterator[Part]:
    """A document's own part, and those of its subsegments, however deep; what has no name or no beginning is none."""
    waiting = deque([top])
    while waiting:
        part = waiting.popleft()
        yield part
        inner = part.document.get("subsegments")
        for document in inner if isinstance(inner, list) else ():
            if isinstance(document, dict) and _is_timed(document):
                waiting.append(Part(document, part, is_segment=False))


def _is_timed(document: Document) -> bool:
    times = document.get("start_time"), document.get("end_time", 0)
    return isinstance(document.get("name"), str) and all(isinstance(each, int | float) for each in times)
