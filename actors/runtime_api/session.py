"""The contract between the Runtime API's listener and whoever runs an execution environment."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from relambda.actors.telemetry.subscription import Subscription

ShutdownReason: TypeAlias = Literal["spindown", "timeout", "failure"]


@dataclass(frozen=True, slots=True)
class RuntimeEvent:
    """One invocation as the runtime gets it from `/runtime/invocation/next` (runtime_apis.tsv, row `next`)."""

    request_id: str
    payload: bytes
    invoked_function_arn: str
    trace_id: str = ""
    client_context: str = ""
    """Raw JSON, already base64-decoded."""
    cognito_identity: str = ""
    tenant_id: str = ""


@dataclass(frozen=True, slots=True)
class RuntimeFailure:
    """An error as the runtime reported it: the JSON body passed through unchanged, and the type from its header."""

    body: bytes
    error_type: str = ""
    cause: str = ""
    """What the runtime says of it for X-Ray, as JSON."""


class SessionListener(Protocol):
    """Hears what a runtime says; called on the Runtime API's thread for that runtime, so it must not block."""

    def on_next(self) -> None:
        """The runtime asks for work: the first time its init is over, later its last invocation is."""
        ...

    def on_delivery(self, request_id: str) -> int | None:
        """A runtime that asks is about to be given its invocation: the deadline, in milliseconds since the epoch.

        None when nobody wants it any more: then it is forgotten. Called once, on the thread of `assign`, `release` or
        the runtime's own connection.
        """
        ...

    def on_response(self, request_id: str, payload: bytes) -> None:
        """The runtime answered the invocation."""
        ...

    def on_error(self, request_id: str, failure: RuntimeFailure) -> None:
        """The runtime answered the invocation with an error."""
        ...

    def on_init_error(self, failure: RuntimeFailure) -> None:
        """The runtime could not initialise; it will exit."""
        ...


class Session(Protocol):
    """One execution environment's conversation with its runtime, told apart by a secret host name.

    Every method may be called from any thread and returns at once. The caller must hold no lock that its
    listener takes.
    """

    def assign(self, event: RuntimeEvent) -> None:
        """Give the runtime its next invocation: now if it waits in `/next`, else when it asks. One at a time.

        It takes the place of one that no runtime has been given. Raises RuntimeError while an earlier one is not
        answered; does nothing on a closed session.
        """
        ...

    def hold(self, mark: str) -> None:
        """Give the runtime nothing until `release` of this mark, or `reset`."""
        ...

    def release(self, mark: str) -> None:
        """Give it what has been held back for this mark; any other one changes nothing."""
        ...

    def reset(self) -> None:
        """Forget the runtime that was (it was killed or exited), and the invocation that was assigned for it.

        Its connections are cut, a parked `/next` of it gets nothing any more, and once this has returned its listener
        hears no more of it.
        """
        ...

    def close(self) -> None:
        """End the conversation: whatever comes under this host name from now on is refused."""
        ...


@dataclass(frozen=True, slots=True)
class ExecutionEnvironment:
    """What an execution environment tells its extensions, and its runtime through the metadata endpoint."""

    function_name: str
    function_version: str
    handler: str
    account_id: str
    metadata_token: str
    """The value of AWS_LAMBDA_METADATA_TOKEN in the container."""
    availability_zone_id: str = "use1-az1"
    snap_start: bool = False
    """Whether `/runtime/restore/next` and `/runtime/restore/error` are there."""


@dataclass(frozen=True, slots=True)
class ExtensionInfo:
    """An extension as `platform.extension` and the EXTENSION line of the log tell of it."""

    name: str
    external: bool
    events: tuple[str, ...]
    state: str
    error_type: str


class Subscriptions(Protocol):
    """Takes in the telemetry subscriptions of one environment's extensions. Any thread may call; nothing blocks."""

    def subscribe(self, subscription: Subscription) -> None:
        """Begin to deliver. Raises SubscriptionsClosedError after `close_subscriptions`."""
        ...

    def close_subscriptions(self) -> None:
        """The init is over: take in no more, and keep no early events for those to come."""
        ...

    def reopen(self) -> None:
        """The extensions are no more: forget all subscriptions; new ones may come."""
        ...


class EnvironmentListener(SessionListener, Protocol):
    """Hears what a runtime and its extensions say, under the rules of SessionListener."""

    def on_idle(self) -> None:
        """The init is over, or the invocation is: the next one may be assigned.

        Called once for each: with extensions when they and the runtime wait for work; without, when the runtime has
        asked for its first invocation, and when it has answered one.
        """
        ...

    def on_answer_begins(self) -> None:
        """The first byte of an answer is here; told only where there are extensions."""
        ...

    def on_extensions_registered(self) -> None:
        """All extensions that were expected have registered themselves: the runtime may start."""
        ...

    def on_extension_error(self, name: str, phase: str, failure: RuntimeFailure) -> None:
        """An extension could not initialise (phase "init"), or is about to exit with an error (phase "exit")."""
        ...

    def on_subscribed(self, subscription: Subscription) -> None:
        """An extension has subscribed to telemetry, which is delivered to it from now on."""
        ...

    def on_restore_ready(self) -> None:
        """The runtime has initialised and waits to be restored: its snapshot may be taken."""
        ...

    def on_restore_error(self, failure: RuntimeFailure) -> None:
        """The runtime's hooks failed after its restore; it will exit."""
        ...


class EnvironmentSession(Session, Protocol):
    """A session with extensions. An event that is assigned before all wait for one is kept until they do.

    `reset` forgets the extensions with the runtime.
    """

    def expect_extensions(self, names: Iterable[str]) -> None:
        """External extensions of these file names start now; whoever else registers is internal.

        Call it after `open_environment` or `reset`, before they start. Without names the runtime may start at once.
        Raises ValueError for more than ten.
        """
        ...

    @property
    def extended(self) -> bool:
        """Whether there are extensions: an invocation ends later than with its answer."""
        ...

    def extensions(self) -> tuple[ExtensionInfo, ...]:
        """All extensions, and where they are."""
        ...

    def did_not_launch(self, name: str, error_type: str) -> None:
        """The file of an external extension could not be executed, for the reason that its line of the log tells."""
        ...

    def shutdown(self, reason: ShutdownReason, deadline_ms: int) -> tuple[str, ...]:
        """Send SHUTDOWN to the extensions that want it, when they ask; their names.

        They exit then, which their container tells; at the deadline, in milliseconds since the epoch, they are killed.
        """
        ...

    def restore(self) -> None:
        """Let a runtime that waits to be restored go on; `on_idle` follows. Raises RuntimeError if none waits."""
        ...
