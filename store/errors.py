"""What the store refuses, and why; every message says what happened, where, and what to do."""


class StoreError(Exception):
    """The root of all that the store raises."""


class VersionConflictError(StoreError):
    """Raised on append when the stream is not at the expected version; nothing was written."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(f"stream {stream!r} is at version {actual}, not at the expected {expected}")
        self.stream, self.expected, self.actual = stream, expected, actual


class StoreFullError(StoreError):
    """Raised on append when disk or map is full; nothing was written, and reads go on."""


class StoreClosedError(StoreError):
    """Raised on any use after close."""


class StoreBusyError(StoreError):
    """Raised when the committer's queue is at its limit, or the state directory belongs to another process."""


class UnknownEventTypeError(StoreError):
    """Raised on open, load and append for an event type, or a version of one, that this release does not know."""


class NewerFormatError(StoreError):
    """Raised on open when the state directory was written in a newer format; its files are left untouched."""


class CorruptStoreError(StoreError):
    """Raised when files of the state directory are damaged; they are left untouched."""


class BlobNotFoundError(StoreError):
    """Raised when a blob that is asked for is not there."""


class BlobTooLargeError(StoreError):
    """Raised when a content has more bytes than it may have; nothing was stored."""
