"""A session of a whole execution environment: its runtime, its extensions, and SnapStart's restore."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from relambda.actors.runtime_api.connection import Connection
from relambda.actors.runtime_api.extension_registry import (
    INVOKE,
    SHUTDOWN,
    Extension,
    ExtensionState,
    Registry,
    invoke_document,
    shutdown_document,
)
from relambda.actors.runtime_api.open_session import OpenSession, RuntimeState
from relambda.actors.runtime_api.reply import Reply, bad_transition
from relambda.actors.runtime_api.session import (
    EnvironmentListener,
    ExecutionEnvironment,
    ExtensionInfo,
    RuntimeEvent,
    RuntimeFailure,
    ShutdownReason,
    Subscriptions,
)
from relambda.actors.telemetry.subscription import Subscription

_RESTORED = Reply(200).render()


class OpenEnvironment(OpenSession):
    """Implements EnvironmentSession. The listener is called with the session's lock held, as OpenSession's is."""

    def __init__(
        self,
        token: str,
        listener: EnvironmentListener,
        environment: ExecutionEnvironment,
        telemetry: Subscriptions | None,
        on_close: Callable[[OpenSession], None],
    ) -> None:
        super().__init__(token, listener, on_close)
        self.environment, self.telemetry = environment, telemetry
        self._hearer = listener
        self._registry = Registry()
        self._asking: dict[Connection, Extension] = {}
        self._restoring: Connection | None = None
        self._runtime_idle = self._settled = self._begun = False

    def expect_extensions(self, names: Iterable[str]) -> None:
        """See EnvironmentSession."""
        with self._lock:
            self._registry.expect(names)

    @property
    def extended(self) -> bool:
        """See EnvironmentSession."""
        return not self._registry.empty

    def answer_begins(self, generation: int) -> None:
        """See OpenSession."""
        with self._lock:
            self._check(generation)
            self._hearer.on_answer_begins()

    def extensions(self) -> tuple[ExtensionInfo, ...]:
        """See EnvironmentSession."""
        with self._lock:
            return tuple(
                ExtensionInfo(one.name, one.external, one.events, one.state.value, one.error_type)
                for one in self._registry.extensions()
            )

    def did_not_launch(self, name: str, error_type: str) -> None:
        """See EnvironmentSession."""
        with self._lock:
            self._registry.did_not_launch(name, error_type)

    def _may_hand_over(self) -> bool:
        """The runtime gets an invocation when all wait for one."""
        return (self._begun or self._settled) and super()._may_hand_over()

    def _deliver(self, event: RuntimeEvent) -> int | None:
        """The extensions hear of it behind the runtime."""
        deadline_ms = super()._deliver(event)
        if deadline_ms is not None:
            self._begun, self._settled, self._runtime_idle = True, False, False
            if not self._registry.empty:
                self._registry.post(INVOKE, invoke_document(event, deadline_ms))
        return deadline_ms

    def _hand_over(self) -> None:
        super()._hand_over()
        if self._asking:
            self._give_out()

    def shutdown(self, reason: ShutdownReason, deadline_ms: int) -> tuple[str, ...]:
        """See EnvironmentSession."""
        with self._lock:
            if self._closed:
                return ()
            self._registry.closed = True
            told = self._registry.post(SHUTDOWN, shutdown_document(reason, deadline_ms))
            self._give_out()
            return tuple(extension.name for extension in told)

    def reset(self) -> None:
        """See EnvironmentSession: extensions are forgotten as the runtime is, and their subscriptions end."""
        with self._lock:
            self._registry = Registry()
            self._asking.clear()
            self._restoring = None
            self._runtime_idle = self._settled = self._begun = self.hears_beginnings = False
            if self.telemetry is not None:
                self.telemetry.reopen()
            super().reset()

    def leave(self, connection: Connection) -> None:
        """The connection is no more: no event is given to it."""
        with self._lock:
            self._asking.pop(connection, None)
            if self._restoring is connection:
                self._restoring = None
            super().leave(connection)

    def parks(self, connection: Connection) -> bool:
        """Whether the connection waits for an event."""
        with self._lock:
            return connection in self._asking or connection is self._restoring or super().parks(connection)

    def _heard_next(self) -> None:
        super()._heard_next()
        self._registry.closed = True
        self._runtime_done()

    def _heard_answer(self) -> None:
        """A runtime without extensions may have its next invocation before it asks for it."""
        self._begun = False
        if self._registry.empty:
            self._runtime_done()

    def _runtime_done(self) -> None:
        if not self._begun:
            self._runtime_idle = True
            self._settle()

    def _settle(self) -> None:
        """Tell once that all wait: then the init is over, or an invocation is."""
        if self._settled or not self._runtime_idle or not self._registry.idle:
            return
        self._settled = True
        if self.telemetry is not None:
            self.telemetry.close_subscriptions()
        self._hearer.on_idle()

    def register(self, generation: int, name: str, events: Sequence[Any]) -> str:
        """An extension registers itself; its identifier. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self._check(generation)
            extension = self._registry.register(name, events)
            self.hears_beginnings = True
            if extension.external and self._registry.all_registered:
                self._hearer.on_extensions_registered()
            return extension.id

    def next_event(self, generation: int, identifier: str, connection: Connection) -> None:
        """An extension asks for its next event, and gets it now or later. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self._check(generation)
            extension = self._registry.find(identifier)
            self._registry.ask(extension)
            self._asking[connection] = extension
            self._give_out()
            self._settle()
            self._hand_over()

    def _give_out(self) -> None:
        """Give events to waiting clients that are still there; one whose client has gone stays for its next call."""
        for connection, extension in list(self._asking.items()):
            if not extension.waiting or extension.state is not ExtensionState.READY:
                continue
            del self._asking[connection]
            headers = (("Lambda-Extension-Event-Identifier", str(uuid.uuid4())),)
            if connection.offer(Reply(200, extension.waiting[0], headers=headers).render()):
                self._registry.take(extension)
            else:
                connection.shut()

    def fail_extension(self, generation: int, identifier: str, state: ExtensionState, failure: RuntimeFailure) -> None:
        """An extension reports its error. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self._check(generation)
            extension = self._registry.find(identifier)
            self._registry.fail(extension, state, failure.error_type)
            phase = "init" if state is ExtensionState.INIT_ERROR else "exit"
            self._hearer.on_extension_error(extension.name, phase, failure)

    def extension_name(self, generation: int, identifier: str) -> str:
        """The name of the extension that asks. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self._check(generation)
            return self._registry.find(identifier).name

    def subscribe(self, generation: int, subscription: Subscription) -> None:
        """An extension subscribes. Raises SubscriptionsClosedError, DisconnectedError."""
        with self._lock:
            self._check(generation)
            if self.telemetry is not None:
                self.telemetry.subscribe(subscription)
                self._hearer.on_subscribed(subscription)

    def restore(self) -> None:
        """See EnvironmentSession."""
        with self._lock:
            if self._closed:
                return
            if self._state is not RuntimeState.RESTORE_READY:
                raise RuntimeError(f"environment {self.token} does not wait to be restored: it is {self._state.value}")
            self._state = RuntimeState.RESTORING
            self._hand_restore()

    def restore_next(self, generation: int, connection: Connection) -> None:
        """The runtime is ready for its snapshot, and waits to be restored. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self._check(generation)
            if self._state not in {RuntimeState.STARTED, RuntimeState.RESTORE_READY, RuntimeState.RESTORING}:
                raise bad_transition(self._state.value, RuntimeState.RESTORE_READY.value)
            first = self._state is RuntimeState.STARTED
            self._restoring = connection
            if first:
                self._state, self._registry.closed = RuntimeState.RESTORE_READY, True
                self._hearer.on_restore_ready()
            self._hand_restore()

    def _hand_restore(self) -> None:
        connection = self._restoring
        if self._state is RuntimeState.RESTORING and connection is not None:
            self._restoring = None
            if not connection.offer(_RESTORED):
                connection.shut()

    def expect_restore_error(self, generation: int) -> None:
        """Check that the runtime may fail its restore now. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self._check(generation)
            if self._state is not RuntimeState.RESTORING:
                raise bad_transition(self._state.value, RuntimeState.RESTORE_ERROR.value)

    def fail_restore(self, generation: int, failure: RuntimeFailure) -> None:
        """The runtime could not be restored. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self.expect_restore_error(generation)
            self._state = RuntimeState.RESTORE_ERROR
            self._hearer.on_restore_error(failure)
