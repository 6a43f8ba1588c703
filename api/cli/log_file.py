"""The log of a cloud in the background: bounded in size, read from its end, followed."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

MAX_BYTES = 32 * 1024 * 1024
BLOCK = 64 * 1024
POLL_SECONDS = 0.2


def path_of(state_dir: Path) -> Path:
    """Where a cloud in the background writes its log."""
    return state_dir / "cloud.log"


def former_of(path: Path) -> Path:
    """Where the part before the last trim is kept."""
    return path.with_name(path.name + ".1")


def trim(path: Path, max_bytes: int = MAX_BYTES) -> bool:
    """Keep a log that has grown past `max_bytes` aside and start it anew; who writes it appends, and goes on."""
    try:
        if path.stat().st_size <= max_bytes:
            return False
    except FileNotFoundError:
        return False
    with path.open("rb+") as log, former_of(path).open("wb") as former:
        while block := log.read(BLOCK):
            former.write(block)
        log.truncate(0)
    return True


def last_lines(path: Path, count: int) -> list[str]:
    """The last `count` lines, without reading more of the file than they need; none when there is no file."""
    return tail(path, count)[0]


def tail(path: Path, count: int) -> tuple[list[str], int]:
    """The last `count` lines, and where the file ended then, for `follow`."""
    try:
        with path.open("rb") as log:
            end = os.fstat(log.fileno()).st_size
            return _lines_before(log.fileno(), end, count), end
    except FileNotFoundError:
        return [], 0


def _lines_before(log: int, end: int, count: int) -> list[str]:
    at, found = end, b""
    while count and at and found.count(b"\n") <= count and len(found) < MAX_BYTES:
        size = min(BLOCK, at)
        at -= size
        found = os.pread(log, size, at) + found
    return found.decode("utf-8", "replace").splitlines()[-count:] if count else []


def follow(path: Path, at: int, *, poll_seconds: float = POLL_SECONDS) -> Iterator[str]:
    """Whole lines that lie past byte `at`, as they come, for ever; a trimmed file is read from its new start."""
    rest = b""
    while True:
        at, block = _read_on(path, at)
        *lines, rest = (rest + block).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in lines)
        if not block:
            time.sleep(poll_seconds)


def _read_on(path: Path, at: int) -> tuple[int, bytes]:
    try:
        with path.open("rb") as log:
            start = at if at <= os.fstat(log.fileno()).st_size else 0
            block = os.pread(log.fileno(), BLOCK, start)
            return start + len(block), block
    except FileNotFoundError:
        return 0, b""
