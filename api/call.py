"""One request to an operation, as a resource gets it, and the table of which function answers which operation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from relambda.actors.domain.names import ResourceName, Scope, function_name
from relambda.api.wire.names import resolve_function
from relambda.api.wire.response import Response
from relambda.api.wire.signature import Caller

if TYPE_CHECKING:
    from relambda.api.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Call:
    """A parsed and validated request. `given` is by the model's member names."""

    cloud: "Cloud"
    given: dict[str, Any]
    caller: Caller
    request_id: str
    base_url: str
    """Scheme, host and port of URLs to answer: those by which the caller reached the cloud, or LOCALSTACK_HOST's."""
    trace_id: str = ""

    @property
    def scope(self) -> Scope:
        """Whose resources the caller sees."""
        return Scope(self.caller.account, self.caller.region)

    def function(self) -> tuple[ResourceName, str | None]:
        """The function that `FunctionName` means, and the qualifier of it or of `Qualifier`. Raises ServiceError."""
        found = resolve_function(self.given["FunctionName"], self.caller, self.given.get("Qualifier"))
        return function_name(self.scope, found.name), found.qualifier

    def now_ms(self) -> int:
        """The time to put into a command."""
        return self.cloud.clock.now_ms()


Output: TypeAlias = "dict[str, Any] | Response | None"
Handler: TypeAlias = Callable[[Call], Output]

HANDLERS: dict[tuple[str, str], Handler] = {}
"""By service and operation: TagResource is an operation of several."""


def operation(name: str, service: str = "lambda") -> Callable[[Handler], Handler]:
    """Register the function that answers an operation of a service's model."""

    def register(handler: Handler) -> Handler:
        HANDLERS[service, name] = handler
        return handler

    return register
