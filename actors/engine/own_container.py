"""The container that this process runs in, when its engine is the one that runs the sandboxes too.

The engine itself is asked: files such as /.dockerenv are found on machines that are no container of its.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from docker import APIClient
from docker.errors import DockerException, NotFound
from requests.exceptions import RequestException

from relambda.actors.engine.contract import EngineError

_MOUNTS: Final = Path("/proc/self/mountinfo")
_HOSTNAME: Final = re.compile(r"/([0-9a-f]{64})/(?:userdata/)?hostname$")
"""Where Docker (and Podman) keep the file that a container sees as /etc/hostname."""


@dataclass(frozen=True, slots=True)
class OwnContainer:
    """What the engine tells of the container: its addresses by network, and its folders as the engine sees them."""

    addresses: Mapping[str, str]
    folders: Mapping[Path, Path]

    @property
    def network(self) -> str | None:
        """The network in which sandboxes reach it; None when it has none of its own."""
        return next(iter(self.addresses), None)

    def outside(self, path: Path) -> Path:
        """Where the engine sees what this process sees at `path`. Raises EngineError when it does not see it."""
        for parent in (path, *path.parents):
            if parent in self.folders:
                return self.folders[parent] / path.relative_to(parent)
        raise EngineError(
            f"the engine cannot see {path}, which is inside of the cloud's own container: "
            "mount a volume there, as docker/compose.yaml does for the state directory"
        )


def own_container(client: APIClient) -> OwnContainer | None:
    """The container that this process runs in; None when the engine knows none. Raises EngineError."""
    id_ = _own_id(_MOUNTS.read_text("utf-8") if _MOUNTS.exists() else "")
    if id_ is None:
        return None
    try:
        return _described(client.inspect_container(id_))
    except NotFound:
        return None
    except (DockerException, RequestException) as error:
        raise EngineError(f"the engine does not tell whether it runs this cloud's container: {error}") from error


def _own_id(mounts: str) -> str | None:
    """The id of the container whose hostname file is mounted here; any engine's."""
    for line in mounts.splitlines():
        root, target = line.split(" ")[3:5]
        if target == "/etc/hostname" and (found := _HOSTNAME.search(root)):
            return found[1]
    return None


def _described(container: Mapping[str, Any]) -> OwnContainer:
    networks = container["NetworkSettings"]["Networks"] or {}
    return OwnContainer(
        addresses={name: network["IPAddress"] for name, network in networks.items() if network.get("IPAddress")},
        folders={Path(mount["Destination"]): Path(mount["Source"]) for mount in container["Mounts"] if mount["Source"]},
    )
