"""Folders of this machine in the place of code: which of them may be mounted into functions' containers."""

import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_READABLE = stat.S_IROTH | stat.S_IXOTH
OPTION = "RELAMBDA_HOT_RELOAD_ROOTS"
"""The option that sets the roots; refusals name it as their mend."""


class HotFolderError(OSError):
    """The folder is not there, is no folder, or lies where none may be mounted; the message says which."""


@dataclass(frozen=True, slots=True)
class Roots:
    """The folders whose content may be mounted. Asked when code is taken in, and again at each start of a container."""

    folders: Sequence[Path]

    def admit(self, path: str) -> Path:
        """The folder that a path leads to now, every symbolic link followed. Raises HotFolderError."""
        if not os.path.isabs(path) or "\0" in path:
            raise HotFolderError(f"The hot-reload folder {path!r} is not an absolute path: give it as /path/to/code.")
        try:
            folder = Path(path).resolve(strict=True)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise HotFolderError(
                f"The hot-reload folder {path} cannot be reached: {reason}. "
                "It is looked for where the cloud runs: mount it into a cloud that is a container."
            ) from None
        if not any(folder.is_relative_to(root.resolve()) for root in self.folders):
            raise HotFolderError(self._refusal(path, folder))
        if not folder.is_dir():
            raise HotFolderError(f"The hot-reload folder {path} is not a folder: name the one that holds the code.")
        if sys.platform == "linux" and folder.stat().st_mode & _READABLE != _READABLE:
            raise HotFolderError(f"The hot-reload folder {path} is closed to functions' own user: chmod o+rx {path}")
        return folder

    def _refusal(self, path: str, folder: Path) -> str:
        which = path if str(folder) == path else f"{path} (which is {folder})"
        allowed = ", ".join(str(root) for root in self.folders)
        return f"The hot-reload folder {which} may not be mounted: {OPTION} allows folders in {allowed} only."
