"""Several unpacked packages as one tree, as Lambda extracts layers into /opt: in order, the later one on top.

Files are shared with the packages they come from (hard links), so that a merged tree costs names and no content. No
link of a package is ever followed: what stands in the place of a later package's folder is removed.
"""

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

_NO_LINKS = frozenset({errno.EMLINK, errno.EPERM, errno.ENOTSUP, errno.EXDEV})


def merge_into(folder: Path, sources: Sequence[Path]) -> None:
    """Put the trees of `sources` into an empty folder, in order. Raises OSError; what was made by then stays."""
    for source in sources:
        _merge(source, folder)


def _merge(source: Path, target: Path) -> None:
    with os.scandir(source) as entries:
        for entry in entries:
            place = target / entry.name
            if entry.is_dir(follow_symlinks=False):
                _make_folder(place)
                _merge(Path(entry.path), place)
            else:
                _remove(place)
                _share(Path(entry.path), place)
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
        shutil.copy2(file, place, follow_symlinks=False)
