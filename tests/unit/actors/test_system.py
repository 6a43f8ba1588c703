"""Actors of streams: started when needed, started again by replay when they fail, let go when idle."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, cast

import pykka
import pytest

from relambda.actors import codec
from relambda.actors.clock import Scheduler, Timer
from relambda.actors.domain.code_signing import (
    CodeSigningState,
    CreateCodeSigningConfig,
    DeleteCodeSigningConfig,
    UpdateCodeSigningConfig,
    code_signing,
)
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal
from relambda.actors.entity import EntityActor
from relambda.actors.messages import Ask
from relambda.actors.room import Options, Room
from relambda.actors.system import ActorSystem
from relambda.store.memory import MemoryStore

NAME = ResourceName("code-signing-config", "111111111111", "us-east-1", "csc-00000000000000001")
SECONDS = 10.0


class Time:
    """A clock and a scheduler that go on when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._due: list[tuple[float, Timer]] = []
        self._changed = threading.Condition()

    def now_ms(self) -> int:
        return int(self.now * 1000)

    def monotonic(self) -> float:
        return self.now

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        timer = Timer(action, lambda: None)
        with self._changed:
            self._due.append((self.now + seconds, timer))
            self._changed.notify_all()
        return timer

    def restart_in(self) -> float:
        """How far off an actor's restart is, once there is one to come; nothing else is due within a minute."""

        def soon() -> list[float]:
            return [at - self.now for at, _ in self._due if at - self.now < 60]

        with self._changed:
            assert self._changed.wait_for(soon, SECONDS)
            return soon()[0]

    def armed(self) -> None:
        """Wait until there is a call to come."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._due, SECONDS)

    def advance(self, seconds: float) -> None:
        """Let time pass, and make the calls that are due by then."""
        self.now += seconds
        with self._changed:
            ready = [timer for at, timer in self._due if at <= self.now]
            self._due = [(at, timer) for at, timer in self._due if at > self.now]
        for timer in ready:
            if timer.action is not None:
                timer.action()


@dataclass(frozen=True, slots=True)
class Break:
    """Makes the actor fail once `first` lets it."""

    first: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Tell:
    """Asks the actor for itself and its state."""

    answer: "Future[tuple[EntityActor[Any], CodeSigningState]]" = field(default_factory=Future)


class FragileActor(EntityActor[CodeSigningState]):
    """An actor that can be broken."""

    def receive(self, message: object) -> None:
        match message:
            case Break(first):
                assert first.wait(SECONDS)
                raise RuntimeError("broken by the test")
            case Tell(answer):
                answer.set_result((self, self.state))
            case _:
                super().receive(message)


def start(resource: ResourceName, room: Room) -> "pykka.ActorRef[Any]":
    """Start the actor of a stream."""
    return FragileActor.start(resource, code_signing, room)


@dataclass(slots=True)
class World:
    """A system of actors over a store in memory, whose time is the test's."""

    time: Time
    store: MemoryStore
    system: ActorSystem

    def who(self) -> tuple[EntityActor[Any], CodeSigningState]:
        """The stream's actor and its state."""
        message = Tell()
        self.system.tell(NAME.stream, message)
        return message.answer.result(SECONDS)


def world(store: MemoryStore, options: Options) -> World:
    """A system over a store."""
    time = Time()
    scheduler = cast("Scheduler", time)
    system = ActorSystem({NAME.kind: start}, time, scheduler)
    absent: Any = None
    names = ("blobs", "packages", "engine", "runtime_api", "preparation", "hot_reload", "surroundings", "logs")
    others = dict.fromkeys(names, absent)
    concurrency: Any = Idle()
    system.open(
        Room(
            store=store,
            concurrency=concurrency,
            clock=time,
            scheduler=scheduler,
            post=system,
            options=options,
            new_id=lambda: "id",
            **others,
        )
    )
    return World(time, store, system)


class Idle:
    """Concurrency of which nothing is used."""

    def wait_idle(self, timeout: float) -> bool:
        return timeout > 0


