"""The Docker engine behind the contract of `relambda.actors.engine`."""

import logging
import secrets
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from ipaddress import ip_network
from typing import Any

from docker.errors import APIError, DockerException
from requests.exceptions import RequestException

from relambda.actors.engine import EngineError, EngineUnavailableError, Mount, Sandbox, SandboxListener, SandboxSpec
from relambda.actors.engine_attach import AttachedStream
from relambda.actors.engine_client import find_engine
from relambda.actors.engine_pulls import ImageShelf
from relambda.actors.engine_sandbox import DockerSandbox, remove_container
from relambda.actors.image_recipe import DOCKER_FOLDER

_log = logging.getLogger(__name__)

LABEL = "relambda"
"""The label of every container; its value is the cloud's id."""

_CALL_SECONDS = 30
_REMOVE_SECONDS = 9
_SWEEP_SECONDS = 5
_SWEEP_WORKERS = 16
_HOST_GATEWAY_API = (1, 41)
"""The first API version whose engine knows `host-gateway` (Docker 20.10's release notes)."""


class DockerEngine:
    """Implements `Engine` with a Docker engine, found when it is made (see `engine_client`).

    `shell` is the POSIX shell that runs the init in each image. No image is ever pulled when
    `offline`. Raises EngineUnavailableError.
    """

    def __init__(self, cloud_id: str, *, shell: str = "/bin/sh", offline: bool = False) -> None:
        self._cloud_id, self._shell = cloud_id, shell
        self._init = (DOCKER_FOLDER / "init.sh").read_text("utf-8")
        self._engine = find_engine()
        self._control = self._engine.client(_CALL_SECONDS)
        self._removal = self._engine.client(_REMOVE_SECONDS)
        self._images = ImageShelf(self._engine, self._control, offline=offline)
        self._gateway = threading.Lock()
        self._gateway_address: str | None = None

    def ping(self) -> str:
        """The engine's name and version. Raises EngineUnavailableError."""
        try:
            version = self._control.version()
        except (DockerException, RequestException) as error:
            raise EngineUnavailableError(
                f"the Docker engine at {self._engine.endpoint.url} does not answer: {error}. Start it again"
            ) from error
        name = version.get("Platform", {}).get("Name") or "Docker Engine"
        return f"{name} {version['Version']} (API {self._engine.api_version})"

    def runtime_api_host(self) -> str:
        """The bridge's gateway where that is an address of this machine, else loopback. Raises EngineError."""
        address = self._bridge_gateway()
        return address if address and _is_local(address) else "127.0.0.1"

    def ensure_image(self, candidates: Sequence[str], on_progress: Callable[[str], None]) -> str:
        """As the contract says; an image of our own name space is never pulled. Raises ImageUnavailableError.

        `on_progress` is called on the thread of whoever pulls. Credentials are those of Docker's own configuration.
        """
        return self._images.ensure(candidates, on_progress)

    def start_sandbox(self, spec: SandboxSpec, listener: SandboxListener) -> Sandbox:
        """Create and start a container with the init waiting. Raises EngineError, and leaves no container then."""
        created = self._create(spec)
        try:
            return self._start(created, spec, listener)
        except BaseException:
            remove_container(self._removal, created)
            raise

    def sweep(self) -> int:
        """Remove all containers that carry this cloud's label, 5 s at most for all; how many there were.

        Raises EngineError that names those which were not removed in time.
        """
        try:
            found = self._removal.containers(all=True, filters={"label": f"{LABEL}={self._cloud_id}"})
        except (DockerException, RequestException) as error:
            raise EngineError(f"the engine does not list its containers: {error}") from error
        self._remove_all([container["Id"] for container in found])
        return len(found)

    def close(self) -> None:
        """Let go of connections. Containers stay: the caller destroys them first."""
        self._control.close()
        self._removal.close()

    def _remove_all(self, ids: Sequence[str]) -> None:
        workers = ThreadPoolExecutor(_SWEEP_WORKERS, thread_name_prefix="sweep")
        jobs = {workers.submit(remove_container, self._removal, id_): id_ for id_ in ids}
        done, late = wait(jobs, _SWEEP_SECONDS)
        workers.shutdown(wait=False, cancel_futures=True)
        failures = [str(error) for job in done if (error := job.exception())]
        failures += [f"the container {jobs[job][:12]} was not removed within {_SWEEP_SECONDS} s" for job in late]
        if failures:
            raise EngineError(f"{'; '.join(failures)}: remove them with `docker rm -f`")

    def _create(self, spec: SandboxSpec) -> str:
        try:
            config = self._config(spec)
            created = self._control.create_container_from_config(  # type: ignore[no-untyped-call]
                config, spec.name
            )
        except (DockerException, RequestException) as error:
            raise EngineError(f"no container {spec.name} could be made of the image {spec.image}: {error}") from error
        return str(created["Id"])

    def _start(self, created: str, spec: SandboxSpec, listener: SandboxListener) -> Sandbox:
        stream = AttachedStream(self._engine, created)
        try:
            self._control.start(created)
            sandbox = DockerSandbox(self._removal, created, spec.name, stream, secrets.token_hex(16))
            sandbox.greet()
        except BaseException as error:
            stream.close()
            if isinstance(error, DockerException | RequestException):
                raise EngineError(self._start_failure(spec, error)) from error
            raise
        sandbox.listen(listener)
        return sandbox

    def _start_failure(self, spec: SandboxSpec, error: Exception) -> str:
        text = str(error.explanation if isinstance(error, APIError) else error)
        if f'"{self._shell}"' in text and ("no such file" in text or "not found" in text):
            return f"the image {spec.image} has no {self._shell}, which Relambda's init needs: add a shell to the image"
        return f"the container {spec.name} of the image {spec.image} did not start: {text}"

    def _config(self, spec: SandboxSpec) -> dict[str, Any]:
        """The body of "Create a container" (Docker Engine API)."""
        memory = spec.memory_mb * 1024 * 1024
        config: dict[str, Any] = {
            "Image": spec.image,
            "Entrypoint": [self._shell, "-c", self._init, "relambda-init"],
            "Cmd": self._runtime_command(spec),
            "Env": [f"{name}={value}" for name, value in spec.environment.items()],
            "Labels": {**spec.labels, LABEL: self._cloud_id},
            "OpenStdin": True,
            "StdinOnce": True,
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": False,
            "StopSignal": "SIGKILL",
            "Healthcheck": {"Test": ["NONE"]},
            "HostConfig": {
                "Memory": memory,
                "MemorySwap": memory,
                "Mounts": [_mount(mount) for mount in spec.mounts],
                "ExtraHosts": [f"{spec.runtime_host}:{self._host_address()}"],
                "LogConfig": {"Type": "none", "Config": {}},
                "NetworkMode": "bridge",
                "RestartPolicy": {"Name": "no"},
            },
        }
        if spec.working_directory is not None:
            config["WorkingDir"] = spec.working_directory
        return config

    def _runtime_command(self, spec: SandboxSpec) -> list[str]:
        """As Docker joins them: the image's own arguments count only behind its own entrypoint."""
        if spec.entrypoint is not None:
            return [*spec.entrypoint, *spec.handler]
        image = self._images.config(spec.image)
        command = [*image.entrypoint, *(spec.handler or image.command)]
        if not command:
            raise EngineError(f"the image {spec.image} has neither entrypoint nor command: name one in ImageConfig")
        return command

    def _host_address(self) -> str:
        if tuple(map(int, self._engine.api_version.split("."))) >= _HOST_GATEWAY_API:
            return "host-gateway"
        return self._bridge_gateway() or "127.0.0.1"

    def _bridge_gateway(self) -> str | None:
        """The address of this machine on the engine's bridge, asked for once."""
        with self._gateway:
            if self._gateway_address is None:
                self._gateway_address = self._ask_gateway()
            return self._gateway_address or None

    def _ask_gateway(self) -> str:
        try:
            network = self._control.inspect_network("bridge")
        except (DockerException, RequestException) as error:
            raise EngineError(f"the engine does not tell of its network `bridge`: {error}") from error
        return next(filter(None, map(_gateway, network.get("IPAM", {}).get("Config") or [])), "")


def _mount(mount: Mount) -> dict[str, Any]:
    return {"Type": "bind", "Source": str(mount.source), "Target": mount.target, "ReadOnly": True}


def _gateway(pool: Mapping[str, str]) -> str:
    """The gateway of an address pool; the engine takes the first address when it names none. "" for IPv6."""
    network = ip_network(pool["Subnet"], strict=False)
    return pool.get("Gateway") or str(network[1]) if network.version == 4 else ""


def _is_local(address: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
