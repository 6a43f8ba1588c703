"""Actors of streams: started when needed, started again by replay when they fail, let go when idle."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pykka
import pytest

from relambda.actors import codec, system
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

    time: Any
    store: MemoryStore
    system: ActorSystem

    def who(self) -> tuple[EntityActor[Any], CodeSigningState]:
        """The stream's actor and its state."""
        message = Tell()
        self.system.tell(NAME.stream, message)
        return message.answer.result(SECONDS)


@pytest.fixture
def world(system_over: Any) -> Callable[[MemoryStore, Options], World]:
    """Makes systems over stores."""

    def making(store: MemoryStore, options: Options) -> World:
        time, system = system_over(store, {NAME.kind: start}, options)
        return World(time, store, system)

    return making


@pytest.fixture
def here(world: Callable[[MemoryStore, Options], World]) -> Iterator[World]:
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


def test_many_idle_actors_go_soon(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given more actors than may wait at leisure, then an idle one is gone within seconds, and a message starts it."""
    monkeypatch.setattr(system, "MOST_AT_LEISURE", -1)
    here.system.ask(create())
    before, _ = here.who()
    for _ in range(2):
        here.time.armed()
        here.time.advance(1.0)
    assert before.actor_stopped.wait(SECONDS)

    after, state = here.who()
    assert after is not before
    assert state.config is not None


def test_checkpoints_and_events_make_the_same_state(world: Callable[[MemoryStore, Options], World]) -> None:
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


def test_a_stopped_system_takes_nothing(world: Callable[[MemoryStore, Options], World]) -> None:
    """Given a system that was stopped, when a command comes, then it is refused and leaves no trace."""
    here = world(MemoryStore(codec.event_types()), Options())
    here.system.ask(create())
    head = here.store.head()
    here.system.stop(1.0)

    with pytest.raises(Refusal, match="stopping"):
        here.system.ask(DeleteCodeSigningConfig(resource=NAME, at_ms=3, used=False))
    assert here.store.head() == head
