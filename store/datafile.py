"""A look at LMDB's data file with plain reads, before it is mapped: a mapped file that is too short kills by SIGBUS.

The layout is LMDB 0.9's (lmdb.h and mdb.c): two meta pages, of which the one with the newer transaction counts.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from relambda.store.errors import CorruptStoreError

_PAGE_HEAD = struct.Struct("=QHHI")
_META = struct.Struct("=IIQQIHHQQQQQIHHQQQQQQQ")
_MAGIC, _DATA_VERSION, _META_FLAG = 0xBEEFC0DE, 1, 0x08
_PAGE_SIZES = frozenset(1 << power for power in range(9, 17))
_META_PAGES = 2
_NO_PAGE = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Meta:
    """What one meta page says: page size in bytes, size of the map, last page in use, transaction, tree roots."""

    page_bytes: int
    map_bytes: int
    last_page: int
    transaction: int
    roots: tuple[int, int]


def check_data_file(path: Path) -> Meta:
    """The newest meta page of a data file that is safe to map; CorruptStoreError otherwise. Writes nothing."""
    try:
        with path.open("rb") as file:
            first = _read_meta(file.read(_PAGE_HEAD.size + _META.size), 0, path)
            file.seek(first.page_bytes)
            second = _read_meta(file.read(_PAGE_HEAD.size + _META.size), 1, path)
    except FileNotFoundError as error:
        raise _damaged(path, "it is missing") from error
    newest = max(first, second, key=lambda meta: meta.transaction)
    _check_extent(path, newest)
    return newest


def _read_meta(data: bytes, number: int, path: Path) -> Meta:
    if len(data) < _PAGE_HEAD.size + _META.size:
        raise _damaged(path, f"meta page {number} is cut off")
    page, _, flags, _ = _PAGE_HEAD.unpack_from(data)
    (magic, version, _, map_bytes, page_bytes, *rest) = _META.unpack_from(data, _PAGE_HEAD.size)
    free_root, main_root, last_page, transaction = rest[6], rest[14], rest[15], rest[16]
    if (page, flags & _META_FLAG, magic, version) != (number, _META_FLAG, _MAGIC, _DATA_VERSION):
        raise _damaged(path, f"meta page {number} is none of LMDB's")
    if page_bytes not in _PAGE_SIZES or last_page < _META_PAGES - 1:
        raise _damaged(path, f"meta page {number} contradicts itself")
    return Meta(page_bytes, map_bytes, last_page, transaction, (free_root, main_root))


def _check_extent(path: Path, meta: Meta) -> None:
    needed, size = (meta.last_page + 1) * meta.page_bytes, path.stat().st_size
    if size < needed:
        raise _damaged(path, f"it has {size} bytes where its pages take {needed}")
    for root in meta.roots:
        if root != _NO_PAGE:
            _check_root(path, meta, root)


def _check_root(path: Path, meta: Meta, root: int) -> None:
    if not _META_PAGES <= root <= meta.last_page:
        raise _damaged(path, f"the root page {root} lies outside the {meta.last_page} pages")
    with path.open("rb") as file:
        file.seek(root * meta.page_bytes)
        page = _PAGE_HEAD.unpack(file.read(_PAGE_HEAD.size))[0]
    if page != root:
        raise _damaged(path, f"the root page {root} is overwritten")


def _damaged(path: Path, how: str) -> CorruptStoreError:
    return CorruptStoreError(
        f"{path} is damaged: {how}; it was left as it is, restore the previous generation or a pod, or move it away"
    )
