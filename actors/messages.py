"""What actors tell each other: immutable, and named for what happened or is asked."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from relambda.actors.domain.decider import Command
from relambda.actors.domain.version import Status
from relambda.actors.environments.failures import Failure
from relambda.actors.invocation import Invocation

if TYPE_CHECKING:
    from relambda.actors.environments.instance import Instance


@dataclass(frozen=True, slots=True)
class Ask:
    """A command, and the future that gets the state it leads to, or its refusal."""

    command: Command
    reply: "Future[Any]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class AwaitEnd:
    """A caller waits for the end of a durable execution; the future gets its state then, or why there is none."""

    execution_id: str
    reply: "Future[Any]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Wake:
    """Start, and go on with whatever was left unfinished."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The preparation of a version's revision ended; `failure` says why when it failed."""

    version: str
    revision_id: str
    failure: Status | None
    resolved_image_uri: str = ""


@dataclass(frozen=True, slots=True)
class Invoke:
    """Run an invocation."""

    invocation: Invocation


@dataclass(frozen=True, slots=True)
class InstanceIdle:
    """An instance can take an invocation: its first, or the next one."""

    instance: "Instance"


@dataclass(frozen=True, slots=True)
class InstanceResets:
    """An instance's processes are ended in its container: `InstanceIdle` or `InstanceGone` comes next."""

    instance: "Instance"


@dataclass(frozen=True, slots=True)
class Undelivered:
    """An invocation was given to an instance whose runtime went, or never came back, before it took it."""

    invocation: Invocation


@dataclass(frozen=True, slots=True)
class InstanceGone:
    """An instance and its container are no more; `failure` tells why it never became ready, if it did not."""

    instance: "Instance"
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class CodeChanged:
    """A folder that an instance's code is holds something else than its runtime loaded (hot reload)."""

    instance: "Instance"


@dataclass(frozen=True, slots=True)
class Reap:
    """An instance has been idle for the keep-alive time, unless it has worked since: `served` tells."""

    instance: "Instance"
    served: int


@dataclass(frozen=True, slots=True)
class Passivate:
    """Nothing has come for a while: stop if nothing is under way."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Stop all instances; the future is done when they are gone."""

    done: "Future[None]" = field(default_factory=Future)
