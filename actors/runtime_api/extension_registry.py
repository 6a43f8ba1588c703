"""Which extensions an execution environment has, and what each may do when; pure, for its session's lock to guard.

The refusals are those of the Extensions API 2020-01-01 (runtime_apis.tsv; AWS: "Using the Lambda Extensions API").
"""

import json
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from relambda.actors.runtime_api.reply import RefusalError
from relambda.actors.runtime_api.session import RuntimeEvent

MAX_EXTENSIONS: Final = 10
MAX_NAME_CHARACTERS: Final = 255
INVOKE: Final = "INVOKE"
SHUTDOWN: Final = "SHUTDOWN"


class ExtensionState(Enum):
    """Where an extension is, by the names that its refusals tell."""

    STARTED = "Started"
    REGISTERED = "Registered"
    READY = "Ready"
    RUNNING = "Running"
    LAUNCH_ERROR = "LaunchError"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"


_FAILED: Final = frozenset({ExtensionState.LAUNCH_ERROR, ExtensionState.INIT_ERROR, ExtensionState.EXIT_ERROR})


@dataclass(slots=True, eq=False)
class Extension:
    """One extension: external ones are processes of their own, internal ones threads of the runtime's."""

    name: str
    external: bool
    id: str = ""
    events: tuple[str, ...] = ()
    """The kinds that it wants: INVOKE, SHUTDOWN."""
    state: ExtensionState = ExtensionState.STARTED
    error_type: str = ""
    waiting: deque[bytes] = field(default_factory=deque)
    """Documents of events that it has not been given: an INVOKE and a SHUTDOWN at most."""


class Registry:
    """The extensions of one environment, between its start and its reset."""

    def __init__(self, new_id: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        self._new_id = new_id
        self._by_name: dict[str, Extension] = {}
        self._by_id: dict[str, Extension] = {}
        self.closed = False
        """Whether registration is over, because the runtime's init is."""

    def expect(self, names: Iterable[str]) -> None:
        """External extensions of these names are started now. Raises ValueError for more than ten."""
        expected = {name: Extension(name, external=True) for name in names}
        if len(expected) > MAX_EXTENSIONS:
            raise ValueError(f"an environment may have {MAX_EXTENSIONS} extensions, and {len(expected)} were found")
        self._by_name.update(expected)

    def register(self, name: str, events: Sequence[Any]) -> Extension:
        """An extension registers itself; one that was not expected is internal. Raises RefusalError."""
        if not name or len(name) > MAX_NAME_CHARACTERS:
            raise forbidden("InvalidExtensionName", "Empty extension name" if not name else "Extension name too long")
        if self.closed:
            raise forbidden("RegistrationClosed", "Extension registration closed already")
        extension = self._by_name.get(name) or Extension(name, external=False)
        _check_events(extension, events)
        if extension.state is not ExtensionState.STARTED:
            raise _bad_transition(extension, ExtensionState.REGISTERED)
        if name not in self._by_name and len(self._by_name) >= MAX_EXTENSIONS:
            raise forbidden("TooManyExtensions", f"Extension limit ({MAX_EXTENSIONS}) reached")
        extension.id, extension.events = self._new_id(), tuple(dict.fromkeys(events))
        extension.state = ExtensionState.REGISTERED
        self._by_name[name] = self._by_id[extension.id] = extension
        return extension

    def find(self, identifier: str) -> Extension:
        """The extension that a request's identifier names. Raises RefusalError."""
        if not identifier:
            raise forbidden("MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
        try:
            name = str(uuid.UUID(identifier))
        except ValueError:
            raise forbidden("InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier") from None
        if (extension := self._by_id.get(name)) is None:
            raise forbidden("UnknownExtensionIdentifier", f"Unknown extension {name}")
        return extension

    def ask(self, extension: Extension) -> None:
        """The extension is done with its last event and wants the next. Raises RefusalError."""
        if extension.state in _FAILED:
            raise _bad_transition(extension, ExtensionState.READY)
        extension.state = ExtensionState.READY

    def fail(self, extension: Extension, state: ExtensionState, error_type: str) -> None:
        """The extension reports an error of its init, or before its exit. Raises RefusalError."""
        if extension.state in _FAILED or (
            state is ExtensionState.INIT_ERROR and extension.state is not ExtensionState.REGISTERED
        ):
            raise _bad_transition(extension, state)
        extension.state, extension.error_type = state, error_type
        extension.waiting.clear()

    def did_not_launch(self, name: str, error_type: str) -> None:
        """The file of an expected extension could not be executed."""
        if (extension := self._by_name.get(name)) is not None:
            extension.state, extension.error_type = ExtensionState.LAUNCH_ERROR, error_type

    def post(self, kind: str, document: bytes) -> list[Extension]:
        """Let all who want events of a kind have one; those extensions."""
        wanting = [one for one in self._by_id.values() if kind in one.events and one.state not in _FAILED]
        for extension in wanting:
            extension.waiting.append(document)
        return wanting

    def take(self, extension: Extension) -> None:
        """An extension that is ready was given the first event that waits for it; it is busy from now on."""
        extension.waiting.popleft()
        extension.state = ExtensionState.RUNNING

    @property
    def empty(self) -> bool:
        """Whether there are no extensions, nor any that are expected."""
        return not self._by_name

    @property
    def all_registered(self) -> bool:
        """Whether every extension that was expected has registered itself."""
        return all(extension.state is not ExtensionState.STARTED for extension in self._by_name.values())

    @property
    def idle(self) -> bool:
        """Whether every extension that has not failed waits for an event, and none is left to be given."""
        return all(
            one.state in _FAILED or (one.state is ExtensionState.READY and not one.waiting)
            for one in self._by_name.values()
        )

    def extensions(self) -> tuple[Extension, ...]:
        """All of them, those expected first."""
        return tuple(self._by_name.values())


def forbidden(kind: str, message: str) -> RefusalError:
    """What the Extensions API says to whoever does something out of turn."""
    return RefusalError(403, f"Extension.{kind}", message)


def invoke_document(event: RuntimeEvent, deadline_ms: int) -> bytes:
    """An INVOKE event as an extension reads it (AWS: "Invoke phase")."""
    document: dict[str, Any] = {
        "eventType": INVOKE,
        "deadlineMs": deadline_ms,
        "requestId": event.request_id,
        "invokedFunctionArn": event.invoked_function_arn,
        "tracing": {"type": "X-Amzn-Trace-Id", "value": event.trace_id},
    }
    if event.tenant_id:
        document["tenantId"] = event.tenant_id
    return json.dumps(document, separators=(",", ":")).encode()


def shutdown_document(reason: str, deadline_ms: int) -> bytes:
    """A SHUTDOWN event as an extension reads it (AWS: "Shutdown phase")."""
    document = {"eventType": SHUTDOWN, "shutdownReason": reason, "deadlineMs": deadline_ms}
    return json.dumps(document, separators=(",", ":")).encode()


def _check_events(extension: Extension, events: Sequence[Any]) -> None:
    for event in events:
        if event not in (INVOKE, SHUTDOWN):
            raise forbidden("InvalidEventType", f"Invalid event type: {str(event)[:80]}")
        if event == SHUTDOWN and not extension.external:
            raise forbidden("InvalidEventType", "ShutdownEventNotSupportedForInternalExtension")


def _bad_transition(extension: Extension, wanted: ExtensionState) -> RefusalError:
    step = f"State transition from {extension.state.value} to {wanted.value} failed for extension {extension.name}"
    return forbidden("InvalidExtensionState", f"{step}. Error: State transition is not allowed")
