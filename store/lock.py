"""The lock on a state directory: one process at a time, and it is free the moment its holder dies."""

import fcntl
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from relambda.store.durable import make_directory
from relambda.store.errors import StoreBusyError

_RETRY_SECONDS = 0.05


class StateLock:
    """An flock on one file, which holds the pid of the last holder; a context manager, or `acquire` and `release`.

    It is for the process, not for its threads. flock cannot wait with a bound, so a waiter tries every 50 ms.
    """

    def __init__(self, path: Path, wait_seconds: float = 5.0) -> None:
        self._path, self._wait_seconds = path, wait_seconds
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock within `wait_seconds`; StoreBusyError, which names the holder's pid, otherwise."""
        if self._descriptor is not None:
            raise StoreBusyError(f"{self._path} is held by this very object (pid {os.getpid()}) already")
        make_directory(self._path.parent)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            self._wait_for(descriptor)
            _write_pid(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock up; no harm when it is not held. The file stays: removing it would make two locks."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _wait_for(self, descriptor: int) -> None:
        deadline = time.monotonic() + self._wait_seconds
        pause = threading.Event()
        while not _try_lock(descriptor):
            left = deadline - time.monotonic()
            if left <= 0:
                raise StoreBusyError(
                    f"{self._path.parent} belongs to process {_read_pid(descriptor)}, still after"
                    f" {self._wait_seconds} s; stop that process or use another state directory"
                )
            pause.wait(min(_RETRY_SECONDS, left))


def _try_lock(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _write_pid(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)


def _read_pid(descriptor: int) -> str:
    text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
    return text if text.isdigit() else "unknown (its lock file is empty)"
