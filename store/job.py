"""A write that waits for the committer, and the future by which whoever asked for it learns the outcome."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from relambda.store.batch import Batch

Result = TypeVar("Result")


@dataclass(slots=True)
class Job(Generic[Result]):
    """`write` runs in the committer's thread; it is `alone` in its transaction when it may fail half-way.

    `write` may run again when the map had to grow, so it must change nothing but the batch it is given.
    """

    write: Callable[[Batch], Result]
    size: int = 0
    """About how many bytes it writes."""
    alone: bool = False
    future: "Future[Result]" = field(default_factory=Future)
