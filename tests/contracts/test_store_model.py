"""Stores against a model: whatever is appended in whatever order, reads, rows and loads obey the same laws."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from relambda.store.errors import VersionConflictError
from relambda.store.interface import EventTypes, Store
from relambda.store.log import LmdbStore
from relambda.store.memory import MemoryStore
from relambda.store.records import Append, NewEvent, Row

TYPES = EventTypes({"Made": 1}, {})
STREAMS = st.sampled_from(["a", "a/b", "a\x01", "b", "é"])
TABLES = st.sampled_from(["t", "t2"])
KEYS = st.sampled_from(["a", "aa", "ab", "b", "é", "z\x00y"])
DATA = st.dictionaries(st.text(max_size=3), st.integers(-(2**63), 2**64 - 1) | st.binary(max_size=8), max_size=3)
ROWS = st.lists(st.builds(Row, TABLES, KEYS, st.none() | st.binary(max_size=4)), max_size=4).map(tuple)
SECONDS = 30


class StoreMachine(RuleBasedStateMachine):
    """Holds a store and what should be in it."""

    def __init__(self) -> None:
        super().__init__()
        self.store = self.make()
        self.log: list[tuple[str, int, dict[str, Any]]] = []
        self.held: dict[tuple[str, str], bytes] = {}

    def make(self) -> Store:
        return MemoryStore(TYPES)

    def version(self, stream: str) -> int:
        return sum(entry[0] == stream for entry in self.log)

    @rule(stream=STREAMS, many=st.lists(DATA, max_size=3), rows=ROWS, off=st.sampled_from([0, 0, 0, 1]))
    def append(self, stream: str, many: list[dict[str, Any]], rows: tuple[Row, ...], off: int) -> None:
        version = self.version(stream)
        events = tuple(NewEvent("Made", data, 7) for data in many)
        future = self.store.append(Append(stream, version + off, events, rows))
        if off:
            assert isinstance(future.exception(SECONDS), VersionConflictError)
            return
        self.log += [(stream, version + number, data) for number, data in enumerate(many, 1)]
        for row in rows:
            self.held.pop((row.table, row.key), None)
            if row.value is not None:
                self.held[row.table, row.key] = row.value
        landed = future.result(SECONDS)
        assert (landed.version, landed.position) == (self.version(stream), len(self.log))

    @rule(stream=STREAMS, after=st.integers(0, 5))
    def read_a_stream(self, stream: str, after: int) -> None:
        found = [(e.stream, e.version, e.data) for e in self.store.read_stream(stream, after)]
        assert found == [entry for entry in self.log if entry[0] == stream and entry[1] > after]

    @rule(table=TABLES, prefix=st.sampled_from(["", "a", "z", "é"]), after=st.just("") | KEYS, limit=st.integers(0, 4))
    def list_rows(self, table: str, prefix: str, after: str, limit: int) -> None:
        keys = sorted((key for held, key in self.held if held == table and key.startswith(prefix)), key=str.encode)
        past = [key for key in keys if key.encode() > after.encode()][:limit]
        assert self.store.rows(table, prefix, after, limit) == [(key, self.held[table, key]) for key in past]
        assert self.store.count(table, prefix) == len(keys)

    @rule()
    def load_elsewhere(self) -> None:
        twin = MemoryStore(TYPES)
        assert twin.load(self.store.records()) == len(self.log)
        assert list(twin.records()) == list(self.store.records())

    @invariant()
    def the_log_is_the_model(self) -> None:
        assert [(e.stream, e.version, e.data) for e in self.store.read_all()] == self.log
        assert list(self.store.streams()) == sorted({entry[0] for entry in self.log}, key=str.encode)
        assert self.store.head() == len(self.log)

    def teardown(self) -> None:
        self.store.close()


class LmdbMachine(StoreMachine):
    """The same on disk, with a tiny map that has to grow, and closed and opened in between."""

    def make(self) -> Store:
        self.directory = Path(tempfile.mkdtemp())
        return self.opened()

    def opened(self) -> Store:
        return LmdbStore.open(self.directory / "log", TYPES, initial_map_bytes=1)

    @rule()
    def close_and_open(self) -> None:
        self.store.close()
        self.store = self.opened()

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.directory)


BOUNDS = settings(max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))


def test_the_memory_store_behaves_as_the_model() -> None:
    """The in-memory twin obeys the laws of append, read, rows and load."""
    run_state_machine_as_test(StoreMachine, settings=BOUNDS)


def test_the_lmdb_store_behaves_as_the_model() -> None:
    """The store on disk obeys them too, while its map grows and across closing and opening."""
    run_state_machine_as_test(LmdbMachine, settings=BOUNDS)
