"""Looks at all that a cloud needs, and says what is wrong and how to mend it. Changes nothing."""

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from relambda.actors.engine.contract import EngineError
from relambda.actors.engine.docker_engine import DockerEngine
from relambda.actors.images.builder import list_images
from relambda.api.cli.http_client import health
from relambda.api.cloud_file import CloudFile
from relambda.api.network.bridge import host_for_containers
from relambda.api.network.complaints import complaints
from relambda.api.network.doors import open_doors
from relambda.api.network.listening import CannotListenError, PortInUseError, bind
from relambda.api.settings.discontinued import warnings
from relambda.api.settings.option import Listen
from relambda.api.settings.settings import Settings
from relambda.store.errors import StoreError
from relambda.store.state_dir import StateDirectory

GIB = 1024**3
WRONG_BELOW, WARN_BELOW = GIB // 2, 5 * GIB


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was found, and what mends it ("" when nothing needs to)."""

    subject: str
    level: Level
    found: str
    mend: str = ""


def examine(settings: Settings) -> list[Finding]:
    """All findings, in the order in which to mend them."""
    looks: Iterable[Callable[[Settings], list[Finding]]] = (
        engine,
        images,
        state_directory,
        disk,
        ports,
        network,
        options,
    )
    return [finding for look in looks for finding in look(settings)]


def engine(_settings: Settings) -> list[Finding]:
    """Whether a Docker engine answers that can run sandboxes."""
    try:
        with closing(DockerEngine("doctor")) as found:
            name, address = found.ping(), found.runtime_api_host()
    except EngineError as error:
        mend = "start Docker, or as root on Debian run docker/setup-engine.sh (`make run` does)"
        return [Finding("engine", Level.WRONG, str(error), mend)]
    return [Finding("engine", Level.OK, f"{name}; containers reach this machine at {address}")]


def images(_settings: Settings) -> list[Finding]:
    """Whether any runtime's image is present."""
    try:
        present = [image.runtime for image in list_images() if image.present]
    except EngineError:
        return [Finding("images", Level.WARNING, "unknown without an engine", "mend the engine first")]
    if present:
        return [Finding("images", Level.OK, f"present for {', '.join(present)}; others are pulled when first needed")]
    mend = "nothing, with a network: they are pulled when first needed; without one, `relambda images build RUNTIME`"
    return [Finding("images", Level.WARNING, "no runtime's image is present", mend)]


def state_directory(settings: Settings) -> list[Finding]:
    """Whether the state directory can be used, and who uses it."""
    path = settings.state_dir
    place = _existing(path)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        mend = "change its owner or mode, or choose another with --state-dir"
        return [Finding("state directory", Level.WRONG, f"{place} cannot be written to", mend)]
    try:
        StateDirectory(path)
    except StoreError as error:
        mend = "use a newer release, or choose another with --state-dir"
        return [Finding("state directory", Level.WRONG, str(error), mend)]
    found = CloudFile.running(path)
    return [Finding("state directory", Level.OK, f"{path}, {_holder(found) if found else 'no cloud runs on it'}")]


def _holder(found: CloudFile) -> str:
    answers = "answers" if health(found.url) is not None else "does not answer (see `relambda logs`)"
    return f"served by pid {found.master.pid} at {found.url}, which {answers}"


def disk(settings: Settings) -> list[Finding]:
    """Whether the disk has room."""
    place = _existing(settings.state_dir)
    free = shutil.disk_usage(place).free
    level = Level.WRONG if free < WRONG_BELOW else Level.WARNING if free < WARN_BELOW else Level.OK
    mend = "" if level is Level.OK else f"free some space on the disk of {place}; `docker system df` may show where"
    return [Finding("disk", level, f"{free / GIB:.1f} GiB free at {place}", mend)]


def ports(settings: Settings) -> list[Finding]:
    """Whether the cloud that would be started can listen; a cloud that runs there is as good."""
    running = CloudFile.running(settings.state_dir)
    return [_port(listen, running) for listen in settings.gateway_listen]


def _port(listen: Listen, running: CloudFile | None) -> Finding:
    if running and running.url.endswith(f":{listen.port}"):
        return Finding("port", Level.OK, f"{listen}, this cloud listens on it")
    try:
        for bound in bind([listen]):
            bound.close()
    except (PortInUseError, CannotListenError) as error:
        return Finding("port", Level.WRONG, str(error), "as said; or set GATEWAY_LISTEN")
    return Finding("port", Level.OK, f"{listen} is free")


def network(settings: Settings) -> list[Finding]:
    """Whether functions' calls come to the cloud that runs, or to the one that would be started."""
    running = CloudFile.running(settings.state_dir)
    warned = running.warnings if running else _network_warnings(settings)
    if warned:
        return [
            Finding("network", Level.WARNING, warning, "as said; docs/networking.md has more") for warning in warned
        ]
    if settings.dns_address == "0":
        return [Finding("network", Level.OK, "AWS's own host names are left alone, as DNS_ADDRESS=0 says")]
    return [Finding("network", Level.OK, "functions' calls to AWS come here, also by its own host names")]


def _network_warnings(settings: Settings) -> Sequence[str]:
    with complaints() as warned:
        host = host_for_containers(settings)
        doors = open_doors(settings, host)
    if doors is not None:
        doors.close()
    return warned


def options(_settings: Settings) -> list[Finding]:
    """Which variables are set in vain."""
    return [Finding("options", Level.WARNING, text, "remove it") for text in warnings(os.environ)]


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())
