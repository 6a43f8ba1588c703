"""The one thread that writes: it takes all waiting jobs into one transaction, commits, and then tells who asked.

While it commits, the next jobs gather; so a lone append waits for nobody, and a crowd shares one flush to the disk.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from relambda.store.batch import Batch
from relambda.store.environment import Environment
from relambda.store.errors import (
    CorruptStoreError,
    StoreBusyError,
    StoreClosedError,
    StoreError,
    StoreFullError,
    VersionConflictError,
)
from relambda.store.job import Job
from relambda.store.tables import Tables, Transaction

MAX_BATCH_JOBS = 4096
MAX_BATCH_BYTES = 16 * 1024 * 1024
MAX_QUEUE_BYTES = 256 * 1024 * 1024

Outcome = tuple[Any, VersionConflictError | None]


class Committer:
    """Commits jobs in the order in which they were submitted; owned and closed by one store."""

    def __init__(self, environment: Environment, queue_limit: int) -> None:
        self._environment, self._queue_limit = environment, queue_limit
        self._queue: deque[Job[Any]] = deque()
        self._queued_bytes = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="store-committer", daemon=True)
        self._thread.start()

    def submit(self, job: Job[Any]) -> None:
        """Queue a job; StoreBusyError when the queue is at its limit, StoreClosedError after close."""
        with self._changed:
            if self._closing:
                raise StoreClosedError("the store is closed; open it again")
            if len(self._queue) >= self._queue_limit or self._queued_bytes > MAX_QUEUE_BYTES:
                raise StoreBusyError(
                    f"{len(self._queue)} writes of {self._queued_bytes} bytes wait for the disk already; try again"
                )
            self._queue.append(job)
            self._queued_bytes += job.size
            self._changed.notify()

    def close(self, timeout: float) -> bool:
        """Commit what is queued, within `timeout` seconds, and stop; what is left then raises StoreClosedError.

        Returns whether the thread has ended; it has not while a flush to the disk hangs.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._abandon()
            self._thread.join(1.0)
        return not self._thread.is_alive()

    def _abandon(self) -> None:
        with self._changed:
            left = list(self._queue)
            self._queue.clear()
        for job in left:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(StoreClosedError("the store closed before this was written"))

    def _run(self) -> None:
        while batch := self._next():
            wanted = [job for job in batch if job.future.set_running_or_notify_cancel()]
            if wanted:
                self._commit(wanted)

    def _next(self) -> list[Job[Any]]:
        with self._changed:
            while not self._queue:
                if self._closing:
                    return []
                self._changed.wait()
            return self._take()

    def _take(self) -> list[Job[Any]]:
        batch = [self._queue.popleft()]
        size = batch[0].size
        while self._queue and not batch[0].alone and not self._queue[0].alone:
            size += self._queue[0].size
            if len(batch) >= MAX_BATCH_JOBS or size > MAX_BATCH_BYTES:
                break
            batch.append(self._queue.popleft())
        self._queued_bytes -= sum(job.size for job in batch)
        return batch

    def _commit(self, batch: Sequence[Job[Any]]) -> None:
        try:
            written, outcomes = self._environment.write(_writer(batch))
            for act in written.after_commit:
                act()
        except Exception as error:  # noqa: BLE001 - every waiter is told, and the thread lives on
            for job in batch:
                job.future.set_exception(_own(error))
            return
        for job, (result, refused) in zip(batch, outcomes, strict=True):
            if refused is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(refused)


def _writer(batch: Sequence[Job[Any]]) -> Callable[[Transaction, Tables], tuple[Batch, list[Outcome]]]:
    def write(transaction: Transaction, tables: Tables) -> tuple[Batch, list[Outcome]]:
        writing = Batch(transaction, tables)
        outcomes = [_outcome(job, writing) for job in batch]
        writing.finish()
        return writing, outcomes

    return write


def _outcome(job: Job[Any], writing: Batch) -> Outcome:
    try:
        return job.write(writing), None
    except VersionConflictError as refused:
        return None, refused


def _own(error: Exception) -> Exception:
    """An exception of one's own for each waiter: a shared one would gather all their tracebacks."""
    kind = type(error)
    if kind in {StoreFullError, CorruptStoreError, StoreError}:
        copy = kind(*error.args)
        copy.__cause__ = error.__cause__
        return copy
    return error
