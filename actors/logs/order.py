"""The order of an environment's log: an invocation's end stands behind all that it wrote, however late that comes.

Output and answers reach the cloud on different ways, and an answer is often the faster one. So the end of an
invocation is held back: until its mark comes, or, where none was asked for, until the next one starts or a moment is
over. No caller waits for it; only of an environment that writes is the next invocation handed over behind the mark.
"""

from collections import deque
from collections.abc import Iterator

from relambda.actors.logs.words import Closed, Ended, Marked, Word, Wrote

GRACE_MS = 25
"""How long an end without a mark waits for output that is still on its way."""
MARK_MS = 2_000
"""How long an end waits for its mark at most."""


class Order:
    """Puts words into the order in which they are written. For one thread."""

    def __init__(self) -> None:
        self._held: deque[tuple[int, Word]] = deque()
        """Begins with an end, when there is anything."""

    @property
    def since(self) -> int | None:
        """The time of the first of what is held back; None when nothing is."""
        return self._held[0][0] if self._held else None

    def put(self, at_ms: int, word: Word) -> Iterator[tuple[int, Word]]:
        """What may be written now that this word has come, in order."""
        match word:
            case Wrote():
                yield at_ms, word
            case Marked(request_id, _):
                yield from self._marked(at_ms, word, request_id)
            case Closed():
                yield from self._release_all()
                yield at_ms, word
            case _:
                self._held.append((at_ms, word))
        yield from self._settled()

    def due(self, now_ms: int) -> Iterator[tuple[int, Word]]:
        """What has been held back for long enough."""
        while self._held:
            at_ms, word = self._held[0]
            patience = MARK_MS if _waits_for_mark(word) else GRACE_MS
            if isinstance(word, Ended) and now_ms - at_ms < patience:
                return
            yield self._held.popleft()

    def _marked(self, at_ms: int, word: Word, request_id: str) -> Iterator[tuple[int, Word]]:
        if not any(_is_end_of(held, request_id) for _, held in self._held):
            return
        while not _is_end_of(self._held[0][1], request_id):
            yield self._held.popleft()
        yield at_ms, word
        yield self._held.popleft()

    def _settled(self) -> Iterator[tuple[int, Word]]:
        """What nothing keeps back: an end without a mark goes when something else has begun behind it."""
        while self._held:
            word = self._held[0][1]
            if isinstance(word, Ended) and (word.marked or len(self._held) == 1):
                return
            yield self._held.popleft()

    def _release_all(self) -> Iterator[tuple[int, Word]]:
        while self._held:
            yield self._held.popleft()


def _waits_for_mark(word: Word) -> bool:
    return isinstance(word, Ended) and word.marked


def _is_end_of(word: Word, request_id: str) -> bool:
    return isinstance(word, Ended) and word.report.request_id == request_id
