"""Which traces GetTraceSummaries looks at: a span of time, three meanings of it, and pages, the newest in front.

X-Ray API reference, "GetTraceSummaries": TraceId is when a trace begins, Event when it was updated, Service when one of
its segments ended.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from relambda.actors.domain.refusals import Refusal
from relambda.api.traces.trace import Trace, end_of
from relambda.store.traces import Kept, TraceStore

MOST_HOURS: Final = 24
_LAST_SECOND: Final = 0xFFFF_FFFF
"""What the eight digits of a trace's id can tell."""
_BEHIND_ALL: Final = "2-"
"""Behind every id of a trace."""
_TOKEN: Final = re.compile(r"(\d{1,15})/(1-[0-9a-f]{8}-[0-9a-f]{24})")
Meaning: TypeAlias = Literal["TraceId", "Event", "Service"]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From a time to another, both with it, in seconds since the epoch."""

    start: float
    end: float
    meaning: Meaning = "TraceId"

    @classmethod
    def of(cls, given: dict[str, Any], most_hours: int = MOST_HOURS) -> "TimeRange":
        """What a request asks for. Raises Refusal: InvalidRequestException."""
        start, end = (min(max(given[name], 0.0), float(_LAST_SECOND)) for name in ("StartTime", "EndTime"))
        if end < start or end - start > most_hours * 3600:
            why = f"EndTime must be after StartTime, and within {most_hours} hours."
            raise Refusal("InvalidRequestException", why)
        return cls(start, end, given.get("TimeRangeType") or "TraceId")

    def page(self, store: TraceStore, owner: str, behind: Kept | None, limit: int) -> Sequence[Kept]:
        """Traces to look at, each by the time that it is found by: a segment that ended in time may have come later."""
        if self.meaning != "TraceId":
            until = Kept(int(self.end * 1000), _BEHIND_ALL) if self.meaning == "Event" else Kept(2**62, _BEHIND_ALL)
            return store.kept(int(self.start * 1000), behind or until, limit, owner)
        last = behind.trace if behind else f"1-{int(self.end):08x}-g"
        return [Kept(began_ms(each), each) for each in store.traces(f"1-{int(self.start):08x}-", last, limit, owner)]

    def matched(self, trace: Trace, key: Kept) -> float | None:
        """The time that a trace matches by, in seconds since the epoch; None when it does not."""
        if self.meaning != "Service":
            return key.at_ms / 1000
        ends = [end_of(part.document) for part in trace.parts if part.is_segment and "end_time" in part.document]
        return max((each for each in ends if self.start <= each <= self.end), default=None)


def began_ms(trace: str) -> int:
    """When a trace began, by its id, in milliseconds since the epoch."""
    return int(trace[2:10], 16) * 1000


def token_of(key: Kept) -> str:
    """With which the next page goes on behind a trace."""
    return f"{key.at_ms}/{key.trace}"


def read_token(token: str | None) -> Kept | None:
    """Where a page goes on; None for the first one. Raises Refusal: InvalidRequestException."""
    if not token:
        return None
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise Refusal("InvalidRequestException", "The NextToken is not one that a page of summaries has given.")
    return Kept(int(found[1]), found[2])
