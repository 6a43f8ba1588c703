"""The disk under a sandbox's /tmp: a file system of the function's EphemeralStorage, in a file that has no name.

It is attached as a loop device that lets go of its file by itself when the container is removed: nothing is left
over, whoever is killed when. This needs root on the engine's own machine.
"""

import errno
import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Final

_FOLDER: Final = "/var/tmp"  # noqa: S108 - files without a name; /tmp itself may be memory
_CONTROL: Final = "/dev/loop-control"
_GET_FREE: Final = 0x4C82
_CONFIGURE: Final = 0x4C0A
_AUTOCLEAR: Final = 4
_TRIES: Final = 64
_SECONDS: Final = 30
_FORMAT: Final = ("mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal,^resize_inode", "-E", "lazy_itable_init=1")


def can_make_disks() -> bool:
    """Whether this process may attach loop devices and has the tools for file systems."""
    return os.geteuid() == 0 and os.access(_CONTROL, os.W_OK) and all(map(shutil.which, ("mkfs.ext4", "debugfs")))


class ScratchDisks:
    """Makes disks; the first of each size is formatted, the others are copies of it. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._formatted: dict[int, IO[bytes]] = {}

    @contextmanager
    def disk(self, size_mb: int) -> Iterator[str]:
        """A fresh disk's device, there until the block ends and for as long as something has it mounted after that.

        Raises OSError.
        """
        with tempfile.TemporaryFile(dir=_FOLDER) as copy:
            _copy(self._template(size_mb).fileno(), copy.fileno(), size_mb)
            device, path = _attach(copy.fileno())
        try:
            yield path
        finally:
            os.close(device)

    def close(self) -> None:
        """Let go of what later disks would have been copied from; those in use stay."""
        with self._lock:
            while self._formatted:
                self._formatted.popitem()[1].close()

    def _template(self, size_mb: int) -> IO[bytes]:
        with self._lock:
            if size_mb not in self._formatted:
                self._formatted[size_mb] = _format(size_mb)
            return self._formatted[size_mb]


def _format(size_mb: int) -> IO[bytes]:
    """An empty file system that everybody may write to (FACTS.md section 4: /tmp root 1777)."""
    file = tempfile.TemporaryFile(dir=_FOLDER)  # noqa: SIM115 - kept by the caller
    file.truncate(size_mb * 1024 * 1024)
    path = f"/proc/{os.getpid()}/fd/{file.fileno()}"
    _run(*_FORMAT, path)
    _run("debugfs", "-w", "-R", "rmdir lost+found", path)
    _run("debugfs", "-w", "-R", "set_inode_field <2> mode 041777", path)
    return file


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")


def _copy(source: int, target: int, size_mb: int) -> None:
    """Copy what is written of a sparse file."""
    os.truncate(target, size_mb * 1024 * 1024)
    position = 0
    while (position := _next_data(source, position)) >= 0:
        end = os.lseek(source, position, os.SEEK_HOLE)
        while position < end:
            position += os.copy_file_range(source, target, end - position, position, position)


def _next_data(file: int, position: int) -> int:
    try:
        return os.lseek(file, position, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return -1
        raise


def _attach(file: int) -> tuple[int, str]:
    """An open loop device of a file, and its path; others may take the free one that the kernel names before us."""
    control = os.open(_CONTROL, os.O_RDWR | os.O_CLOEXEC)
    try:
        for _ in range(_TRIES):
            path = f"/dev/loop{fcntl.ioctl(control, _GET_FREE)}"
            device = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            with suppress(OSError):
                fcntl.ioctl(device, _CONFIGURE, _loop_config(file))
                return device, path
            os.close(device)
    finally:
        os.close(control)
    raise OSError(f"no loop device was free after {_TRIES} tries")


def _loop_config(file: int) -> bytes:
    """`struct loop_config` (linux/loop.h): the file, the block size, then `struct loop_info64`, only its flags."""
    info = struct.pack("=5Q4I", 0, 0, 0, 0, 0, 0, 0, 0, _AUTOCLEAR).ljust(232, b"\0")
    return struct.pack("=2I", file, 0) + info + bytes(64)
