"""What the tests of the store share: event types, stores that are closed, and scripts run in another process."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relambda.store.interface import EventTypes
from relambda.store.log import LmdbStore
from relambda.store.records import Append, Appended, NewEvent, Row

PRELUDE = """
import os, resource, signal, sys, threading
from pathlib import Path
from relambda.store.errors import *
from relambda.store.interface import EventTypes
from relambda.store.log import LmdbStore
from relambda.store.records import *

TYPES = EventTypes({"Made": 1}, {})
DIRECTORY = Path(sys.argv[1])

def ask(store, stream, expected, data, rows=()):
    return store.append(Append(stream, expected, (NewEvent("Made", data, 1),), rows))

def append(store, stream, expected, data, rows=()):
    return ask(store, stream, expected, data, rows).result(60)
"""


@pytest.fixture
def types() -> EventTypes:
    return EventTypes({"Made": 1}, {})


@pytest.fixture
def open_store(tmp_path: Path, types: EventTypes) -> Iterator[Callable[..., LmdbStore]]:
    stores: list[LmdbStore] = []

    def opened(directory: Path = tmp_path / "log", **options: Any) -> LmdbStore:
        stores.append(LmdbStore.open(directory, types, **options))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def append() -> Callable[..., Appended]:
    def appended(store: LmdbStore, stream: str, expected: int, size: int = 1, rows: tuple[Row, ...] = ()) -> Appended:
        event = NewEvent("Made", {"body": b"x" * size}, 1)
        return store.append(Append(stream, expected, (event,), rows)).result(60)

    return appended


@pytest.fixture
def script() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start Python on the prelude and a script; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(text: str, *arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-W", "error", "-c", PRELUDE + text, *map(str, arguments)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=60)


@pytest.fixture
def run_script(script: Callable[..., "subprocess.Popen[str]"]) -> Callable[..., list[str]]:
    """Run a script to its end, which must be a good one, and return the lines it printed."""

    def run(text: str, *arguments: object) -> list[str]:
        process = script(text, *arguments)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, f"exit {process.returncode}: {err}"
        return out.splitlines()

    return run


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    """The bytes of every file below a folder."""

    def read(directory: Path) -> dict[str, bytes]:
        return {str(f.relative_to(directory)): f.read_bytes() for f in directory.rglob("*") if f.is_file()}

    return read
