"""A session of the Runtime API: what one runtime may do when, and the handing over of its invocations.

The state machine and its refusals are those of the official emulator's binary, as observed: `/next` while an
invocation runs gives the same invocation again; several `/next` may wait, and the first of them is served first; a
second answer is a wrong transition; an answer to another request is a wrong id.
"""

import threading
from collections import deque
from collections.abc import Callable
from enum import Enum

from relambda.actors.runtime_api.connection import Connection
from relambda.actors.runtime_api.http_head import DisconnectedError
from relambda.actors.runtime_api.reply import JSON, RefusalError, Reply, bad_transition
from relambda.actors.runtime_api.session import RuntimeEvent, RuntimeFailure, SessionListener


class RuntimeState(Enum):
    """Where a runtime is, by the names that its refusals tell."""

    STARTED = "Started"
    INIT_ERROR = "InitError"
    READY = "Ready"
    RUNNING = "Running"
    BROKEN_OFF = "InvocationResponse"
    ANSWERED = "RuntimeResponseSentState"
    RESTORE_READY = "RestoreReady"
    RESTORING = "Restoring"
    RESTORE_ERROR = "RestoreError"


_MUST_NOT_ASK = frozenset(
    {RuntimeState.INIT_ERROR, RuntimeState.BROKEN_OFF, RuntimeState.RESTORE_READY, RuntimeState.RESTORE_ERROR}
)
_ASKS_ANEW = frozenset({RuntimeState.STARTED, RuntimeState.ANSWERED, RuntimeState.RESTORING})
_MAY_HAVE = frozenset({RuntimeState.READY, RuntimeState.RUNNING})


