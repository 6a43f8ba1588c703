"""The named databases inside the LMDB environment, and which generation of the log's own is the live one.

Everything that a load replaces at one stroke carries the generation in its name; `meta` says which one counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import lmdb

from relambda.store import keys

Transaction: TypeAlias = "lmdb.Transaction[bytes]"
Database: TypeAlias = "lmdb._Database"

LOG_TABLES = ("events", "index", "types", "checkpoints")
GENERATION_KEY, VIEWS_TAG_KEY = b"generation", b"views_tag"


@dataclass(frozen=True, slots=True)
class Tables:
    """Handles of all tables; keys and values are told in the module `keys`."""

    generation: int
    events: Database
    """Position -> record."""
    index: Database
    """Stream, NUL, version -> position; a stream's last key tells its version, so no commit keeps it elsewhere."""
    types: Database
    """Event type @ version -> position of the first such event."""
    checkpoints: Database
    """Stream -> checkpoint."""
    views: Database
    """Table, NUL, key -> value."""
    meta: Database


def open_tables(environment: lmdb.Environment, transaction: Transaction, generation: int) -> Tables:
    """Open, or make, the tables of a generation within a write transaction."""

    def table(name: str) -> Database:
        return environment.open_db(name.encode(), txn=transaction)

    log = {name: table(f"{name}.{generation}") for name in LOG_TABLES}
    return Tables(generation, views=table("views"), meta=table("meta"), **log)


def live_generation(environment: lmdb.Environment, transaction: Transaction, *, create: bool = True) -> int:
    """Which generation counts; 1 in a new environment."""
    meta = environment.open_db(b"meta", txn=transaction, create=create)
    held = transaction.get(GENERATION_KEY, db=meta)
    return 1 if held is None else keys.value_of(held)


def drop_generations(environment: lmdb.Environment, transaction: Transaction, unwanted: Callable[[int], bool]) -> None:
    """Remove the tables of generations that are not wanted: empty ones, or what an interrupted load left behind."""
    for name in environment.dbs(transaction):
        base, dot, generation = name.decode().partition(".")
        if dot and base in LOG_TABLES and unwanted(int(generation)):
            transaction.drop(environment.open_db(name, txn=transaction), delete=True)
