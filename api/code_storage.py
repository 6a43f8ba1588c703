"""How much code and layers an account stores in a region, against its quota (limits.tsv, "total code storage")."""

import threading
from collections.abc import Callable

from relambda.actors.domain.names import Scope
from relambda.actors.domain.refusals import Refusal


class CodeStorage:
    """Admits new code. Any thread.

    What is stored is counted when that could matter only: until then each addition makes the last count larger and no
    deletion smaller, so it is never too small.
    """

    def __init__(self, quota: int, count: Callable[[Scope], int]) -> None:
        self._quota, self._count = quota, count
        self._lock = threading.Lock()
        self._at_most: dict[Scope, int] = {}

    def admit(self, scope: Scope, size: int) -> None:
        """Let so many bytes be stored. Raises Refusal: CodeStorageExceededException."""
        with self._lock:
            if self._quota < self._at_most.get(scope, self._quota + 1) + size:
                self._at_most[scope] = self._count(scope)
            if self._quota < self._at_most[scope] + size:
                raise Refusal("CodeStorageExceededException", "Code storage limit exceeded.")
            self._at_most[scope] += size