@pytest.fixture
def here() -> Iterator[World]:
    """A system over an empty store."""
    made = world(MemoryStore(codec.event_types()), Options(checkpoint_every=3))
    yield made
    made.system.stop(1.0)


def create(description: str = "first") -> CreateCodeSigningConfig:
    """Create the configuration."""
    return CreateCodeSigningConfig(resource=NAME, at_ms=1, config={"Description": description}, tags={})


def update(description: str) -> UpdateCodeSigningConfig:
    """Change its description."""
    return UpdateCodeSigningConfig(resource=NAME, at_ms=2, changes={"Description": description})


def test_a_refusal_keeps_the_actor(here: World) -> None:
    """Given an actor, when it refuses a command, then it is the same actor, and the log is as it was."""
    here.system.ask(create())
    before, head = here.who()[0], here.store.head()
    with pytest.raises(Refusal):
        here.system.ask(create())

    assert here.who()[0] is before
    assert here.store.head() == head


def test_a_failed_actor_is_started_again_by_replay(here: World) -> None:
    """Given an actor that fails, then its successor has the state of the log, and what was in the inbox is done."""
    here.system.ask(create())
    before, _ = here.who()
    breaking = Break()
    here.system.tell(NAME.stream, breaking)
    queued = Tell()
    here.system.tell(NAME.stream, queued)
    breaking.first.set()
    here.time.advance(here.time.restart_in())
    after, state = queued.answer.result(SECONDS)

    assert after is not before
    assert state.config is not None
    assert state.config["Description"] == "first"


def test_restarts_take_longer_and_end(here: World) -> None:
    """Given an actor that fails again and again, then restarts wait longer; past the fifth what waits is refused."""
    here.system.ask(create())
    waited = []
    for _ in range(5):
        here.who()
        here.system.tell(NAME.stream, broken())
        waited.append(here.time.restart_in())
        here.time.advance(waited[-1])
    here.who()
    breaking, command = Break(), Ask(update("never"))
    here.system.tell(NAME.stream, breaking)
    here.system.tell(NAME.stream, command)
    breaking.first.set()

    assert waited == [pytest.approx(delay) for delay in (0.0, 0.1, 0.2, 0.4, 0.8)]
    with pytest.raises(Refusal, match="broken by the test"):
        command.reply.result(SECONDS)
    assert here.who()[1].config is not None, "a later message starts it anew"


def broken() -> Break:
    """Makes the actor fail at once."""
    message = Break()
    message.first.set()
    return message


def test_an_idle_actor_is_let_go(here: World) -> None:
    """Given an actor that nothing has come for, when the time is over, then it is gone, and a message starts it."""
    here.system.ask(create())
    before, _ = here.who()
    here.time.advance(301.0)
    here.time.armed()
    here.time.advance(301.0)
    assert before.actor_stopped.wait(SECONDS)
    assert here.system.count() == 0

    after, state = here.who()
    assert after is not before
    assert state.config is not None


def test_checkpoints_and_events_make_the_same_state() -> None:
    """Given a state that is partly in a checkpoint, when it is folded anew, then it is the state that was acted on."""
    store = MemoryStore(codec.event_types())
    first = world(store, Options(checkpoint_every=3))
    first.system.ask(create())
    for number in range(7):
        first.system.ask(update(f"number {number}"))
    _, acted_on = first.who()
    first.system.stop(1.0)

    second = world(store, Options(checkpoint_every=3))
    _, folded = second.who()
    second.system.stop(1.0)
    assert folded == acted_on


def test_a_stopped_system_takes_nothing() -> None:
    """Given a system that was stopped, when a command comes, then it is refused and leaves no trace."""
    here = world(MemoryStore(codec.event_types()), Options())
    here.system.ask(create())
    head = here.store.head()
    here.system.stop(1.0)

    with pytest.raises(Refusal, match="stopping"):
        here.system.ask(DeleteCodeSigningConfig(resource=NAME, at_ms=3, used=False))
    assert here.store.head() == head
