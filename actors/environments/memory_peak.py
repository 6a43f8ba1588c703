"""The most memory a container has used, read from its control group on this host: no container is asked.

Not every engine is local: where there is no such file, the container's own init tells with a mark.
"""

from pathlib import Path
from typing import Self

_ROOT = Path("/sys/fs/cgroup")
_PLACES = (
    "memory/docker/{id}/memory.max_usage_in_bytes",
    "memory/system.slice/docker-{id}.scope/memory.max_usage_in_bytes",
    "system.slice/docker-{id}.scope/memory.peak",
    "docker/{id}/memory.peak",
    "memory/libpod_parent/libpod-{id}/memory.max_usage_in_bytes",
    "machine.slice/libpod-{id}.scope/memory.peak",
)
"""Where engines put a container's group: with cgroup v1 and v2, with the drivers cgroupfs and systemd."""


class MemoryPeak:
    """One container's peak."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = 0

    @classmethod
    def find(cls, container_id: str, root: Path = _ROOT) -> Self | None:
        """The file of a running container, if the engine runs on this host and shows its control groups."""
        for place in _PLACES:
            path = root / place.format(id=container_id)
            if path.is_file():
                return cls(path)
        return None

    def read(self) -> int:
        """Bytes; when the container is gone, what was read last."""
        try:
            self._last = int(self._path.read_bytes())
        except (OSError, ValueError):
            return self._last
        return self._last
