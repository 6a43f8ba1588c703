"""What an instance's actor hears: from its function, from timers, and from what goes on in its container."""

import enum
from dataclasses import dataclass

from relambda.actors.environments.shutdown import Shutdown, Step
from relambda.actors.runtime_api.session import RuntimeEvent


@dataclass(frozen=True, slots=True)
class Start:
    """Start the container, the extensions and the runtime in it."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Start the processes anew, inside an invocation: this one."""

    event: RuntimeEvent


@dataclass(frozen=True, slots=True)
class Reload:
    """Start the processes anew, in their container, since their code has changed."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Shut down, destroy the container, and end."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The invocation has run for longer than the function's timeout."""

    request_id: str


@dataclass(frozen=True, slots=True)
class RestoreTimedOut:
    """The invocation has waited for the runtime's restore for as long as that may take."""

    request_id: str


@dataclass(frozen=True, slots=True)
class InitTimedOut:
    """The processes of that many starts do not ask for work in time."""

    starts: int


@dataclass(frozen=True, slots=True)
class StartSilent:
    """The container should have answered that many starts by now."""

    starts: int


@dataclass(frozen=True, slots=True)
class ExtensionOverdue:
    """An extension of that many starts has reported an error, and should have ended since."""

    name: str
    starts: int


@dataclass(frozen=True, slots=True)
class ShutdownLate:
    """A step of the shutdown has taken its while."""

    shutdown: Shutdown
    step: Step


class Said(enum.Enum):
    """What the instance's actor hears from its container."""

    RUNTIME_EXITED = enum.auto()
    KILLED = enum.auto()
    SANDBOX_EXITED = enum.auto()
    EXTENSIONS_TOLD = enum.auto()
    EXTENSIONS_REGISTERED = enum.auto()


@dataclass(frozen=True, slots=True)
class MarkWanted:
    """Something waits for a mark behind all output so far."""

    mark: str


@dataclass(frozen=True, slots=True)
class ExtensionGone:
    """An extension has ended; the code as a shell tells it."""

    name: str
    code: int


@dataclass(frozen=True, slots=True)
class ExtensionFailed:
    """An extension has reported an error; it ends next."""

    name: str
    error_type: str
