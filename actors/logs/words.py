"""What an execution environment tells of itself on its way into its log stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relambda.actors.logs.lines import InitReport, Report


@dataclass(frozen=True, slots=True)
class InitStarted:
    """The runtime starts for the first time."""


@dataclass(frozen=True, slots=True)
class InitFailed:
    """The init came to nothing."""

    report: InitReport


@dataclass(frozen=True, slots=True)
class Started:
    """An invocation begins."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Wrote:
    """The function's processes wrote; so many bytes before it were dropped, as the log could not keep up with them."""

    data: bytes
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """An invocation is over; `last_words` is what AWS itself writes of a timeout or an exit, before END.

    When it is `marked`, all its output comes before the mark of its request id.
    """

    report: Report
    marked: bool = False
    last_words: str = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """All output of an invocation has come; the peak of memory in bytes, 0 when unknown."""

    request_id: str
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Told:
    """The platform tells of something else: in the format Text by a line, in JSON by a record."""

    line: str
    type_: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Closed:
    """The environment is no more."""


Word = InitStarted | InitFailed | Started | Wrote | Ended | Marked | Told | Closed
