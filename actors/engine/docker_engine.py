"""The Docker engine behind the contract of `relambda.actors.engine.contract`."""

import logging
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from docker.errors import APIError, DockerException
from requests.exceptions import RequestException

from relambda.actors.engine.attach import AttachedStream
from relambda.actors.engine.bake import bake, baked_name
from relambda.actors.engine.client import find_engine
from relambda.actors.engine.container import LABEL, NO_OPTIONS, ContainerOptions, FirstProcess, container_config
from relambda.actors.engine.contract import (
    EngineError,
    EngineUnavailableError,
    Mount,
    Sandbox,
    SandboxListener,
    SandboxSpec,
    ShellMissingError,
)
from relambda.actors.engine.network import ContainerNetwork
from relambda.actors.engine.own_container import own_container
from relambda.actors.engine.plain import PlainSandbox
from relambda.actors.engine.platform import Machine, platform
from relambda.actors.engine.pulls import ImageShelf
from relambda.actors.engine.sandbox import DockerSandbox, end_container, remove_container
from relambda.actors.engine.scratch_disk import ScratchDisks, can_make_disks
from relambda.actors.images.recipe import DOCKER_FOLDER

_log = logging.getLogger(__name__)

_CALL_SECONDS = 30
_REMOVE_SECONDS = 9
_SWEEP_SECONDS = 5
_SWEEP_WORKERS = 16
_BOOTSTRAP = ["/var/task/bootstrap"]
"""An OS-only function's program, where nobody can look into its layers for another."""


