"""All that is asked of a log's folder before it is opened for writing; none of it changes a byte."""

from pathlib import Path

import lmdb

from relambda.store import keys
from relambda.store.catalog import Catalog
from relambda.store.datafile import check_data_file
from relambda.store.durable import make_directory
from relambda.store.errors import CorruptStoreError
from relambda.store.format import FormatFile
from relambda.store.tables import live_generation

LOG_FORMAT = 1
"""The format that this release writes; a change of keys or records that older releases cannot read raises it."""


def check_before_opening(directory: Path, catalog: Catalog) -> bool:
    """Whether the log was finished before; False for a new one, whose folder is made.

    Raises NewerFormatError, CorruptStoreError or UnknownEventTypeError.
    """
    data = directory / "data.mdb"
    finished = FormatFile(directory, LOG_FORMAT).check()
    if not finished and (not data.exists() or data.stat().st_size == 0):
        make_directory(directory)
        return False
    check_data_file(data)
    held = _types_held(directory, finished=finished)
    if held and not finished:
        raise CorruptStoreError(
            f"{directory} holds a log but no file FORMAT; put one there that says {LOG_FORMAT}, if this release or an"
            " older one wrote it"
        )
    catalog.check_held(held, str(directory))
    return finished


def _types_held(directory: Path, *, finished: bool) -> list[tuple[str, int]]:
    try:
        with lmdb.open(str(directory), readonly=True, lock=False, max_dbs=4) as environment:
            return _read_types(environment)
    except lmdb.NotFoundError as error:
        if not finished:
            return []
        raise CorruptStoreError(f"the log in {directory} lacks a table ({error}); restore it from a pod") from error
    except lmdb.Error as error:
        raise CorruptStoreError(f"the log in {directory} cannot be read: {error}; restore it from a pod") from error


def _read_types(environment: lmdb.Environment) -> list[tuple[str, int]]:
    with environment.begin() as transaction:
        live = live_generation(environment, transaction, create=False)
        types = environment.open_db(f"types.{live}".encode(), txn=transaction, create=False)
        return [keys.event_type_of(key) for key in transaction.cursor(db=types).iternext(keys=True, values=False)]
