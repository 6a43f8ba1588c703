"""`cloud.json` in the state directory: which process serves it, and where it can be reached."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from relambda.api.settings.option import Listen

NAME = "cloud.json"
ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


@dataclass(frozen=True, slots=True)
class Process:
    """A process that cannot be taken for a later one with its number: `born` is its start in the kernel's ticks."""

    pid: int
    born: str

    @classmethod
    def of(cls, pid: int) -> "Process":
        """A process as it runs now; `born` is "" where the system does not tell (no /proc)."""
        return cls(pid, _born(pid))

    def alive(self) -> bool:
        """Whether it still runs; one that ended and was not waited for does not."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return not Path("/proc/self/stat").exists() or (_born(self.pid) == self.born != "")


def _born(pid: int) -> str:
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except (OSError, ValueError):
        return ""
    return "" if state in "ZX" else rest[18]


@dataclass(frozen=True, slots=True)
class CloudFile:
    """What a serving cloud says about itself."""

    master: Process
    """The process to signal."""
    worker: Process
    """The process that holds the state directory."""
    url: str
    version: str
    started: str
    """When it became ready, ISO 8601 in UTC."""
    warnings: Sequence[str] = ()
    """What of its network could not be set up."""

    @classmethod
    def read(cls, state_dir: Path) -> "CloudFile | None":
        """What the directory's last cloud said, or None: it stopped properly, or there never was one."""
        try:
            found = json.loads((state_dir / NAME).read_text("utf-8"))
            return cls(
                Process(found["pid"], found["pid_born"]),
                Process(found["worker"], found["worker_born"]),
                found["url"],
                found["version"],
                found["started"],
                tuple(found.get("warnings", ())),
            )
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
            return None

    @classmethod
    def running(cls, state_dir: Path) -> "CloudFile | None":
        """The cloud that serves the directory now, or None."""
        found = cls.read(state_dir)
        return found if found and found.master.alive() else None

    def write(self, state_dir: Path) -> None:
        """Put it into the directory in one step."""
        body = asdict(self)
        body |= {"pid": self.master.pid, "pid_born": self.master.born}
        body |= {"worker": self.worker.pid, "worker_born": self.worker.born}
        del body["master"]
        beside = state_dir / f"{NAME}.{os.getpid()}"
        beside.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
        beside.replace(state_dir / NAME)

    @staticmethod
    def remove(state_dir: Path, pid: int) -> None:
        """Take away what the cloud of master `pid` wrote; another's stays."""
        found = CloudFile.read(state_dir)
        if found and found.master.pid == pid:
            (state_dir / NAME).unlink(missing_ok=True)


def url_of(listen: Listen) -> str:
    """The URL by which this machine reaches a listen address."""
    return f"http://{Listen(ANY_HOST.get(listen.host, listen.host), listen.port)}"


def own_version() -> str:
    """Relambda's version."""
    from importlib.metadata import version  # noqa: PLC0415 - it loads the parser of emails; `start` needs none of it

    return version("relambda")
