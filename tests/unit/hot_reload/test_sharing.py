"""Which folders other machines may write to."""

import os
from pathlib import Path

import pytest

from relambda.actors.hot_reload import watcher as hot_watcher
from relambda.actors.hot_reload.sharing import MOUNTS, is_shared
from relambda.actors.hot_reload.tree import Ignored
from relambda.actors.hot_reload.watcher import Watcher

LOCAL = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"


def mounted(device: int, kind: str) -> str:
    """Lines of mountinfo that have a device as a file system of that kind."""
    return f"{LOCAL}36 22 {os.major(device)}:{os.minor(device)} /a\\040b /c\\040d rw shared:2 - {kind} host:/a rw\n"


@pytest.mark.parametrize(
    ("kind", "shared"),
    [
        ("nfs4", True), ("cifs", True), ("9p", True), ("virtiofs", True), ("fuse.sshfs", True), ("fuse", True),
        ("ext4", False), ("tmpfs", False), ("overlay", False), ("fuseblk", False),
    ],
)  # fmt: skip
def test_file_systems_of_other_machines_are_shared(kind: str, shared: bool) -> None:
    """Networks' and virtual machines' hosts' are; disks of this machine are not, and what is unknown is not."""
    assert is_shared(os.makedev(0, 77), mounted(os.makedev(0, 77), kind)) is shared
    assert not is_shared(os.makedev(0, 78), mounted(os.makedev(0, 77), kind))


def test_this_machines_own_disk_is_not_shared(tmp_path: Path) -> None:
    """As the system tells it."""
    assert not is_shared(tmp_path.stat().st_dev, MOUNTS.read_text())


def test_a_shared_folder_is_looked_at_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a system that says that a folder is on a network, then no count of changes is relied on."""
    (tmp_path / "mountinfo").write_text(mounted(tmp_path.stat().st_dev, "nfs4").removeprefix(LOCAL))
    monkeypatch.setattr(hot_watcher, "MOUNTS", tmp_path / "mountinfo")
    watcher = Watcher(Ignored([]))
    try:
        assert watcher.listen(tmp_path, lambda: None).changes() is None
    finally:
        watcher.stop()