class DockerEngine:
    """Implements `Engine` with a Docker engine, found when it is made (see `engine_client`).

    `shell` is the POSIX shell that runs the init in each image. No image is ever pulled when
    `offline`. Raises EngineUnavailableError.
    """

    def __init__(
        self,
        cloud_id: str,
        options: ContainerOptions = NO_OPTIONS,
        *,
        shell: str = "/bin/sh",
        offline: bool = False,
    ) -> None:
        self._cloud_id, self._shell = cloud_id, shell
        self._init = (DOCKER_FOLDER / "init.sh").read_text("utf-8")
        self._engine = find_engine()
        self._control = self._engine.client(_CALL_SECONDS)
        self._removal = self._engine.client(_REMOVE_SECONDS)
        self._images = ImageShelf(self._engine, self._control, offline=offline)
        self._own = own_container(self._control)
        self._options = options.beside(self._own.network if self._own else None)
        self._network = ContainerNetwork(self._control, self._engine.api_version, self._options.network, self._own)
        self._machine = Machine(self._control)
        self._without_shell: set[str] = set()
        self._disks = ScratchDisks() if can_make_disks() and self._engine.endpoint.is_local else None

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
        """The gateway of the sandboxes' network where that is an address of this machine, else loopback.

        Raises EngineError.
        """
        return self._network.listening_address()

    def host_name(self) -> str:
        """What sandboxes call this machine: an address or a name. Raises EngineError."""
        return self._network.host_name()

    def ensure_image(
        self, candidates: Sequence[str], on_progress: Callable[[str], None], architecture: str = ""
    ) -> str:
        """As the contract says; an image of our own name space is never pulled. Raises ImageUnavailableError.

        `on_progress` is called on the thread of whoever pulls. Credentials are those of Docker's own configuration.
        """
        self._machine.check(architecture)
        return self._images.ensure(candidates, on_progress, architecture)

    def bake(self, image: str, mounts: Sequence[Mount]) -> str:
        """As the contract says; the image goes by the name space of those that are built here."""
        name = baked_name(self._images.config(image).id, mounts)
        if not self._images.present(name):
            bake(self._control, image, mounts, name, self._cloud_id)
        return name

    def resolved_image(self, image: str) -> str:
        """As the contract says. Raises ImageUnavailableError when it is not present."""
        return self._images.config(image).resolved

    def check_mounts(self, image: str, mounts: Sequence[Mount]) -> None:
        """Make a container that has them, and never start it: one whose source is not there the engine refuses.

        Raises EngineError.
        """
        name = f"relambda-check-{secrets.token_hex(6)}"
        spec = SandboxSpec(name, image, (), {}, 128, name, mounts)
        remove_container(self._removal, self._create(spec, FirstProcess(("true",), ()), None))

    def start_sandbox(self, spec: SandboxSpec, listener: SandboxListener) -> Sandbox:
        """Create and start a container with the init waiting. Raises EngineError, and leaves no container then.

        In an image without a shell the runtime is the first process, and the container starts with it.
        """
        if spec.image in self._without_shell:
            return self._plain_sandbox(spec, listener)
        init = [self._shell, "-c", self._init, "relambda-init"]
        with ExitStack() as stack:
            created = self._create(spec, FirstProcess(init, self.command(spec)), self._disk(spec, stack))
            try:
                return self._start(created, spec, listener)
            except ShellMissingError as error:
                remove_container(self._removal, created)
                _log.info("%s", error)
                self._without_shell.add(spec.image)
            except BaseException:
                remove_container(self._removal, created)
                raise
        return self._plain_sandbox(spec, listener)

    def image_id(self, image: str) -> str:
        """The id that a present image's name stands for, as of when it was last made sure of. Raises EngineError."""
        return self._images.config(image).id

    def command(self, spec: SandboxSpec) -> list[str]:
        """As Docker joins them: the image's own arguments count only behind its own entrypoint. Raises EngineError."""
        if spec.entrypoint is not None:
            return [*spec.entrypoint, *spec.handler]
        image = self._images.config(spec.image)
        command = [*image.entrypoint, *(spec.handler or image.command)]
        if not command:
            raise EngineError(f"the image {spec.image} has neither entrypoint nor command: name one in ImageConfig")
        return command

    def sandbox_addresses(self) -> set[str]:
        """The addresses of all containers that carry this cloud's label, as they run now. Raises EngineError."""
        networks = [each for one in self._containers() for each in one["NetworkSettings"]["Networks"].values()]
        found = {each.get(member) for each in networks for member in ("IPAddress", "GlobalIPv6Address")}
        return {address for address in found if address}

    def sweep(self, *, keep: bool = False) -> int:
        """As the contract says. Raises EngineError that names those which were not removed in time."""
        found = self._containers()
        self._end_all([container["Id"] for container in found], keep=keep and self._options.keep)
        return len(found)

    def close(self) -> None:
        """Let go of connections. Containers stay: the caller destroys them first."""
        self._control.close()
        self._removal.close()
        if self._disks is not None:
            self._disks.close()

    def _containers(self) -> list[dict[str, Any]]:
        try:
            return list(self._removal.containers(all=True, filters={"label": f"{LABEL}={self._cloud_id}"}))
        except (DockerException, RequestException) as error:
            raise EngineError(f"the engine does not list its containers: {error}") from error

    def _end_all(self, ids: Sequence[str], *, keep: bool) -> None:
        workers = ThreadPoolExecutor(_SWEEP_WORKERS, thread_name_prefix="sweep")
        jobs = {workers.submit(end_container, self._removal, id_, keep=keep): id_ for id_ in ids}
        done, late = wait(jobs, _SWEEP_SECONDS)
        workers.shutdown(wait=False, cancel_futures=True)
        failures = [str(error) for job in done if (error := job.exception())]
        failures += [f"the container {jobs[job][:12]} was not ended within {_SWEEP_SECONDS} s" for job in late]
        if failures:
            raise EngineError(f"{'; '.join(failures)}: remove them with `docker rm -f`")

    def _plain_sandbox(self, spec: SandboxSpec, listener: SandboxListener) -> Sandbox:
        if spec.spare:
            raise ShellMissingError(f"the image {spec.image} has no {self._shell}: no container of it can wait")
        command = self.command(spec) or _BOOTSTRAP
        with ExitStack() as stack:
            first = FirstProcess(command[:1], command[1:], driven=False)
            created = self._create(spec, first, self._disk(spec, stack))
            try:
                attach = partial(AttachedStream, self._engine, created)
                held = stack.pop_all()
                return PlainSandbox(self._removal, created, spec, command[0], attach, self._options, listener, held)
            except BaseException:
                remove_container(self._removal, created)
                raise

    def _disk(self, spec: SandboxSpec, stack: ExitStack) -> str | None:
        """The device under its /tmp, let go when the stack is closed; None where the engine's own volume must do."""
        if self._disks is None:
            return None
        try:
            return stack.enter_context(self._disks.disk(spec.tmp_mb))
        except OSError as error:
            _log.warning("the disk of %s has no limit: %s", spec.name, error)
            return None

    def _create(self, spec: SandboxSpec, first: FirstProcess, disk: str | None) -> str:
        try:
            hosts = self._network.extra_hosts(spec.runtime_host)
            seen = self._as_engine_sees(spec)
            config = container_config(seen, first, disk, self._options, hosts=hosts, cloud_id=self._cloud_id)
            created = self._control.create_container_from_config(  # type: ignore[no-untyped-call]
                config, spec.name, platform=platform(spec.architecture)
            )
            for network in self._options.more_networks:
                self._control.connect_container_to_network(created["Id"], network)
        except (DockerException, RequestException) as error:
            raise EngineError(f"no container {spec.name} could be made of the image {spec.image}: {error}") from error
        return str(created["Id"])

    def _as_engine_sees(self, spec: SandboxSpec) -> SandboxSpec:
        """With the engine's own paths of what is mounted. Raises EngineError."""
        if self._own is None:
            return spec
        return replace(spec, mounts=[replace(mount, source=self._own.outside(mount.source)) for mount in spec.mounts])

    def _start(self, created: str, spec: SandboxSpec, listener: SandboxListener) -> Sandbox:
        stream = AttachedStream(self._engine, created)
        try:
            self._control.start(created)
            sandbox = DockerSandbox(
                self._removal, created, spec, stream, secrets.token_hex(16), self._options, listener
            )
            sandbox.greet()
        except BaseException as error:
            stream.close()
            if isinstance(error, DockerException | RequestException):
                raise self._start_failure(spec, error) from error
            raise
        sandbox.listen()
        return sandbox

    def _start_failure(self, spec: SandboxSpec, error: Exception) -> EngineError:
        text = str(error.explanation if isinstance(error, APIError) else error)
        if f'"{self._shell}"' in text and ("no such file" in text or "not found" in text):
            return ShellMissingError(f"the image {spec.image} has no {self._shell}: its functions run without the init")
        return EngineError(f"the container {spec.name} of the image {spec.image} did not start: {text}")
