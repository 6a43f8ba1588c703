"""The LMDB environment: opened only when it is safe to map, grown when it is full, errors told in the store's words.

The data file is stretched (sparsely) to the size of the map before the map takes that size. LMDB may count pages as
used that it never wrote; only so does "shorter than its pages" always mean damage.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import lmdb

from relambda.store.datafile import check_data_file
from relambda.store.durable import FULL_ERRNOS, refusal, sync_directory
from relambda.store.errors import CorruptStoreError, StoreClosedError, StoreError, StoreFullError
from relambda.store.gate import ReadGate
from relambda.store.tables import Tables, Transaction, drop_generations, live_generation, open_tables

Result = TypeVar("Result")

MINIMUM_MAP_BYTES = 256 * 1024
MAX_GROWTH_BYTES = 1 << 30
MAX_READERS = 4096
_MAX_TABLES = 64
_DAMAGE = (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.InvalidError, lmdb.VersionMismatchError)


class Environment:
    """Transactions over the tables; reads from any thread, `write`, `make_live` and `grow` from one thread at a time.

    Raises StoreClosedError after close and in a process that was forked off after it was opened.
    """

    def __init__(self, directory: Path, *, map_bytes: int, max_map_bytes: int, power_safe: bool) -> None:
        self._directory, self._power_safe, self._max_map_bytes = directory, power_safe, max_map_bytes
        self._gate = ReadGate()
        self._process = os.getpid()
        self._map_bytes = max(_round_up(map_bytes), MINIMUM_MAP_BYTES, _size(self.data_path))
        self._lmdb = self._open()
        try:
            self.tables = self._prepare()
        except BaseException:
            self._lmdb.close()
            raise

    @property
    def data_path(self) -> Path:
        """LMDB's data file."""
        return self._directory / "data.mdb"

    @property
    def map_bytes(self) -> int:
        """Size of the map now."""
        return self._map_bytes

    @contextmanager
    def read(self) -> Iterator[tuple[Transaction, Tables]]:
        """A consistent view of one moment; keep it short, and do not nest."""
        self.check_process()
        self._gate.enter()
        try:
            tables = self.tables
            with self._lmdb.begin() as transaction:
                yield transaction, tables
        except lmdb.Error as error:
            raise self.translate(error) from error
        finally:
            self._gate.leave()

    def write(self, work: Callable[[Transaction, Tables], Result]) -> Result:
        """Run `work` in one transaction and commit it; when the map is full, grow it and run `work` anew.

        Raises StoreFullError when there is no room, with nothing written; what `work` raises aborts.
        """
        self.check_process()
        while True:
            try:
                with self._lmdb.begin(write=True) as transaction:
                    return work(transaction, self.tables)
            except lmdb.MapFullError:
                self.grow()
            except lmdb.PanicError as error:
                self._reopen()
                raise self.translate(error) from error
            except lmdb.Error as error:
                raise self.translate(error) from error

    def grow(self) -> None:
        """Double the map, by 1 GiB at most; StoreFullError when file system or limit forbid."""
        wanted = _round_up(self._map_bytes + min(self._map_bytes, MAX_GROWTH_BYTES))
        if wanted > self._max_map_bytes:
            raise StoreFullError(
                f"the log in {self._directory} is at its limit of {self._max_map_bytes} bytes; compact it or raise the"
                " limit"
            )
        self._stretch(wanted)
        with self._gate.exclusive():
            self._lmdb.set_mapsize(wanted)
            self._map_bytes = wanted

    def open_generation(self, transaction: Transaction, generation: int) -> Tables:
        """Make the tables of another generation, for a load to fill."""
        return open_tables(self._lmdb, transaction, generation)

    def drop_later_generations(self, transaction: Transaction) -> None:
        """Remove what loads that failed have left; earlier ones may still be read, and go at the next open."""
        drop_generations(self._lmdb, transaction, lambda generation: generation > self.tables.generation)

    def make_live(self, tables: Tables) -> None:
        """Let reads that begin from now on see another generation; only between two commits."""
        self.tables = tables

    def close(self) -> None:
        """Wait for readers to leave, flush, close; safe to call twice."""
        if os.getpid() == self._process and self._gate.shut():
            try:
                self._lmdb.sync(force=True)
            except lmdb.Error as error:
                raise self.translate(error) from error
            finally:
                self._lmdb.close()

    def check_process(self) -> None:
        """StoreClosedError in a fork: there LMDB's handles seem to work, and the committer's thread is missing."""
        if os.getpid() != self._process:
            raise StoreClosedError(
                f"the store was opened in process {self._process} and is used in its fork {os.getpid()}; open it after"
                " the fork"
            )

    def translate(self, error: lmdb.Error) -> StoreError:
        """LMDB's error in the store's words."""
        if isinstance(error, _DAMAGE):
            return CorruptStoreError(f"the log in {self._directory} is damaged: {error}; restore it from a pod")
        if isinstance(error, lmdb.DiskError) or error.code in FULL_ERRNOS:
            return StoreFullError(f"no room to write the log in {self._directory}: {error}; free some space")
        return StoreError(f"the log in {self._directory} failed: {error}")

    def _open(self) -> lmdb.Environment:
        try:
            opened = lmdb.open(
                str(self._directory),
                map_size=self._map_bytes,
                max_dbs=_MAX_TABLES,
                max_readers=MAX_READERS,
                metasync=self._power_safe,
                max_spare_txns=32,
            )
        except lmdb.Error as error:
            raise self.translate(error) from error
        sync_directory(self._directory)
        return opened

    def _prepare(self) -> Tables:
        self._stretch(self._map_bytes)
        try:
            with self._lmdb.begin(write=True) as transaction:
                live = live_generation(self._lmdb, transaction)
                drop_generations(self._lmdb, transaction, lambda generation: generation != live)
                return open_tables(self._lmdb, transaction, live)
        except lmdb.Error as error:
            raise self.translate(error) from error

    def _reopen(self) -> None:
        with self._gate.exclusive():
            self._lmdb.close()
            check_data_file(self.data_path)
            self._lmdb = self._open()
            self.tables = self._prepare()

    def _stretch(self, size: int) -> None:
        try:
            if _size(self.data_path) < size:
                os.truncate(self.data_path, size)
        except OSError as error:
            raise refusal(error, f"growing {self.data_path} to {size} bytes") from error


def _round_up(size: int) -> int:
    page = os.sysconf("SC_PAGE_SIZE")
    return -(-size // page) * page


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        if error.errno == errno.ENOENT:
            return 0
        raise
