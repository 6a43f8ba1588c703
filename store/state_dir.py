"""The layout of a state directory, with generations, so that a whole state is swapped at one stroke.

FORMAT              the layout's format number
CURRENT             the number of the generation that counts
generations/<n>/    what belongs to one generation: log/ and whatever the owner keeps beside it
generations/new-*   generations that are being made; worth nothing until adopted
logs/               what functions wrote on this machine: no part of a generation, so an import leaves it alone
blobs/              shared by all generations: content-addressed, so sharing is safe
lock                for `StateLock`
"""

import shutil
import tempfile
from pathlib import Path

from relambda.store.durable import make_directory, replace_file, sync_directory, sync_tree
from relambda.store.errors import CorruptStoreError
from relambda.store.format import FormatFile

STATE_FORMAT = 1
_NEW = "new-"


class StateDirectory:
    """Paths in one state directory, and the swap; all but the paths needs the `StateLock`.

    Raises NewerFormatError or CorruptStoreError, with nothing changed, when the directory is not one of ours.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._format = FormatFile(path, STATE_FORMAT)
        self._format.check()

    @property
    def lock_path(self) -> Path:
        """The file that `StateLock` locks."""
        return self._path / "lock"

    @property
    def blobs_path(self) -> Path:
        """The folder for `Blobs`."""
        return self._path / "blobs"

    @property
    def logs_path(self) -> Path:
        """The folder for `LogStore`."""
        return self._path / "logs"

    @property
    def traces_path(self) -> Path:
        """The database for `TraceStore`."""
        return self._path / "traces" / "segments.sqlite"

    def current(self) -> Path:
        """The generation that counts; made, empty, in a new directory."""
        number = self._current_number()
        if number is None:
            return self.adopt(self.new_generation())
        return self._generation(number)

    def previous(self) -> Path | None:
        """The generation before the current one, which is kept as a backup."""
        number = self._current_number()
        older = [n for n in self._numbers() if number is not None and n < number]
        return self._generation(max(older)) if older else None

    def new_generation(self) -> Path:
        """An empty folder to make the next generation in; it counts for nothing until it is adopted."""
        make_directory(self._generations)
        return Path(tempfile.mkdtemp(prefix=_NEW, dir=self._generations))

    def adopt(self, path: Path) -> Path:
        """Make a new generation the current one, durably and at one stroke; return where it is now.

        Close whatever writes there first. The generation that was current becomes the one backup, older ones are
        removed. ValueError for a path that `new_generation` did not give.
        """
        if path.parent != self._generations or not path.name.startswith(_NEW) or not path.is_dir():
            raise ValueError(f"{path} is no new generation of {self._path}")
        sync_tree(path)
        former = self._current_number()
        number = max(self._numbers(), default=0) + 1
        adopted = path.rename(self._generation(number, must_exist=False))
        sync_directory(self._generations)
        self._point_at(number)
        self._remove_all_but({number, former})
        return adopted

    def discard_unadopted(self) -> None:
        """Remove what was begun and never adopted; for the start, under the lock."""
        number = self._current_number()
        for entry in self._entries():
            if entry.name.startswith(_NEW) or (
                entry.name.isdigit() and number is not None and int(entry.name) > number
            ):
                shutil.rmtree(entry)

    @property
    def _generations(self) -> Path:
        return self._path / "generations"

    def _generation(self, number: int, *, must_exist: bool = True) -> Path:
        path = self._generations / str(number)
        if must_exist and not path.is_dir():
            raise CorruptStoreError(f"{self._path / 'CURRENT'} names generation {number}, and {path} is missing")
        return path

    def _current_number(self) -> int | None:
        try:
            text = (self._path / "CURRENT").read_bytes().strip()
        except FileNotFoundError:
            self._check_new()
            return None
        if not text.isdigit():
            raise CorruptStoreError(f"{self._path / 'CURRENT'} holds {text[:40]!r} and not the number of a generation")
        return int(text)

    def _check_new(self) -> None:
        kept = [n for n in self._numbers() if any(self._generation(n).iterdir())]
        if kept:
            raise CorruptStoreError(
                f"{self._path / 'CURRENT'} is missing, and there are generations {kept}; write the right number into it"
            )

    def _point_at(self, number: int) -> None:
        replace_file(self._path / "CURRENT", b"%d\n" % number)
        if not self._format.check():
            self._format.write()

    def _numbers(self) -> list[int]:
        return sorted(int(entry.name) for entry in self._entries() if entry.name.isdigit())

    def _entries(self) -> list[Path]:
        return list(self._generations.iterdir()) if self._generations.is_dir() else []

    def _remove_all_but(self, kept: set[int | None]) -> None:
        for number in self._numbers():
            if number not in kept:
                shutil.rmtree(self._generation(number))
