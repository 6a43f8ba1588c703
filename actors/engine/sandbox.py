"""One started container of the Docker engine, driven through its init."""

import logging
import re
import shutil
import threading
import time
from collections.abc import Callable
from typing import Any

from docker import APIClient
from docker.errors import DockerException, NotFound
from requests.exceptions import RequestException

from relambda.actors.engine.attach import AttachedStream
from relambda.actors.engine.container import ContainerOptions, resources
from relambda.actors.engine.contract import EngineError, SandboxExit, SandboxListener, SandboxSpec
from relambda.actors.engine.frames import (
    ExtensionExited,
    ExtensionFound,
    ExtensionOutput,
    ExtensionsTold,
    FrameReader,
    Killed,
    Marked,
    Output,
    RuntimeExited,
    RuntimeUnfit,
    Word,
)

_log = logging.getLogger(__name__)

_MARK = re.compile(r"[!-~]{1,256}")
_EXIT_SECONDS = 5
_ERROR_OUTPUT = 2
_DESTROY_SECONDS = 10
_UPDATES = {
    "Memory": "mem_limit",
    "MemorySwap": "memswap_limit",
    "CpuShares": "cpu_shares",
    "CpuPeriod": "cpu_period",
    "CpuQuota": "cpu_quota",
}
"""How the SDK calls what may change in a running container."""


class DockerSandbox:
    """Implements `Sandbox`; its one thread reads the container's output and calls the listener, to the last call."""

    def __init__(
        self,
        client: APIClient,
        id_: str,
        spec: SandboxSpec,
        stream: AttachedStream,
        token: str,
        options: ContainerOptions,
        listener: SandboxListener,
    ) -> None:
        self._client, self._id, self._name, self._stream, self._token = client, id_, spec.name, stream, token
        self._scratch, self._options, self._listener = spec.scratch, options, listener
        self._keep = options.keep and not spec.spare
        self._destroying = threading.Event()
        self._address = ""
        self._reader: threading.Thread | None = None

    @property
    def id(self) -> str:
        """The engine's own id of the container."""
        return self._id

    def listen(self) -> None:
        """Begin to read, once, in a thread of its own."""
        self._reader = threading.Thread(target=self._read, name=f"sandbox-{self._name}", daemon=True)
        self._reader.start()

    def greet(self) -> None:
        """Give the init its token: before any command. Raises EngineError when the container is gone."""
        self._command(self._token)

    def address(self) -> str:
        """The address at which its ports are reached from here: its own on the network. Raises EngineError."""
        if not self._address:
            self._address = self._ask_address()
        return self._address

    def start(self) -> None:
        """Start the runtime, or tell of extensions to start first. Raises EngineError when the container is gone."""
        self._command("start")

    def start_extensions(self) -> None:
        """Start all extensions. Raises EngineError when the container is gone."""
        self._command("extend")

    def start_runtime(self) -> None:
        """Start the runtime. Raises EngineError when the container is gone."""
        self._command("run")

    def terminate_runtime(self) -> None:
        """Send SIGTERM to the runtime, if it runs. Raises EngineError when the container is gone."""
        self._command("term")

    def kill(self) -> None:
        """Kill every process but the init; answered by `on_killed`. Raises EngineError when the container is gone."""
        self._command("kill")

    def resize(self, memory_mb: int) -> None:
        """Give it that much memory, and CPU in proportion. Blocks, 10 s at most. Raises EngineError."""
        limits: dict[str, Any] = {_UPDATES[name]: value for name, value in resources(memory_mb, self._options).items()}
        try:
            self._client.update_container(self._id, **limits)
        except (DockerException, RequestException) as error:
            raise EngineError(f"the container {self._name} could not be given {memory_mb} MB: {error}") from error

    def dress(self, setup: str, listener: SandboxListener) -> None:
        """Tell it what it runs, and who listens from now on. Raises EngineError when the container is gone."""
        self._listener, self._keep = listener, self._options.keep
        self._command(f"dress {setup}")

    def rename(self, name: str) -> None:
        """Give it another name by which users find it. Blocks, 10 s at most. Raises EngineError."""
        try:
            self._client.rename(self._id, name)
        except (DockerException, RequestException) as error:
            raise EngineError(f"the container {self._name} could not be named {name}: {error}") from error
        self._name = name

    def mark(self, mark: str) -> None:
        """Ask for `on_mark` behind all output so far. Raises EngineError when the container is gone.

        Raises ValueError for a mark that is not 1 to 256 visible ASCII characters.
        """
        if not _MARK.fullmatch(mark):
            raise ValueError(f"a mark is 1 to 256 visible ASCII characters, not {mark!r}")
        self._command(f"mark {mark}")

    def connected(self, port: int) -> bool:
        """Whether a TCP connection to a port of the container is open, by the kernel's own tables (proc(5)).

        False when the engine does not tell, or the image has no `cat`. Blocks.
        """
        try:
            made = self._client.exec_create(self._id, ["cat", "/proc/net/tcp", "/proc/net/tcp6"])
            tables: bytes = self._client.exec_start(made["Id"])
        except (DockerException, RequestException) as error:
            _log.info("the container %s does not tell its connections: %s", self._name, error)
            return False
        return any(_established(row.split(), port) for row in tables.decode(errors="replace").splitlines())

    def destroy(self) -> None:
        """Kill and remove the container; safe to call twice, and on one that is gone. Blocks, 10 s at most.

        The listener has had its last call afterwards, unless it is the listener that calls. Raises EngineError.
        """
        until = time.monotonic() + _DESTROY_SECONDS
        self._destroying.set()
        try:
            end_container(self._client, self._id, keep=self._keep)
        finally:
            self._stream.close()
            if self._scratch is not None and not self._keep:
                shutil.rmtree(self._scratch, ignore_errors=True)
        if self._reader and self._reader is not threading.current_thread():
            self._reader.join(max(0.0, until - time.monotonic()))

    def _ask_address(self) -> str:
        try:
            networks = self._client.inspect_container(self._id)["NetworkSettings"]["Networks"]
        except (DockerException, RequestException) as error:
            raise EngineError(f"the engine does not tell the address of {self._name}: {error}") from error
        for network in networks.values():
            if network["IPAddress"]:
                return str(network["IPAddress"])
        raise EngineError(f"the container {self._name} has no address on a network")

    def _command(self, line: str) -> None:
        try:
            self._stream.send(line.encode() + b"\n")
        except OSError as error:
            raise EngineError(f"the container {self._name} ({self._id[:12]}) takes no commands: {error}") from error

    def _read(self) -> None:
        frames = FrameReader(self._token)
        try:
            for output, chunk in self._stream.chunks():
                for word in [ExtensionOutput(chunk)] if output == _ERROR_OUTPUT else frames.feed(chunk):
                    _tell(self._listener, word)
            for word in frames.close():
                _tell(self._listener, word)
        finally:
            self._stream.close()
            guarded(lambda: self._listener.on_exit(self._exit()))

    def _exit(self) -> SandboxExit:
        """How the container ended; one that only its connection left is killed, since nobody commands it any more."""
        if self._destroying.is_set():
            return SandboxExit(137, out_of_memory=False, message="destroyed")
        try:
            self._client.wait(self._id, timeout=_EXIT_SECONDS)
            state = self._client.inspect_container(self._id)["State"]
        except NotFound:
            return SandboxExit(137, out_of_memory=False, message="removed by somebody else")
        except (DockerException, RequestException) as error:
            return SandboxExit(
                137, out_of_memory=False, message=f"lost: the engine does not tell how it ended: {error}"
            )
        return SandboxExit(int(state["ExitCode"]), bool(state["OOMKilled"]), state.get("Error") or "")


