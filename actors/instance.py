"""An execution environment: the actor that owns one container, and the handle its function works with.

The way of a warm invoke does not pass through the actor: the function assigns to the instance, the Runtime API hands
over, and the answer goes from the Runtime API's thread to the caller. The actor is for what takes time or goes wrong:
start, timeout, exit, reset, end.
"""

import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any, TypeAlias

import pykka

from relambda.actors.clock import Timer
from relambda.actors.conversation import Conversation, Said
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.version import Version
from relambda.actors.engine import EngineError, Sandbox, SandboxSpec
from relambda.actors.entrypoint import entrypoint_of, handler_arguments
from relambda.actors.failures import Failure, exited, init_timed_out, sandbox_failed, timed_out
from relambda.actors.invocation import Invocation
from relambda.actors.messages import CodeChanged, InstanceGone
from relambda.actors.room import Room
from relambda.actors.runtime_session import ExecutionEnvironment

_log = logging.getLogger(__name__)
Parent: TypeAlias = "pykka.ActorRef[Any]"
MARK_SECONDS = 2.0
"""How long an answer waits for the end of its log at most."""


@dataclass(frozen=True, slots=True)
class Start:
    """Start the container and the runtime in it."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Destroy the container, and end."""


@dataclass(frozen=True, slots=True)
class Reload:
    """Start the runtime anew in its container: its code has changed."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The invocation has run for longer than the function's timeout."""

    request_id: str


@dataclass(frozen=True, slots=True)
class InitTimedOut:
    """The runtime of that many starts has not asked for work in time."""

    starts: int


class Instance:
    """A function's handle of one of its execution environments. Used on the function's thread only."""

    def __init__(
        self, resource: ResourceName, version: Version, room: Room, parent: Parent, tenant_id: str = ""
    ) -> None:
        self.id = room.new_id()
        self.resource, self.version, self.room, self.tenant_id = resource, version, room, tenant_id
        self.served = 0
        self.keepalive: Timer | None = None
        self.timeout = float(version.config["Timeout"])
        self.conversation = Conversation(self, parent)
        self.hot = room.hot_reload.code_of(version, lambda: room.post.tell(resource.stream, CodeChanged(self)))
        self.session = room.runtime_api.open(self.token, self.conversation, execution_environment(resource, version))
        self.actor = InstanceActor.start(self, parent)
        self.conversation.actor = self.actor
        self.actor.tell(Start())

    @property
    def token(self) -> str:
        """The secret host name by which its container reaches the Runtime API."""
        return self.id.replace("-", "")

    def assign(self, invocation: Invocation) -> bool:
        """Run an invocation; False when the environment has ended, and the invocation is as it was."""
        if not self.conversation.slot.put(invocation):
            return False
        self.served += 1
        invocation.version = self.version.version
        deadline = self.room.clock.now_ms() + int(self.timeout * 1000)
        request_id = invocation.request_id
        self.conversation.begin(
            invocation, self.room.scheduler.after(self.timeout, lambda: self.tell(TimedOut(request_id)))
        )
        self.session.assign(invocation.event(self.resource.arn(invocation.qualifier), deadline))
        return True

    def outdated(self) -> bool:
        """Whether its code is a folder that holds something else by now than its runtime loaded."""
        return self.hot is not None and self.hot.outdated()

    def reload(self) -> bool:
        """Start its runtime anew; False when it ends instead, the folder it mounts being another one by now."""
        if self.hot is None or self.hot.replaced():
            self.stop()
            return False
        self.tell(Reload())
        return True

    def stop(self) -> None:
        """End it, with its container; `InstanceGone` tells when it is done."""
        if self.keepalive is not None:
            self.keepalive.cancel()
        self.tell(Stop())

    def tell(self, message: object) -> None:
        """Tell its actor something, if that has not ended; any thread."""
        try:
            self.actor.tell(message)
        except pykka.ActorDeadError:
            _log.debug("instance %s has ended before it got %r", self.id, message)


