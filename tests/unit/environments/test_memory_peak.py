"""What memory a container has used: cgroup v1 and v2, as engines lay them out, without cached files."""

from pathlib import Path

import pytest

from relambda.actors.environments.memory_peak import MemoryPeak

ID = "0123456789abcdef" * 4
MB = 1024 * 1024


class Host:
    """The control group of a container, and its one process, as the kernel shows them."""

    def __init__(self, root: Path, place: str) -> None:
        self.root, self.group = root / "cgroup", root / "cgroup" / place
        self.processes = root / "proc"
        (self.processes / "7").mkdir(parents=True)
        self.group.mkdir(parents=True)
        first = place.startswith("memory/")
        self.peak = self.group / ("memory.max_usage_in_bytes" if first else "memory.peak")
        self.usage = self.group / ("memory.usage_in_bytes" if first else "memory.current")
        self.limit = self.group / ("memory.limit_in_bytes" if first else "memory.max")
        self.kills = self.group / ("memory.oom_control" if first else "memory.events")
        self.limit.write_text(f"{128 * MB}\n")
        self.kills.write_text("under_oom 0\noom_kill 0\n")
        (self.group / "cgroup.procs").write_text("7\n8\n")

    def uses(self, peak_mb: int, *, now_mb: int | None = None, cached_mb: int = 0, process_mb: int = 0) -> None:
        """The peak so far, all that is used now, the files of that, and the peak of the process itself."""
        self.peak.write_text(f"{peak_mb * MB}\n")
        self.usage.write_text(f"{(peak_mb if now_mb is None else now_mb) * MB}\n")
        cached = f"inactive_file {cached_mb * MB // 2}\nactive_file {cached_mb * MB // 2}\n"
        total = f"total_inactive_file {cached_mb * MB}\n"
        (self.group / "memory.stat").write_text(f"cache 1\n{cached}{total}")
        (self.processes / "7" / "status").write_text(f"Name:\tpython\nVmHWM:\t  {process_mb * 1024} kB\nVmRSS:\t1 kB\n")

    def find(self) -> MemoryPeak:
        """The container's peak."""
        found = MemoryPeak.find(ID, self.root, self.processes)
        assert found is not None
        return found


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path, f"memory/docker/{ID}")


@pytest.mark.parametrize(
    "place",
    [
        f"memory/docker/{ID}",
        f"memory/system.slice/docker-{ID}.scope",
        f"system.slice/docker-{ID}.scope",
        f"docker/{ID}",
    ],
)
def test_the_peak_is_read_where_it_is(tmp_path: Path, place: str) -> None:
    """Given a container's group, then its peak is read as it is now; when the group is gone, as it was last."""
    host = Host(tmp_path, place)
    host.uses(1)
    peak = host.find()
    assert peak.read() == MB
    host.uses(2)
    assert peak.read() == 2 * MB
    host.peak.unlink()
    assert peak.read() == 2 * MB


def test_files_that_were_read_do_not_count(host: Host) -> None:
    """Given a function that reads a large file, then its use is what it was, though the group is at its limit."""
    host.uses(30, process_mb=28)
    peak = host.find()
    assert peak.read() == 30 * MB
    host.uses(128, cached_mb=96, process_mb=29)
    assert peak.read() == 32 * MB


def test_memory_that_takes_the_place_of_files_counts(host: Host) -> None:
    """Given a group that stays at its limit, when memory is wanted that files had, then the use grows with it."""
    host.uses(128, cached_mb=96, process_mb=29)
    peak = host.find()
    assert peak.read() == 32 * MB
    host.uses(128, cached_mb=20, process_mb=100)
    assert peak.read() == 108 * MB


def test_files_that_were_removed_do_not_count(host: Host) -> None:
    """Given a large file that is removed in a later invocation, then the group's old peak is not taken for memory."""
    host.uses(128, cached_mb=96, process_mb=29)
    peak = host.find()
    peak.read()
    host.uses(128, now_mb=31, process_mb=29)
    assert peak.read() == 32 * MB


def test_memory_that_was_given_back_counts(host: Host) -> None:
    """Given much memory that was given back before a file was read, then the process's own peak tells."""
    host.uses(128, cached_mb=110, process_mb=80)
    assert host.find().read() == 80 * MB


def test_a_process_is_never_larger_than_its_group(host: Host) -> None:
    """Given a process that maps files other groups are charged for, then only what its own was charged for counts."""
    host.uses(8, process_mb=30)
    assert host.find().read() == 8 * MB


def test_a_lack_of_memory_is_the_whole_limit(host: Host) -> None:
    """Given a process that was killed for a lack of memory, then all that there was is used, whatever is cached."""
    host.kills.write_text("under_oom 0\noom_kill 1\n")
    host.uses(128, cached_mb=4)
    assert host.find().read() == 128 * MB


def test_a_group_without_a_limit(tmp_path: Path) -> None:
    """Given no limit, then the use is read all the same."""
    host = Host(tmp_path, f"docker/{ID}")
    host.limit.write_text("max\n")
    host.uses(200, cached_mb=100)
    assert host.find().read() == 100 * MB


def test_a_container_that_is_not_here(tmp_path: Path) -> None:
    """Given an engine on another machine, then there is nothing to read."""
    assert MemoryPeak.find(ID, tmp_path) is None
