"""The event types a release knows, put to use: what may be written, what may be opened, and upcasting on read."""

from collections.abc import Iterable, Mapping
from typing import Any

from relambda.store.errors import UnknownEventTypeError
from relambda.store.interface import EventTypes
from relambda.store.records import NewEvent, RecordedEvent


class Catalog:
    """Answers for one release's `EventTypes`; immutable, so any thread may ask.

    Raises ValueError when a version has no upcaster towards the current one: that is a mistake in the release.
    """

    def __init__(self, types: EventTypes) -> None:
        for name, current in types.versions.items():
            missing = [v for v in range(1, current) if (name, v) not in types.upcasters]
            if current < 1 or missing:
                raise ValueError(f"event type {name!r} of version {current} has no upcaster from versions {missing}")
        self._versions = dict(types.versions)
        self._upcasters = dict(types.upcasters)

    def knows(self, name: str, version: int) -> bool:
        """Whether events of this type and version can be read."""
        return 1 <= version <= self._versions.get(name, 0)

    def check_new(self, event: NewEvent) -> None:
        """Refuse, with UnknownEventTypeError, to write what the next start could not read."""
        if not self.knows(event.type, event.type_version):
            raise UnknownEventTypeError(
                f"event type {event.type!r} version {event.type_version} is not among the types this store was"
                " opened with; register it before it is written"
            )

    def check_held(self, held: Iterable[tuple[str, int]], where: str) -> None:
        """Refuse, with UnknownEventTypeError, a log that holds types or versions this release does not know."""
        unknown = sorted(f"{name} version {version}" for name, version in held if not self.knows(name, version))
        if unknown:
            raise UnknownEventTypeError(
                f"the log in {where} holds event types this release does not know: {', '.join(unknown)};"
                " nothing was changed, open it with the release that wrote it or a newer one"
            )

    def current(self, event: RecordedEvent) -> RecordedEvent:
        """The event in the current shape of its type; UnknownEventTypeError for a type that is not known."""
        wanted = self._versions.get(event.type, 0)
        if event.type_version == wanted:
            return event
        self.check_held([(event.type, event.type_version)], f"stream {event.stream!r}")
        data: Mapping[str, Any] = event.data
        for version in range(event.type_version, wanted):
            data = self._upcasters[event.type, version](data)
        return RecordedEvent(event.position, event.stream, event.version, event.type, wanted, event.at_ms, data)
