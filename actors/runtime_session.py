"""The contract between the Runtime API's listener and whoever runs an execution environment."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RuntimeEvent:
    """One invocation as the runtime gets it from `/runtime/invocation/next` (runtime_apis.tsv, row `next`)."""

    request_id: str
    payload: bytes
    deadline_ms: int
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


class SessionListener(Protocol):
    """Hears what a runtime says; called on the Runtime API's thread for that runtime, so it must not block."""

    def on_next(self) -> None:
        """The runtime asks for work: the first time its init is over, later its last invocation is."""
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

        Raises RuntimeError while an earlier one is not answered; does nothing on a closed session.
        """
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
