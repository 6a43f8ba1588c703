"""Concurrency of an account: how many invocations run at once, and when one more is refused."""

import threading
from collections import Counter
from collections.abc import Callable

from relambda.actors.domain.names import ResourceName, Scope
from relambda.actors.domain.refusals import Refusal


def too_many(reason: str) -> Refusal:
    """429 as AWS gives it (TRAPS.md row 17)."""
    return Refusal("TooManyRequestsException", "Rate Exceeded.", Reason=reason, retryAfterSeconds="1")


class Concurrency:
    """Counts of running invocations by function and by scope. Any thread; nothing waits here."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Condition()
        self._functions: Counter[str] = Counter()
        self._unreserved: Counter[Scope] = Counter()
        self._reserved: dict[str, int] = {}

    def reserve(self, function: ResourceName, count: int | None) -> None:
        """Set or lift (None) a function's reservation; it counts at once."""
        with self._lock:
            if count is None:
                self._reserved.pop(function.stream, None)
            else:
                self._reserved[function.stream] = count

    def acquire(self, function: ResourceName) -> Callable[[], None]:
        """A place for one invocation; the answer gives it back when called. Raises Refusal (429)."""
        stream, scope = function.stream, function.scope
        with self._lock:
            reserved = self._reserved.get(stream)
            if reserved is not None:
                if self._functions[stream] >= reserved:
                    raise too_many("ReservedFunctionConcurrentInvocationLimitExceeded")
            elif self._unreserved[scope] >= self._limit - self._reserved_in(scope):
                raise too_many("ConcurrentInvocationLimitExceeded")
            else:
                self._unreserved[scope] += 1
            self._functions[stream] += 1
        return lambda: self._release(stream, None if reserved is not None else scope)

    def running(self) -> int:
        """How many invocations run now."""
        with self._lock:
            return self._functions.total()

    def wait_idle(self, timeout: float) -> bool:
        """Wait until nothing runs, for `timeout` seconds at most; whether it came to that."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._functions.total(), timeout)

    def _reserved_in(self, scope: Scope) -> int:
        if not self._reserved:
            return 0
        prefix = f"function/{scope.prefix}"
        return sum(count for stream, count in self._reserved.items() if stream.startswith(prefix))

    def _release(self, stream: str, scope: Scope | None) -> None:
        with self._lock:
            self._functions[stream] -= 1
            if scope is not None:
                self._unreserved[scope] -= 1
            self._lock.notify_all()
