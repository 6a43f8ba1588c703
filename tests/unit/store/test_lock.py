"""The lock on a state directory: one process, named when it is in the way, and free the moment it dies."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from relambda.store.errors import StoreBusyError
from relambda.store.lock import StateLock

HOLDER = """
from relambda.store.lock import StateLock
lock = StateLock(DIRECTORY / "lock")
lock.acquire()
print("held", flush=True)
signal.pause()
"""


def test_another_process_is_named_and_its_death_frees_the_lock(
    script: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    """While another process holds the lock its pid is in the error; once it is killed the lock is free."""
    holder = script(HOLDER, tmp_path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StoreBusyError, match=f"belongs to process {holder.pid},"):
        StateLock(tmp_path / "lock", wait_seconds=0.0).acquire()
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait(60)
    with StateLock(tmp_path / "lock", wait_seconds=0.0):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_two_locks_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    """A second lock object is refused within its bound, and gets the lock after the first has let go."""
    first, second = StateLock(tmp_path / "new" / "lock"), StateLock(tmp_path / "new" / "lock", wait_seconds=0.06)
    with first:
        with pytest.raises(StoreBusyError, match=str(os.getpid())):
            second.acquire()
        with pytest.raises(StoreBusyError, match="this very object"):
            first.acquire()
    with second:
        pass
    second.release()
