"""Pages of log groups, streams and events: a token tells where the next one begins."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from relambda.api.logs.call import invalid
from relambda.store.logs.keys import LAST
from relambda.store.logs.records import LogEvent, Place

PAGE_BYTES = 1024 * 1024
"""Bytes of messages on a page, and never less than one event (CloudWatch Logs API, "GetLogEvents")."""
MOST_SCANNED = 20_000
"""Events that one page is searched in; a page may be empty and have a token."""
_PLACE = re.compile(r"([fb])/(\d{1,20})\.(\d{1,20})")


def name_token(name: str) -> str:
    """The token for what follows a name."""
    return urlsafe_b64encode(name.encode()).decode()


def token_name(token: str | None) -> str:
    """The name behind which a page begins, "" for the first one. Raises ServiceError InvalidParameterException."""
    try:
        return urlsafe_b64decode((token or "").encode()).decode()
    except (Base64Error, ValueError):
        raise _bad_token() from None


def _bad_token() -> Exception:
    return invalid("The specified nextToken is invalid.")


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut between two events: in front of the one at `place`. A page goes on from there, forwards or backwards."""

    place: Place
    backwards: bool

    @property
    def token(self) -> str:
        """The cut as a token."""
        return f"{'b' if self.backwards else 'f'}/{self.place.at_ms}.{self.place.sequence}"

    @classmethod
    def read(cls, token: str) -> "Cut":
        """The cut that a token tells. Raises ServiceError InvalidParameterException."""
        found = _PLACE.fullmatch(token)
        if found is None or not (int(found[2]) <= LAST and int(found[3]) <= LAST):
            raise _bad_token()
        return cls(Place(int(found[2]), int(found[3])), found[1] == "b")

    def within(self, low: Place, high: Place) -> tuple[Place, Place]:
        """What of the places from `low` to `high`, both with them, lies on this cut's side."""
        return (low, min(high, before(self.place))) if self.backwards else (max(low, self.place), high)


def before(place: Place) -> Place:
    """The last place in front of another."""
    if place.sequence:
        return Place(place.at_ms, place.sequence - 1)
    return Place(place.at_ms - 1, LAST) if place.at_ms else place


def behind(place: Place) -> Place:
    """The first place behind another."""
    return Place(place.at_ms, place.sequence + 1) if place.sequence < LAST else Place(place.at_ms + 1, 0)


@dataclass(frozen=True, slots=True)
class Page:
    """Events of a page, in the order they were found in; the last event looked at when there may be more."""

    events: list[LogEvent]
    stopped: LogEvent | None


def take_page(found: Iterable[LogEvent], most: int, wanted: Callable[[LogEvent], bool]) -> Page:
    """The first of the wanted events, as many as a page holds."""
    events: list[LogEvent] = []
    size = 0
    for scanned, event in enumerate(found, 1):
        if wanted(event):
            size += len(event.message.encode("utf-8", "replace"))
            events.append(event)
        if len(events) >= most or size >= PAGE_BYTES or scanned >= MOST_SCANNED:
            return Page(events, event)
    return Page(events, None)
