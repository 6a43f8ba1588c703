"""The committer: order, one transaction for all that wait, a bounded queue, and an end that leaves nobody waiting."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from relambda.store import keys
from relambda.store.batch import Batch, put_event
from relambda.store.committer import Committer
from relambda.store.environment import Environment
from relambda.store.errors import CorruptStoreError, StoreBusyError, StoreClosedError, StoreFullError
from relambda.store.job import Job
from relambda.store.tables import Tables, Transaction

SECONDS = 30
LIMIT = 5


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    opened = Environment(tmp_path, map_bytes=1, max_map_bytes=1 << 20, power_safe=True)
    yield opened
    opened.close()


@pytest.fixture
def committer(environment: Environment) -> Iterator[Committer]:
    opened = Committer(environment, LIMIT)
    yield opened
    opened.close(SECONDS)


class Hold:
    """A job that keeps the committer busy until it is let go."""

    def __init__(self, committer: Committer) -> None:
        self._begun, self._free = threading.Event(), threading.Event()
        self.job: Job[bool] = Job(self._wait)
        committer.submit(self.job)
        assert self._begun.wait(SECONDS)

    def _wait(self, _batch: Batch) -> bool:
        self._begun.set()
        return self._free.wait(SECONDS)

    def let_go(self) -> None:
        self._free.set()


def batch_of(committer: Committer, *, alone: bool = False) -> "Future[Batch]":
    job: Job[Batch] = Job(lambda batch: batch, alone=alone)
    committer.submit(job)
    return job.future


def test_all_that_wait_share_one_transaction(committer: Committer) -> None:
    """Jobs that gather during a commit go into the next one together; a job that is alone has its own."""
    hold = Hold(committer)
    first = [batch_of(committer) for _ in range(2)]
    alone = batch_of(committer, alone=True)
    last = [batch_of(committer) for _ in range(2)]
    hold.let_go()
    shared = [{future.result(SECONDS) for future in futures} for futures in (first, [alone], last)]
    assert [len(batches) for batches in shared] == [1, 1, 1]
    assert len(set.union(*shared)) == 3


def test_a_full_queue_refuses_at_the_call(committer: Committer) -> None:
    """Beyond its limit the queue raises StoreBusyError; what was queued is still committed."""
    hold = Hold(committer)
    queued = [batch_of(committer) for _ in range(LIMIT)]
    with pytest.raises(StoreBusyError, match=f"{LIMIT} writes"):
        batch_of(committer)
    hold.let_go()
    assert len([future.result(SECONDS) for future in queued]) == LIMIT
    assert isinstance(batch_of(committer).result(SECONDS), Batch)


def test_a_write_that_was_cancelled_in_time_is_not_made(committer: Committer) -> None:
    """A future that is cancelled while it waits leaves no trace, and the committer lives on."""
    hold = Hold(committer)
    ran: list[int] = []
    job: Job[None] = Job(lambda _batch: ran.append(1))
    committer.submit(job)
    assert job.future.cancel()
    hold.let_go()
    assert isinstance(batch_of(committer).result(SECONDS), Batch)
    assert ran == []


def test_an_error_nobody_foresaw_reaches_who_asked(committer: Committer) -> None:
    """A bug in one job is told to all in its transaction, and the next transaction is made."""

    def fail(_batch: Batch) -> None:
        raise ZeroDivisionError

    hold = Hold(committer)
    job: Job[None] = Job(fail)
    committer.submit(job)
    beside = batch_of(committer)
    hold.let_go()
    assert isinstance(job.future.exception(SECONDS), ZeroDivisionError)
    assert isinstance(beside.exception(SECONDS), ZeroDivisionError)
    assert isinstance(batch_of(committer).result(SECONDS), Batch)


def test_after_close_nothing_is_taken(environment: Environment) -> None:
    """A closed committer refuses at the call, and its thread has ended."""
    committer = Committer(environment, LIMIT)
    assert committer.close(SECONDS)
    assert committer.close(SECONDS)
    with pytest.raises(StoreClosedError):
        batch_of(committer)


def test_what_is_left_when_the_time_to_close_is_over_is_told(environment: Environment) -> None:
    """When a commit hangs beyond the bound, close says so, and whoever still waits gets StoreClosedError."""
    committer = Committer(environment, LIMIT)
    hold = Hold(committer)
    left = batch_of(committer)
    assert committer.close(0.0) is False
    assert isinstance(left.exception(SECONDS), StoreClosedError)
    hold.let_go()
    assert hold.job.future.result(SECONDS)
    assert committer.close(SECONDS)


@pytest.mark.parametrize("position", [1, 2])
def test_a_position_out_of_order_is_never_passed_over(environment: Environment, position: int) -> None:
    """LMDB answers a put out of order with False and no error; the store raises and writes nothing."""

    def write(transaction: Transaction, tables: Tables) -> None:
        put_event(transaction, tables, 2, b"a", 1, b"record")
        put_event(transaction, tables, position, b"a", 2, b"record")

    with pytest.raises(CorruptStoreError, match=f"position {position}"):
        environment.write(write)
    with environment.read() as (transaction, tables):
        assert transaction.get(keys.number(2), db=tables.events) is None


def test_a_version_that_is_there_is_never_overwritten(environment: Environment) -> None:
    """Two events never share a version of a stream."""

    def write(transaction: Transaction, tables: Tables) -> None:
        put_event(transaction, tables, 1, b"a", 1, b"record")
        put_event(transaction, tables, 2, b"a", 1, b"record")

    with pytest.raises(CorruptStoreError, match="version 1 of stream"):
        environment.write(write)


def test_a_job_too_large_for_the_limit_aborts_and_leaves_room(committer: Committer) -> None:
    """After StoreFullError the transaction is gone: a job of half the room fits."""

    def put(size: int) -> Callable[[Batch], bool]:
        return lambda batch: batch.transaction.put(b"k", bytes(size), db=batch.tables.views)

    large, small = Job(put(2_000_000)), Job(put(500_000))
    committer.submit(large)
    assert isinstance(large.future.exception(SECONDS), StoreFullError)
    committer.submit(small)
    assert small.future.result(SECONDS)
