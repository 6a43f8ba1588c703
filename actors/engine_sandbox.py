"""One started container of the Docker engine, driven through its init."""

import logging
import re
import threading
import time
from collections.abc import Callable

from docker import APIClient
from docker.errors import DockerException, NotFound
from requests.exceptions import RequestException

from relambda.actors.engine import EngineError, SandboxExit, SandboxListener
from relambda.actors.engine_attach import AttachedStream
from relambda.actors.engine_frames import (
    ExtensionExited,
    ExtensionFound,
    ExtensionOutput,
    ExtensionsTold,
    FrameReader,
    Killed,
    Marked,
    Output,
    RuntimeExited,
    Word,
)

_log = logging.getLogger(__name__)

_MARK = re.compile(r"[!-~]{1,256}")
_EXIT_SECONDS = 5
_ERROR_OUTPUT = 2
_DESTROY_SECONDS = 10


class DockerSandbox:
    """Implements `Sandbox`; its one thread reads the container's output and calls the listener, to the last call."""

    def __init__(self, client: APIClient, id_: str, name: str, stream: AttachedStream, token: str) -> None:
        self._client, self._id, self._name, self._stream, self._token = client, id_, name, stream, token
        self._destroying = threading.Event()
        self._reader: threading.Thread | None = None

    @property
    def id(self) -> str:
        """The engine's own id of the container."""
        return self._id

    def listen(self, listener: SandboxListener) -> None:
        """Begin to read, once, in a thread of its own."""
        self._reader = threading.Thread(target=self._read, args=(listener,), name=f"sandbox-{self._name}", daemon=True)
        self._reader.start()

    def greet(self) -> None:
        """Give the init its token: before any command. Raises EngineError when the container is gone."""
        self._command(self._token)

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
            remove_container(self._client, self._id)
        finally:
            self._stream.close()
        if self._reader and self._reader is not threading.current_thread():
            self._reader.join(max(0.0, until - time.monotonic()))

    def _command(self, line: str) -> None:
        try:
            self._stream.send(line.encode() + b"\n")
        except OSError as error:
            raise EngineError(f"the container {self._name} ({self._id[:12]}) takes no commands: {error}") from error

    def _read(self, listener: SandboxListener) -> None:
        frames = FrameReader(self._token)
        try:
            for output, chunk in self._stream.chunks():
                for word in [ExtensionOutput(chunk)] if output == _ERROR_OUTPUT else frames.feed(chunk):
                    _tell(listener, word)
            for word in frames.close():
                _tell(listener, word)
        finally:
            self._stream.close()
            _guarded(lambda: listener.on_exit(self._exit()))

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
            _guarded(lambda: listener.on_output(data))
        case ExtensionOutput(data):
            _guarded(lambda: listener.on_extension_output(data))
        case ExtensionFound(name):
            _guarded(lambda: listener.on_extension_found(name))
        case ExtensionsTold():
            _guarded(listener.on_extensions_told)
        case ExtensionExited(name, code):
            _guarded(lambda: listener.on_extension_exit(name, code))
        case RuntimeExited(code):
            _guarded(lambda: listener.on_runtime_exit(code))
        case Killed():
            _guarded(listener.on_killed)
        case Marked(mark, peak):
            _guarded(lambda: listener.on_mark(mark, peak))


def _established(row: list[str], port: int) -> bool:
    """Whether a row is of an open connection (state 01) whose local end is that port."""
    return len(row) > 3 and row[1].endswith(f":{port:04X}") and row[3] == "01"


def _guarded(call: Callable[[], None]) -> None:
    """A listener's error must not end the reading of what follows."""
    try:
        call()
    except Exception:  # noqa: BLE001 - whatever it was, it is the listener's, and it is logged
        _log.exception("a sandbox's listener failed")
