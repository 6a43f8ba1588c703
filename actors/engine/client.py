"""Finding a Docker engine that answers: DOCKER_HOST, the current Docker context, then the usual sockets."""

import json
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docker import APIClient
from docker.tls import TLSConfig

from relambda.actors.engine.contract import EngineUnavailableError

_FIND_SECONDS = 5
_SCHEMES = ("unix", "tcp", "http", "https")


class BoundedClient(APIClient):
    """A client whose every read has a bound: the SDK gives pulls none, and waits for a silent engine for ever."""

    def _set_request_timeout(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {**kwargs, "timeout": kwargs.get("timeout") or self.timeout}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an engine may listen, who said so, and the folder of its TLS files, if it wants TLS."""

    url: str
    source: str
    tls_folder: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is a socket of this machine, so that the engine most likely sees the same devices."""
        return urlsplit(self.url).scheme == "unix"

    def client(self, version: str, seconds: int, pool: int = 16) -> APIClient:
        """A client with its own pool of connections; `seconds` bounds each call. Raises DockerException."""
        tls: TLSConfig | bool = False
        if self.tls_folder:
            pair = (str(self.tls_folder / "cert.pem"), str(self.tls_folder / "key.pem"))
            tls = TLSConfig(client_cert=pair, ca_cert=str(self.tls_folder / "ca.pem"), verify=True)
        return BoundedClient(self.url, version=version, timeout=seconds, tls=tls, num_pools=pool, max_pool_size=pool)

    def socket(self, seconds: float) -> socket.socket:
        """A new connection of its own; `seconds` bounds connecting and each read and write. Raises OSError."""
        parts = urlsplit(self.url)
        if parts.scheme == "unix":
            return _unix_socket(parts.path, seconds)
        port = parts.port or (2376 if self.tls_folder else 2375)
        connection = socket.create_connection((parts.hostname or "localhost", port), seconds)
        if self.tls_folder is None:
            return connection
        context = ssl.create_default_context(cafile=str(self.tls_folder / "ca.pem"))
        context.load_cert_chain(self.tls_folder / "cert.pem", self.tls_folder / "key.pem")
        return context.wrap_socket(connection, server_hostname=parts.hostname)


@dataclass(frozen=True, slots=True)
class FoundEngine:
    """An endpoint that answered, and the version of the API it speaks."""

    endpoint: Endpoint
    api_version: str

    def client(self, seconds: int, pool: int = 16) -> APIClient:
        """A client with its own pool of connections; `seconds` bounds each call."""
        return self.endpoint.client(self.api_version, seconds, pool)


def find_engine() -> FoundEngine:
    """The first engine that answers; one that the user named (DOCKER_HOST, a context) is the only one tried.

    Raises EngineUnavailableError, which says what was tried.
    """
    failures: list[str] = []
    for endpoint in endpoints():
        try:
            return FoundEngine(endpoint, _api_version(endpoint))
        except OSError as error:
            failures.append(f"{endpoint.url} ({endpoint.source}): {error}")
    raise EngineUnavailableError(
        f"no Docker engine answers; tried {'; '.join(failures)}. "
        "Start Docker, or set DOCKER_HOST to the address of an engine"
    )


def endpoints() -> list[Endpoint]:
    """Where to look for an engine, in this order."""
    if host := os.environ.get("DOCKER_HOST"):
        folder = os.environ.get("DOCKER_CERT_PATH") if os.environ.get("DOCKER_TLS_VERIFY") else None
        return [_supported(Endpoint(host, "DOCKER_HOST", Path(folder) if folder else None))]
    context = _current_context()
    return [_supported(context)] if context else list(_usual_sockets())


def _api_version(endpoint: Endpoint) -> str:
    """Asks with a short bound, so that a dead endpoint is left quickly. Raises OSError."""
    connection = HTTPConnection("docker")
    connection.sock = endpoint.socket(_FIND_SECONDS)
    try:
        connection.request("GET", "/_ping")
        version = connection.getresponse().getheader("Api-Version")
    except HTTPException as error:
        raise OSError(f"it does not speak HTTP: {error!r}") from error
    finally:
        connection.close()
    if version is None:
        raise OSError("it is no Docker engine: it tells no Api-Version")
    return version


def _unix_socket(path: str, seconds: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(seconds)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _supported(endpoint: Endpoint) -> Endpoint:
    if urlsplit(endpoint.url).scheme in _SCHEMES:
        return endpoint
    raise EngineUnavailableError(
        f"{endpoint.source} names the engine {endpoint.url}, and only {', '.join(_SCHEMES)} addresses are understood: "
        "forward the engine's socket, for example with `ssh -L`, and set DOCKER_HOST to the forwarded one"
    )


def _current_context() -> Endpoint | None:
    """The context that `docker context use` chose, or DOCKER_CONTEXT names; None for the default one."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    name = os.environ.get("DOCKER_CONTEXT") or _read_json(folder / "config.json").get("currentContext")
    if not name or name == "default":
        return None
    key = sha256(str(name).encode()).hexdigest()
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
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise EngineUnavailableError(f"Docker's own file {path} cannot be read: {error}") from error
    return content if isinstance(content, dict) else {}


def _usual_sockets() -> Iterator[Endpoint]:
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    system, home = Path("/var/run/docker.sock"), Path.home()
    others = (
        runtime / "docker.sock",
        home / ".docker/run/docker.sock",
        home / ".docker/desktop/docker.sock",
        home / ".colima/default/docker.sock",
        home / ".orbstack/run/docker.sock",
        home / ".rd/docker.sock",
        runtime / "podman/podman.sock",
    )
    yield Endpoint(f"unix://{system}", "usual socket")
    yield from (Endpoint(f"unix://{path}", "usual socket") for path in others if path.exists())
