"""What every actor of a cloud works with, in one place, and the way from one actor to another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from relambda.actors.clock import Clock, Scheduler
from relambda.actors.concurrency import Concurrency
from relambda.actors.engine.contract import Engine
from relambda.actors.environments.debugging import Debugging
from relambda.actors.environments.variables import Surroundings
from relambda.actors.hot_reload.hot_reload import HotReload
from relambda.actors.logs.writer import LogWriter
from relambda.actors.packages.packages import Packages
from relambda.actors.packages.sweeper import TreeSweeper
from relambda.actors.preparation import Preparation
from relambda.actors.runtime_api.listener import RuntimeApi
from relambda.actors.traces.sink import TraceSink
from relambda.store.blobs import Blobs
from relambda.store.interface import Store


class Post(Protocol):
    """Delivers messages to the actors of streams, which it starts when they are first told something."""

    def tell(self, stream: str, message: object) -> None:
        """Put a message into the inbox of a stream's actor; any thread."""
        ...

    def crowded(self) -> bool:
        """Whether so many actors live that those with nothing to do should go soon."""
        ...

    def retire(self, stream: str) -> bool:
        """Called by a stream's actor that wants to stop: True, and it is forgotten, when its inbox is empty."""
        ...

    def failed(self, stream: str, error: BaseException, take_inbox: Callable[[], Sequence[object]]) -> None:
        """Called by a stream's actor that failed, on its thread: what is in its inbox goes to its successor."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may set about functions and their instances; times in seconds."""

    keepalive: float = 600.0
    environment_timeout: float = 20.0
    passivate_after: float = 300.0
    state_transition: float = 0.0
    retry_base_delay: float = 60.0
    append_timeout: float = 30.0
    checkpoint_every: int = 100


@dataclass(frozen=True, slots=True)
class Room:
    """The collaborators of actors. All of them may be used from any thread."""

    store: Store
    blobs: Blobs
    packages: Packages
    trees: TreeSweeper
    engine: Engine
    runtime_api: RuntimeApi
    concurrency: Concurrency
    preparation: Preparation
    hot_reload: HotReload
    debugging: Debugging
    surroundings: Surroundings
    logs: LogWriter
    traces: TraceSink
    clock: Clock
    scheduler: Scheduler
    post: Post
    options: Options
    new_id: Callable[[], str]
