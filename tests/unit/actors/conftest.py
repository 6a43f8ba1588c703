"""Actors whose time goes on when the test says so, over a store in memory."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, cast

import pytest

from relambda.actors.clock import Scheduler, Timer
from relambda.actors.room import Options, Room
from relambda.actors.system import ActorStart, ActorSystem
from relambda.store.memory import MemoryStore

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


class Idle:
    """Concurrency of which nothing is used."""

    def wait_idle(self, timeout: float) -> bool:
        return timeout > 0


@pytest.fixture
def system_over() -> Callable[..., tuple[Time, ActorSystem]]:
    """Makes a system of actors over a store, and the time it lives in."""

    def making(
        store: MemoryStore, starts: Mapping[str, ActorStart], options: Options, **more: Any
    ) -> tuple[Time, ActorSystem]:
        time = Time()
        scheduler = cast("Scheduler", time)
        system = ActorSystem(starts, time, scheduler)
        absent: Any = None
        there = {
            "store": store,
            "concurrency": Idle(),
            "clock": time,
            "scheduler": scheduler,
            "post": system,
            "options": options,
            "new_id": lambda: "id",
        }
        system.open(Room(**{**dict.fromkeys((each.name for each in fields(Room)), absent), **there, **more}))
        return time, system

    return making
