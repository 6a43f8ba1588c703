"""Several unpacked packages as one tree, as Lambda extracts layers into /opt: in order, the later one on top.

Files are shared with the packages they come from (hard links), so that a merged tree costs names and no content. No
link of a package is ever followed: what stands in the place of a later package's folder is removed.
"""

import errno
import filecmp
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

_NO_LINKS = frozenset({errno.EMLINK, errno.EPERM, errno.ENOTSUP, errno.EXDEV})


def merge_into(folder: Path, sources: Sequence[Path], copied: Collection[Path] = ()) -> None:
    """Put the trees of `sources` into an empty folder, in order. Raises OSError; what was made by then stays.

    Files of `copied` sources, which their owner goes on to change, are not shared.
    """
    for source in sources:
        _merge(source, folder, _copy if source in copied else _share)


def mirror(source: Path, target: Path) -> None:
    """Make a folder hold what another one holds, by moving files over; what is the same stays untouched.

    So who reads the folder meanwhile finds each file whole. Raises OSError.
    """
    wanted = {entry.name for entry in os.scandir(source)}
    for extra in [entry for entry in os.scandir(target) if entry.name not in wanted]:
        _remove(Path(extra.path))
    for name in wanted:
        new, old = source / name, target / name
        if new.is_dir() and not new.is_symlink():
            _make_folder(old)
            mirror(new, old)
        elif not _same(new, old):
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old)
            new.replace(old)


def _same(new: Path, old: Path) -> bool:
    if new.is_symlink() or old.is_symlink():
        return new.is_symlink() and old.is_symlink() and new.readlink() == old.readlink()
    if not old.is_file():
        return False
    one, other = new.stat(), old.stat()
    return os.path.samestat(one, other) or (one.st_mode == other.st_mode and filecmp.cmp(new, old, shallow=False))


def _merge(source: Path, target: Path, put: Callable[[Path, Path], None]) -> None:
    with os.scandir(source) as entries:
        for entry in entries:
            place = target / entry.name
            if entry.is_dir(follow_symlinks=False):
                _make_folder(place)
                _merge(Path(entry.path), place, put)
            else:
                _remove(place)
                put(Path(entry.path), place)
    shutil.copystat(source, target)


def _make_folder(place: Path) -> None:
    if place.is_symlink() or not place.is_dir():
        _remove(place)
        place.mkdir()


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _share(file: Path, place: Path) -> None:
    try:
        os.link(file, place, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _copy(file, place)


def _copy(file: Path, place: Path) -> None:
    shutil.copy2(file, place, follow_symlinks=False)
