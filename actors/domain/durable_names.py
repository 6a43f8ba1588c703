"""Names around durable executions: ARNs, the streams of executions, checkpoint tokens, callback ids.

An execution's name is unique within its function (API reference, DurableExecutionAlreadyStartedException), so function
and name are the name of its stream: two starts of one name meet in one actor. Tokens and callback ids are opaque to
callers; they are made from what they stand for, so nothing has to be kept to read them.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass

from relambda.actors.domain.names import ResourceName, Scope, function_name

KIND = "durable"
_ARN = re.compile(
    r"arn:[\w-]+:lambda:(?P<region>[\w-]+):(?P<account>\d{12}):function:(?P<function>[\w-]+):(?P<version>[$.\w]+)"
    r"/durable-execution/(?P<name>[\w-]+)/(?P<id>[\w-]+)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution: the stream it is in, and its own id, as a name may be used again after its retention."""

    resource: ResourceName
    version: str
    id: str

    @property
    def arn(self) -> str:
        """Its ARN."""
        function, name = names_of(self.resource)
        owner = function_name(self.resource.scope, function)
        return f"{owner.arn(self.version)}/durable-execution/{name}/{self.id}"


def execution_stream(scope: Scope, function: str, name: str) -> ResourceName:
    """The identity of the stream of a function's execution of a name."""
    return ResourceName(KIND, scope.account, scope.region, f"{function}/{name}")


def names_of(resource: ResourceName) -> tuple[str, str]:
    """The function's and the execution's name."""
    function, _, name = resource.name.partition("/")
    return function, name


def read_arn(arn: str) -> Execution | None:
    """The execution that an ARN means; None when it is none."""
    found = _ARN.fullmatch(arn)
    if found is None:
        return None
    resource = execution_stream(Scope(found["account"], found["region"]), found["function"], found["name"])
    return Execution(resource, found["version"], found["id"])


def token_of(execution_id: str, sequence: int) -> str:
    """The token that the next checkpoint must bring, `sequence` being how many there were."""
    return _encoded(f"{execution_id}/{sequence}")


def sequence_of(token: str, execution_id: str) -> int | None:
    """How many checkpoints there were before the one that brings a token; None when it is not this execution's."""
    owner, _, sequence = _decoded(token).rpartition("/")
    return int(sequence) if owner == execution_id and sequence.isascii() and sequence.isdecimal() else None


def callback_id(resource: ResourceName, execution_id: str, operation_id: str) -> str:
    """The id under which others answer a callback."""
    return _encoded(f"{resource.key}/{execution_id}/{operation_id}")


@dataclass(frozen=True, slots=True)
class CallbackName:
    """What a callback id stands for."""

    resource: ResourceName
    execution_id: str
    operation_id: str


def read_callback_id(text: str) -> CallbackName | None:
    """What a callback id stands for; None when it is none."""
    parts = _decoded(text).split("/")
    if len(parts) != 6:
        return None
    account, region, function, name, execution_id, operation_id = parts
    return CallbackName(execution_stream(Scope(account, region), function, name), execution_id, operation_id)


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    try:
        return b64decode(text, validate=True).decode()
    except ValueError:
        return ""