def end_container(client: APIClient, id_: str, *, keep: bool) -> None:
    """Remove a container, or only kill it if it is to be kept. Raises EngineError."""
    if not keep:
        remove_container(client, id_)
        return
    try:
        client.kill(id_)
    except (DockerException, RequestException) as error:
        if "is not running" not in str(error) and not isinstance(error, NotFound):
            raise EngineError(f"the container {id_[:12]} could not be killed: {error}") from error


def remove_container(client: APIClient, id_: str) -> None:
    """Kill and remove a container, or find it gone. Raises EngineError; bounded by the client's own limit."""
    try:
        client.remove_container(id_, force=True, v=True)
    except NotFound:
        return
    except (DockerException, RequestException) as error:
        if "already in progress" not in str(error):
            raise EngineError(f"the container {id_[:12]} could not be removed: {error}") from error


def _tell(listener: SandboxListener, word: Word | ExtensionOutput) -> None:
    match word:
        case Output(data):
            guarded(lambda: listener.on_output(data))
        case ExtensionOutput(data):
            guarded(lambda: listener.on_extension_output(data))
        case ExtensionFound(name):
            guarded(lambda: listener.on_extension_found(name))
        case ExtensionsTold():
            guarded(listener.on_extensions_told)
        case ExtensionExited(name, code):
            guarded(lambda: listener.on_extension_exit(name, code))
        case RuntimeUnfit(program, code):
            guarded(lambda: listener.on_runtime_unfit(program, code))
        case RuntimeExited(code):
            guarded(lambda: listener.on_runtime_exit(code))
        case Killed():
            guarded(listener.on_killed)
        case Marked(mark, peak):
            guarded(lambda: listener.on_mark(mark, peak))


def _established(row: list[str], port: int) -> bool:
    """Whether a row is of an open connection (state 01) whose local end is that port."""
    return len(row) > 3 and row[1].endswith(f":{port:04X}") and row[3] == "01"


def guarded(call: Callable[[], None]) -> None:
    """A listener's error must not end the reading of what follows."""
    try:
        call()
    except Exception:  # noqa: BLE001 - whatever it was, it is the listener's, and it is logged
        _log.exception("a sandbox's listener failed")
