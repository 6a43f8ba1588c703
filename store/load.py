"""A load into an empty log: written beside it, as another generation of tables, and made live at one stroke."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from relambda.store import keys
from relambda.store.batch import Batch, last_position, put_event
from relambda.store.environment import Environment
from relambda.store.errors import StoreError
from relambda.store.loading import LoadedEvent, RecordChecker
from relambda.store.tables import GENERATION_KEY, VIEWS_TAG_KEY

Result = TypeVar("Result")


class Runner(Protocol):
    """Hands a piece of work to the committer, alone in its transaction, and waits until it is durable."""

    def __call__(self, work: Callable[[Batch], Result], /) -> Result:
        """What `work` returned; raises what it raised."""
        ...


class Load:
    """One load, by one thread; others may read meanwhile, and see the empty log until all is there."""

    def __init__(self, environment: Environment, checker: RecordChecker, run: Runner) -> None:
        self._environment, self._checker, self._run = environment, checker, run

    def load(self, records: Iterable[bytes]) -> int:
        """Write all records or none; StoreError when the log is not empty, else as `Store.load`."""
        generation = self._run(self._begin)
        try:
            for chunk in self._checker.chunks(records):
                self._run(self._writing(generation, chunk))
            self._run(self._finishing(generation))
        except BaseException:
            self._run(self._clean)
            raise
        return self._checker.head

    def _begin(self, batch: Batch) -> int:
        _check_empty(batch)
        self._environment.drop_later_generations(batch.transaction)
        return batch.tables.generation + 1

    def _writing(self, generation: int, chunk: list[LoadedEvent]) -> Callable[[Batch], None]:
        def write(batch: Batch) -> None:
            tables = self._environment.open_generation(batch.transaction, generation)
            for event in chunk:
                put_event(batch.transaction, tables, event.position, event.stream, event.version, event.record)

        return write

    def _finishing(self, generation: int) -> Callable[[Batch], None]:
        def finish(batch: Batch) -> None:
            _check_empty(batch)
            tables = self._environment.open_generation(batch.transaction, generation)
            for type_key, position in self._checker.types.items():
                batch.transaction.put(type_key, keys.number(position), db=tables.types)
            batch.transaction.put(GENERATION_KEY, keys.number(generation), db=tables.meta)
            batch.transaction.delete(VIEWS_TAG_KEY, db=tables.meta)
            batch.after_commit.append(lambda: self._environment.make_live(tables))

        return finish

    def _clean(self, batch: Batch) -> None:
        self._environment.drop_later_generations(batch.transaction)


def _check_empty(batch: Batch) -> None:
    if head := last_position(batch.transaction, batch.tables):
        raise StoreError(f"records are loaded into an empty log only, and this one is at position {head}")