class OpenSession:
    """Implements Session. The listener is called with the session's lock held.

    So after `reset` or `close` has returned, nothing of the old runtime is heard any more. A caller must not hold a
    lock that the listener takes.
    """

    def __init__(self, token: str, listener: SessionListener, on_close: Callable[["OpenSession"], None]) -> None:
        self.token = token
        self._listener, self._on_close = listener, on_close
        self._lock = threading.RLock()
        self._generation = 0
        self._closed = False
        self._state = RuntimeState.STARTED
        self._request_id = ""
        self._event: RuntimeEvent | None = None
        self._answer = b""
        """The event as the runtime gets it, from its delivery on."""
        self._held_for = ""
        self.hears_beginnings = False
        """Whether somebody wants to know when an answer begins; nothing is done for it otherwise."""
        self._parked: deque[Connection] = deque()
        self._connections: set[Connection] = set()

    def assign(self, event: RuntimeEvent) -> None:
        """Hand `event` to a waiting `/next`, on this thread; else keep it. Nothing happens on a closed session.

        Raises RuntimeError while the session has an invocation that was delivered and is not answered.
        """
        with self._lock:
            if self._closed:
                return
            if self._event is not None and self._answer:
                raise RuntimeError(f"session {self.token} still has invocation {self._event.request_id}: wait for it")
            self._event = event
            self._hand_over()

    def hold(self, mark: str) -> None:
        """See Session."""
        with self._lock:
            self._held_for = mark

    def release(self, mark: str) -> None:
        """See Session."""
        with self._lock:
            if self._held_for == mark:
                self._held_for = ""
                self._hand_over()

    def reset(self) -> None:
        """Be as new: connections of the runtime that was are cut, and its invocation is forgotten."""
        with self._lock:
            self._generation += 1
            self._state, self._request_id = RuntimeState.STARTED, ""
            self._event, self._answer, self._held_for = None, b"", ""
            self._parked.clear()
            connections, self._connections = self._connections, set()
        for connection in connections:
            connection.shut()

    def close(self) -> None:
        """End it; safe to call twice."""
        with self._lock:
            self._closed = True
        self._on_close(self)
        self.reset()

    def join(self, connection: Connection, limit: int) -> int:
        """Take in a connection of the runtime; the runtime's number. Raises RefusalError beyond `limit` of them."""
        with self._lock:
            if self._closed:
                raise DisconnectedError("the session was closed")
            if len(self._connections) >= limit:
                raise RefusalError(503, "TooManyConnections", f"One runtime may have {limit} connections")
            self._connections.add(connection)
            return self._generation

    def leave(self, connection: Connection) -> None:
        """The connection is no more: no event is given to it."""
        with self._lock:
            self._connections.discard(connection)
            if connection in self._parked:
                self._parked.remove(connection)

    def parks(self, connection: Connection) -> bool:
        """Whether the connection waits for an event."""
        with self._lock:
            return connection in self._parked

    def next(self, generation: int, connection: Connection) -> None:
        """The runtime asks for work: answered at once, or by `assign`. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self._check(generation)
            if self._state in _MUST_NOT_ASK:
                raise bad_transition(self._state.value, RuntimeState.READY.value)
            if self._state in _ASKS_ANEW:
                self._state, self._request_id = RuntimeState.READY, ""
                self._heard_next()
            self._check(generation)
            self._parked.append(connection)
            self._hand_over()

    def _heard_next(self) -> None:
        self._listener.on_next()

    def _heard_answer(self) -> None:
        """An invocation was answered; what follows on that is for those who know more than the runtime."""

    def _hand_over(self) -> None:
        """Give the event to the first waiting client that is still there; without one it stays."""
        while self._parked and self._event is not None and self._may_hand_over():
            connection = self._parked[0]
            if connection.client_waits():
                if not self._answer and self._deliver(self._event) is None:
                    return
                if connection.give(self._answer):
                    self._state, self._request_id = RuntimeState.RUNNING, self._event.request_id
                    self._parked.popleft()
                    return
            self._parked.popleft().shut()

    def _may_hand_over(self) -> bool:
        """Whether the runtime may have an event now, if it asks for one."""
        return not self._held_for and self._state in _MAY_HAVE

    def _deliver(self, event: RuntimeEvent) -> int | None:
        """Somebody is there and is given the event next; its deadline. None, and it is forgotten: nobody wants it."""
        deadline_ms = self._listener.on_delivery(event.request_id)
        if deadline_ms is None:
            self._event = None
        else:
            self._answer = render_event(event, deadline_ms)
        return deadline_ms

    def expect_answer(self, generation: int, request_id: str, wanted: str) -> None:
        """Check that the invocation may be answered now. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self._check(generation)
            if not self._request_id or request_id != self._request_id:
                raise RefusalError(400, "InvalidRequestID", "Invalid request ID")
            if self._state is not RuntimeState.RUNNING:
                raise bad_transition(self._state.value, wanted)

    def answer_begins(self, generation: int) -> None:
        """The first byte of an answer is here. Raises DisconnectedError."""

    def respond(self, generation: int, request_id: str, payload: bytes) -> None:
        """The runtime answered. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self._finish(generation, request_id, "InvocationResponse")
            self._listener.on_response(request_id, payload)
            self._heard_answer()

    def fail(self, generation: int, request_id: str, failure: RuntimeFailure, wanted: str) -> None:
        """The runtime answered with an error. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self._finish(generation, request_id, wanted)
            self._listener.on_error(request_id, failure)
            self._heard_answer()

    def _finish(self, generation: int, request_id: str, wanted: str) -> None:
        self.expect_answer(generation, request_id, wanted)
        self._state, self._event, self._answer = RuntimeState.ANSWERED, None, b""

    def break_off(self, generation: int, request_id: str) -> None:
        """An answer began and did not end; no step may follow. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self.expect_answer(generation, request_id, RuntimeState.BROKEN_OFF.value)
            self._state = RuntimeState.BROKEN_OFF

    def expect_init_error(self, generation: int) -> None:
        """Check that the runtime may fail its init now. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self._check(generation)
            if self._state is not RuntimeState.STARTED:
                raise bad_transition(self._state.value, RuntimeState.INIT_ERROR.value)

    def fail_init(self, generation: int, failure: RuntimeFailure) -> None:
        """The runtime could not initialise. Raises RefusalError, DisconnectedError."""
        with self._lock:
            self.expect_init_error(generation)
            self._state = RuntimeState.INIT_ERROR
            self._listener.on_init_error(failure)

    def _check(self, generation: int) -> None:
        if self._closed or generation != self._generation:
            raise DisconnectedError("the runtime that asks was killed or has exited")


def render_event(event: RuntimeEvent, deadline_ms: int) -> bytes:
    """The answer to `/next`."""
    headers = (
        ("Lambda-Runtime-Aws-Request-Id", event.request_id),
        ("Lambda-Runtime-Deadline-Ms", str(deadline_ms)),
        ("Lambda-Runtime-Invoked-Function-Arn", event.invoked_function_arn),
        ("Lambda-Runtime-Trace-Id", event.trace_id),
        ("Lambda-Runtime-Client-Context", event.client_context),
        ("Lambda-Runtime-Cognito-Identity", event.cognito_identity),
        ("Lambda-Runtime-Aws-Tenant-Id", event.tenant_id),
    )
    return Reply(200, event.payload, JSON, headers).render()
