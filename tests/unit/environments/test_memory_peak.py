"""Where the most memory a container has used is read: cgroup v1 and v2, as engines lay them out."""

from pathlib import Path

import pytest

from relambda.actors.environments.memory_peak import MemoryPeak

ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "place",
    [
        f"memory/docker/{ID}/memory.max_usage_in_bytes",
        f"memory/system.slice/docker-{ID}.scope/memory.max_usage_in_bytes",
        f"system.slice/docker-{ID}.scope/memory.peak",
        f"docker/{ID}/memory.peak",
    ],
)
def test_the_peak_is_read_where_it_is(tmp_path: Path, place: str) -> None:
    """Given a container's group, then its peak is read as it is now; when the group is gone, as it was last."""
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text("1048576\n")
    peak = MemoryPeak.find(ID, tmp_path)

    assert peak is not None
    assert peak.read() == 1_048_576
    path.write_text("2097152\n")
    assert peak.read() == 2_097_152
    path.unlink()
    assert peak.read() == 2_097_152


def test_a_container_that_is_not_here(tmp_path: Path) -> None:
    """Given an engine on another machine, then there is nothing to read."""
    assert MemoryPeak.find(ID, tmp_path) is None
