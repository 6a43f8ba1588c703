"""Rows of views: small tables derived from the log, sorted by the bytes of their keys."""

from collections.abc import Iterable

from relambda.store import keys
from relambda.store.prepared import PreparedRow
from relambda.store.tables import VIEWS_TAG_KEY, Tables, Transaction


def write(transaction: Transaction, tables: Tables, rows: Iterable[PreparedRow]) -> None:
    """Put or delete rows, in order."""
    for row in rows:
        if row.value is None:
            transaction.delete(row.key, db=tables.views)
        else:
            transaction.put(row.key, row.value, db=tables.views)


def read(transaction: Transaction, tables: Tables, table: str, key: str) -> bytes | None:
    """One row, or None."""
    found = keys.table_start(table) + key.encode()
    return transaction.get(found, db=tables.views) if len(found) <= keys.MAX_KEY_BYTES else None


def page(
    transaction: Transaction, tables: Tables, table: str, prefix: str, after: str, limit: int
) -> list[tuple[str, bytes]]:
    """At most `limit` rows whose key begins with `prefix` and is past `after`.

    Cutting a bound at LMDB's limit changes nothing: no key that is there can lie between the two.
    """
    table_start = keys.table_start(table)
    start, past = table_start + prefix.encode(), (table_start + after.encode())[: keys.MAX_KEY_BYTES]
    cursor = transaction.cursor(db=tables.views)
    found: list[tuple[str, bytes]] = []
    held = cursor.set_range(max(start, past)[: keys.MAX_KEY_BYTES]) if limit > 0 else False
    while held and len(found) < limit and cursor.key().startswith(start):
        if cursor.key() != past:
            found.append((cursor.key()[len(table_start) :].decode(), cursor.value()))
        held = cursor.next()
    return found


def count(transaction: Transaction, tables: Tables, table: str, prefix: str) -> int:
    """How many rows have keys that begin with `prefix`."""
    start = keys.table_start(table) + prefix.encode()
    cursor = transaction.cursor(db=tables.views)
    total = 0
    if cursor.set_range(start[: keys.MAX_KEY_BYTES]):
        for key in cursor.iternext(keys=True, values=False):
            if not key.startswith(start):
                break
            total += 1
    return total


def tag(transaction: Transaction, tables: Tables) -> str:
    """The tag of the code that made the views; "" when there are none."""
    return (transaction.get(VIEWS_TAG_KEY, db=tables.meta) or b"").decode()


def clear(transaction: Transaction, tables: Tables) -> None:
    """Drop every row of every view, and the tag."""
    transaction.delete(VIEWS_TAG_KEY, db=tables.meta)
    transaction.drop(tables.views, delete=False)


def set_tag(transaction: Transaction, tables: Tables, name: str) -> None:
    """Say that the views are complete, and which code made them."""
    transaction.put(VIEWS_TAG_KEY, name.encode(), db=tables.meta)
