"""Folders that other machines may write to: this one's system is not told of that."""

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
_SHARED = re.compile(
    r"9p|afs|beegfs|ceph|cifs|coda|fakeowner|fuse(\..*)?|gfs2|lustre|nfs4?|ocfs2|prl_fs|smb3|smbfs|vboxsf|virtiofs"
)
"""File systems of networks and of virtual machines' hosts, as /proc/filesystems names them."""


def is_shared(device: int, mounts: str) -> bool:
    """Whether a device (`st_dev`) is such a file system, by the lines of mountinfo (proc(5)); an unknown one is not."""
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        place, _, system = line.partition(" - ")
        if place.split(" ", 3)[2] == number:
            return _SHARED.fullmatch(system.partition(" ")[0]) is not None
    return False
