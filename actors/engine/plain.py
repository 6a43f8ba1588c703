"""A sandbox of an image without a shell: no init could run in it, so the runtime itself is its first process.

To start the runtime again is to start the container again: its /tmp stays, since that is a disk of its own. There is
nobody inside to start extensions.
"""

import errno
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Final

from docker import APIClient
from docker.errors import DockerException
from requests.exceptions import RequestException

from relambda.actors.engine.attach import AttachedStream
from relambda.actors.engine.container import ContainerOptions
from relambda.actors.engine.contract import EngineError, SandboxExit, SandboxListener, SandboxSpec
from relambda.actors.engine.sandbox import DockerSandbox, guarded

_START_ERRORS: Final = {126: errno.EACCES, 127: errno.ENOENT}
"""What the engine says was the exit code of a container that it could not start for its program's sake."""
_WORDS: Final = 4096
_EXEC_ERRORS: Final = (errno.ENOENT, errno.EACCES, errno.ENOEXEC)


class PlainSandbox(DockerSandbox):
    """Implements `Sandbox`; each run of the container has a reading thread of its own."""

    def __init__(
        self,
        client: APIClient,
        id_: str,
        spec: SandboxSpec,
        program: str,
        attach: Callable[[], AttachedStream],
        options: ContainerOptions,
        listener: SandboxListener,
        held: ExitStack,
    ) -> None:
        """`held` has what is the container's between its runs, and is closed at its end."""
        super().__init__(client, id_, spec, attach(), "", options, listener)
        self._program, self._attach, self._held = program, attach, held
        self._state = threading.Lock()
        self._runs = self._killing = self._gone = self._used = False

    def start(self) -> None:
        """Start the runtime. Raises EngineError when the container is gone."""
        self.start_runtime()

    def start_extensions(self) -> None:
        """There are none."""

    def start_runtime(self) -> None:
        """Start the container. Raises EngineError when it is gone."""
        if self._reader is not None:
            self._reader.join()
        if self._used:
            self._stream = self._attach()
        self._used = True
        with self._state:
            self._runs = True
        try:
            self._client.start(self._id)
        except (DockerException, RequestException) as error:
            self._not_started(error)
        else:
            self.listen()

    def _not_started(self, error: Exception) -> None:
        """The engine tells by an exit code whether that is the program's fault."""
        with self._state:
            self._runs = False
        self._stream.close()
        self._reader = None
        try:
            code = int(self._client.inspect_container(self._id)["State"]["ExitCode"])
        except (DockerException, RequestException):
            code = 0
        if code not in _START_ERRORS:
            raise EngineError(f"the container {self._name} does not start: {error}") from error
        guarded(lambda: self._listener.on_runtime_unfit(self._program, _START_ERRORS[code]))
        guarded(lambda: self._listener.on_runtime_exit(code))

    def terminate_runtime(self) -> None:
        """Send SIGTERM to the runtime, if it runs."""
        with suppress(DockerException, RequestException):
            self._client.kill(self._id, "SIGTERM")

    def kill(self) -> None:
        """End the container's run; answered by `on_killed`. Raises EngineError when the container is gone."""
        with self._state:
            self._killing = runs = self._runs
        if not runs:
            guarded(self._listener.on_killed)
            return
        try:
            self._client.kill(self._id)
        except (DockerException, RequestException) as error:
            if "is not running" not in str(error):
                raise EngineError(f"the container {self._name} could not be killed: {error}") from error

    def mark(self, mark: str) -> None:
        """Answered when the engine has told the memory's peak; output written by then has most likely come."""
        threading.Thread(target=self._tell_mark, args=(mark,), name=f"mark-{self._name}", daemon=True).start()

    def destroy(self) -> None:
        """As the contract says. Raises EngineError."""
        super().destroy()
        self._held.close()
        self._tell_gone(SandboxExit(137, out_of_memory=False, message="destroyed"))

    def _tell_unfit(self, words: bytes) -> None:
        """What is found out too late for the engine's answer, the container runtime writes, and nothing else comes."""
        for error in _EXEC_ERRORS:
            if words == f"exec {self._program}: {os.strerror(error).lower()}\n".encode():
                guarded(lambda: self._listener.on_runtime_unfit(self._program, error))  # noqa: B023 - called at once

    def _tell_mark(self, mark: str) -> None:
        peak = 0
        with suppress(DockerException, RequestException):
            memory = self._client.stats(self._id, stream=False, one_shot=True).get("memory_stats", {})
            peak = memory.get("max_usage") or memory.get("usage") or 0
        guarded(lambda: self._listener.on_mark(mark, peak))

    def _read(self) -> None:
        words = b""
        for _, chunk in self._stream.chunks():
            words += chunk[: _WORDS - len(words)]
            guarded(lambda data=chunk: self._listener.on_output(data))  # type: ignore[misc]
        self._stream.close()
        self._tell_unfit(words)
        exit_ = self._exit()
        with self._state:
            killed, self._runs, self._killing = self._killing, False, False
        if exit_.message:
            self._tell_gone(exit_)
        elif killed:
            guarded(self._listener.on_killed)
        else:
            guarded(lambda: self._listener.on_runtime_exit(137 if exit_.out_of_memory else exit_.code))

    def _tell_gone(self, exit_: SandboxExit) -> None:
        with self._state:
            told, self._gone = self._gone, True
        if not told:
            guarded(lambda: self._listener.on_exit(exit_))