class InstanceActor(pykka.ThreadingActor):
    """Owns one container and blocks on the engine so that nobody else has to."""

    use_daemon_thread = True

    def __init__(self, instance: Instance, parent: Parent) -> None:
        super().__init__()
        self.instance, self.parent = instance, parent
        self.room, self.conversation = instance.room, instance.conversation
        self.sandbox: Sandbox | None = None
        self.failure: Failure | None = None
        self._init_timer: Timer | None = None
        self._starts = 0
        self._killing = self._ended = False

    def on_receive(self, message: object) -> None:
        """Handle one message; what comes after the end is of no use any more."""
        if self._ended:
            return
        match message:
            case Start():
                self._start()
            case TimedOut(request_id):
                self._timed_out(request_id)
            case InitTimedOut(starts) if self.conversation.initialising and starts == self._starts:
                self._give_up(init_timed_out(self.room.options.environment_timeout))
            case Said():
                self._hear(message)
            case Reload():
                self._reload()
            case Stop():
                self._end()
            case _:
                _log.debug("instance %s: %r came late", self.instance.id, message)

    def _hear(self, said: Said) -> None:
        match said:
            case Said.RUNTIME_KILLED:
                self._killing = False
                self._start_runtime()
            case Said.RUNTIME_EXITED:
                self._runtime_exited(self.conversation.exit_code)
            case Said.SANDBOX_EXITED:
                self._sandbox_exited(self.conversation.exit_code)
            case Said.MARK_WANTED:
                self._mark()

    def _start(self) -> None:
        began = time.monotonic()
        try:
            spec = sandbox_spec(self.instance)
            self.sandbox = self.room.engine.start_sandbox(spec, self.conversation)
        except (EngineError, OSError) as error:
            _log.warning("no container for %s: %s", self.instance.resource.arn(), error)
            self._give_up(sandbox_failed(str(error)))
            return
        self.conversation.log.container(self.sandbox.id)
        _log.debug("container of %s started in %.0f ms", self.instance.id, (time.monotonic() - began) * 1000)
        self._load_code()
        self._start_runtime()

    def _load_code(self) -> None:
        """Note what the runtime is going to find, be it while the former one still is being killed."""
        if self.instance.hot is not None:
            self.instance.hot.load()

    def _start_runtime(self) -> None:
        self.conversation.init_begins()
        self.instance.session.reset()
        self._starts += 1
        self._stop_init_timer()
        late, seconds = InitTimedOut(self._starts), self.room.options.environment_timeout
        self._init_timer = self.room.scheduler.after(seconds, lambda: self.instance.tell(late))
        self._command("start_runtime")

    def _timed_out(self, request_id: str) -> None:
        invocation = self.conversation.slot.take(request_id)
        if invocation is None:
            return
        self.instance.session.reset()
        self.conversation.fail(invocation, timed_out(self.instance.timeout))
        self._kill()

    def _reload(self) -> None:
        """A runtime that is about to start, or has just started, found the changed code or is asked for again."""
        if not (self._killing or self.conversation.initialising):
            self._kill()

    def _kill(self) -> None:
        self._killing = True
        self._command("kill_runtime")
        self._load_code()

    def _runtime_exited(self, code: int) -> None:
        """Fail what ran, and start the runtime anew in the same container, whose /tmp stays."""
        if self._killing:
            return  # it ended by itself just before it was killed, and is started anew when that is done
        if self.conversation.initialising:
            self._give_up(self.conversation.init_failure or exited(code))
            return
        self.instance.session.reset()
        invocation = self.conversation.slot.take()
        if invocation is not None:
            self.conversation.fail(invocation, exited(code))
        self._kill()

    def _sandbox_exited(self, code: int) -> None:
        """The container ended by itself or by somebody else; before the runtime was ready, that is why it failed."""
        if self.conversation.initialising:
            self._give_up(self.conversation.init_failure or exited(code))
        else:
            self._end()

    def _mark(self) -> None:
        conversation, mark = self.conversation, self.conversation.mark
        self.room.scheduler.after(MARK_SECONDS, lambda: conversation.answer_without_mark(mark))
        self._command("mark")

    def _command(self, command: str) -> None:
        if self.sandbox is None:
            return
        try:
            if command == "mark":
                self.sandbox.mark(self.conversation.mark)
            else:
                getattr(self.sandbox, command)()
        except EngineError as error:
            _log.info("instance %s: %s", self.instance.id, error)
            self._end()

    def _give_up(self, failure: Failure) -> None:
        self.failure = failure
        if self._starts:
            self.conversation.init_fails(failure)
        self._end()

    def _end(self) -> None:
        """Fail what still runs, destroy the container, tell the function, stop. Once."""
        self._ended = True
        self._stop_init_timer()
        if self.instance.hot is not None:
            self.instance.hot.close()
        self.conversation.answer_without_mark(self.conversation.mark)
        invocation = self.conversation.slot.close()
        if invocation is not None:
            self.conversation.fail(invocation, exited(self.conversation.exit_code or 137), resets=False)
        self._destroy()
        self.instance.session.close()
        self._tell_parent(InstanceGone(self.instance, self.failure))
        if self.actor_ref.is_alive():
            self.stop()

    def _destroy(self) -> None:
        """The function must hear of the end even when the engine does not remove the container."""
        try:
            if self.sandbox is not None:
                self.sandbox.destroy()
        except EngineError:
            _log.exception("a container of %s may be left over until the cloud starts again", self.instance.id)

    def _stop_init_timer(self) -> None:
        if self._init_timer is not None:
            self._init_timer.cancel()

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        """Leave no container behind, whatever went wrong."""
        _log.error("instance %s failed", self.instance.id, exc_info=(exception_type, exception_value, traceback))
        self.failure = sandbox_failed(str(exception_value))
        if not self._ended:
            self._end()

    def _tell_parent(self, message: object) -> None:
        try:
            self.parent.tell(message)
        except pykka.ActorDeadError:
            _log.debug("the function of instance %s has ended", self.instance.id)


def execution_environment(resource: ResourceName, version: Version) -> ExecutionEnvironment:
    """What the extensions of an instance are told."""
    return ExecutionEnvironment(
        function_name=resource.name,
        function_version=version.version,
        handler=version.config.get("Handler", ""),
        account_id=resource.account,
        metadata_token=secrets.token_urlsafe(32),
    )


def sandbox_spec(instance: Instance) -> SandboxSpec:
    """What the engine needs to start an instance's container. Raises EngineError."""
    room, version, resource = instance.room, instance.version, instance.resource
    api = f"{instance.token}:{room.runtime_api.address[1]}"
    return SandboxSpec(
        name=f"relambda-{resource.name[:40]}-{instance.id[:8]}",
        image=room.preparation.image(version),
        handler=handler_arguments(version),
        environment=room.surroundings.variables(
            resource, version, runtime_api=api, log_stream=instance.conversation.log.stream.name
        ),
        memory_mb=version.config["MemorySize"],
        runtime_host=instance.token,
        mounts=room.preparation.mounts(version),
        labels={"relambda.function": resource.arn(version.version)},
        entrypoint=entrypoint_of(version),
        working_directory=version.config.get("ImageConfig", {}).get("WorkingDirectory"),
        tmp_mb=version.config["EphemeralStorage"]["Size"],
    )
