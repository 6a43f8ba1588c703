"""The most memory a container has used, read from its control group on this host: no container is asked.

The kernel keeps the peak of all that a group is charged for, cached files with it, which AWS leaves out. So what is
cached now is taken off, but never below the peak of the largest process, which the kernel keeps without files that
were only read. Not every engine is local: where there is no such group, the container's own init tells with a mark.
"""

import re
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_ROOT: Final = Path("/sys/fs/cgroup")
_PROCESSES: Final = Path("/proc")
_PLACES: Final = (
    "memory/docker/{id}",
    "memory/system.slice/docker-{id}.scope",
    "system.slice/docker-{id}.scope",
    "docker/{id}",
    "memory/libpod_parent/libpod-{id}",
    "machine.slice/libpod-{id}.scope",
)
"""Where engines put a container's group: with cgroup v1 and v2, with the drivers cgroupfs and systemd."""
_PEAKS: Final = ("memory.max_usage_in_bytes", "memory.peak")
_USAGES: Final = ("memory.usage_in_bytes", "memory.current")
_LIMITS: Final = ("memory.limit_in_bytes", "memory.max")
_KILLS: Final = ("memory.oom_control", "memory.events")
"""Files of cgroup v1 and v2."""
_CACHED: Final = re.compile(rb"^(?:inactive_file|active_file|slab_reclaimable) (\d+)$", re.MULTILINE)
_KILLED: Final = re.compile(rb"^oom_kill [1-9]", re.MULTILINE)
_LARGEST: Final = re.compile(rb"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_FULL: Final = 15 / 16
"""The part of the limit beyond which new memory may take the place of cached files, and the peak stays as it is."""
_MOST_PROCESSES: Final = 32


class MemoryPeak:
    """One container's peak. It is looked at closely only where the group's own has changed, or is about its limit."""

    def __init__(self, group: Path, processes: Path = _PROCESSES) -> None:
        self._group, self._processes = group, processes
        self._version = 0 if (group / _PEAKS[0]).is_file() else 1
        self._peak = self._used = 0
        self._is_full = False

    @classmethod
    def find(cls, container_id: str, root: Path = _ROOT, processes: Path = _PROCESSES) -> Self | None:
        """The group of a running container, if the engine runs on this host and shows its control groups."""
        for place in _PLACES:
            group = root / place.format(id=container_id)
            if any((group / name).is_file() for name in _PEAKS):
                return cls(group, processes)
        return None

    def read(self) -> int:
        """Bytes; when the container is gone, what was read last."""
        with suppress(OSError, ValueError):
            peak = int(self._of(_PEAKS))
            if peak != self._peak or self._is_full:
                self._used = max(self._used, self._look(peak))
                self._peak = peak
        return self._used

    def _look(self, peak: int) -> int:
        """What of a peak was no file; one that has not changed tells nothing, and what is used now counts instead."""
        limit = self._of(_LIMITS).strip()
        self._is_full = limit != b"max" and peak > int(limit) * _FULL
        if self._is_full and _KILLED.search(self._of(_KILLS)):
            return peak
        charged = peak if peak != self._peak else int(self._of(_USAGES))
        cached = sum(map(int, _CACHED.findall((self._group / "memory.stat").read_bytes())))
        return min(peak, max(charged - cached, self._largest_process()))

    def _largest_process(self) -> int:
        ids = (self._group / "cgroup.procs").read_text().split()
        return max(map(self._process, ids[:_MOST_PROCESSES]), default=0)

    def _process(self, id_: str) -> int:
        """The peak of one process's own memory; 0 when it has just ended."""
        try:
            found = _LARGEST.search((self._processes / id_ / "status").read_bytes())
        except OSError:
            return 0
        return int(found[1]) * 1024 if found else 0

    def _of(self, names: tuple[str, str]) -> bytes:
        return (self._group / names[self._version]).read_bytes()
