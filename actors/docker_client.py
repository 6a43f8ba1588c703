"""Finding a Docker engine that answers: DOCKER_HOST, the current Docker context, then the usual sockets."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.errors import DockerException
from docker.tls import TLSConfig

from relambda.actors.engine import EngineUnavailableError

_CONTROL_SECONDS = 60
_FIND_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an engine listens, and who said so."""

    url: str
    source: str
    tls_folder: Path | None = None


def connect(pool: int = 16, timeout: int = _CONTROL_SECONDS) -> APIClient:
    """A client of the first engine that answers; `timeout` bounds each call, in seconds.

    An endpoint that the user named (DOCKER_HOST, a context) is the only one tried. Raises EngineUnavailableError,
    which says what was tried.
    """
    failures: list[str] = []
    for endpoint in endpoints():
        try:
            return _client(endpoint, pool, timeout)
        except DockerException as error:
            failures.append(f"{endpoint.url} ({endpoint.source}): {error}")
    raise EngineUnavailableError(
        f"no Docker engine answers; tried {'; '.join(failures)}. "
        "Start Docker, or set DOCKER_HOST to the address of an engine"
    )


def endpoints() -> list[Endpoint]:
    """Where to look for an engine, in this order."""
    if host := os.environ.get("DOCKER_HOST"):
        folder = os.environ.get("DOCKER_CERT_PATH") if os.environ.get("DOCKER_TLS_VERIFY") else None
        return [Endpoint(host, "DOCKER_HOST", Path(folder) if folder else None)]
    context = _current_context()
    return [context] if context else list(_usual_sockets())


def _client(endpoint: Endpoint, pool: int, timeout: int) -> APIClient:
    """A client that got an answer; asks with a short bound first, so that a dead endpoint is left quickly."""
    tls = _tls(endpoint.tls_folder)
    with APIClient(endpoint.url, version="auto", timeout=_FIND_SECONDS, tls=tls) as probe:
        version = probe.api_version
    return APIClient(endpoint.url, version=version, timeout=timeout, tls=tls, num_pools=pool, max_pool_size=pool)


def _tls(folder: Path | None) -> TLSConfig | bool:
    if folder is None:
        return False
    pair = (str(folder / "cert.pem"), str(folder / "key.pem"))
    return TLSConfig(client_cert=pair, ca_cert=str(folder / "ca.pem"), verify=True)


def _config_folder() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _current_context() -> Endpoint | None:
    """The context that `docker context use` chose, or DOCKER_CONTEXT names; None for the default one."""
    folder = _config_folder()
    name = os.environ.get("DOCKER_CONTEXT") or _read_json(folder / "config.json").get("currentContext")
    if not name or name == "default":
        return None
    key = sha256(name.encode()).hexdigest()
    docker = _read_json(folder / "contexts" / "meta" / key / "meta.json").get("Endpoints", {}).get("docker", {})
    if not docker.get("Host"):
        raise EngineUnavailableError(
            f"the Docker context {name!r} names no engine in {folder}; choose another with `docker context use`"
        )
    tls = folder / "contexts" / "tls" / key / "docker"
    return Endpoint(docker["Host"], f"context {name}", tls if (tls / "cert.pem").exists() else None)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _usual_sockets() -> Iterator[Endpoint]:
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    home = Path.home()
    for path in (
        Path("/var/run/docker.sock"),
        Path(runtime) / "docker.sock",
        home / ".docker/run/docker.sock",
        home / ".docker/desktop/docker.sock",
        home / ".colima/default/docker.sock",
        home / ".orbstack/run/docker.sock",
        home / ".rd/docker.sock",
        Path(runtime) / "podman/podman.sock",
    ):
        if path.exists() or path == Path("/var/run/docker.sock"):
            yield Endpoint(f"unix://{path}", "usual socket")
