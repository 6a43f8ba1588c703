"""The actors of a cloud: started when first needed, started again when they fail, stopped together."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pykka

from relambda.actors.clock import Clock, Scheduler
from relambda.actors.domain.decider import Command
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal
from relambda.actors.invocation import Invocation, Ticket
from relambda.actors.messages import Ask, AwaitEnd, Drain, Invoke, Wake
from relambda.actors.room import Room
from relambda.actors.supervision import Budget

_log = logging.getLogger(__name__)
MOST_AT_LEISURE = 1_000
"""Actors that may wait for their next message at leisure; each is a thread, and thousands slow every request down."""
_END_SECONDS = 5.0
"""How long instances may take to end, all together."""
ActorStart: TypeAlias = "Callable[[ResourceName, Room], pykka.ActorRef[Any]]"


@dataclass(slots=True)
class _Resident:
    """A stream's actor, or, while it waits to be started again, what has come for it."""

    reference: "pykka.ActorRef[Any] | None"
    budget: Budget
    waiting: list[object] = field(default_factory=list)

    def refuse(self, refusal: Refusal) -> None:
        """Refuse what waits."""
        waiting, self.waiting = self.waiting, []
        for message in waiting:
            _refuse(message, refusal)

    def deliver(self, message: object) -> None:
        """Into the actor's inbox, or to what waits for its successor."""
        try:
            if self.reference is not None:
                self.reference.tell(message)
                return
        except pykka.ActorDeadError:
            self.reference = None  # it has failed and is about to say so
        self.waiting.append(message)


class ActorSystem:
    """Finds the actor of a stream, and supervises it. `open` is called once, by who builds the room."""

    def __init__(self, starts: Mapping[str, ActorStart], clock: Clock, scheduler: Scheduler) -> None:
        self._starts, self._clock, self._scheduler = starts, clock, scheduler
        self._lock = threading.Lock()
        self._residents: dict[str, _Resident] = {}
        self._closed = False
        self._room: Room | None = None

    def open(self, room: Room) -> None:
        """Let actors work in a room from now on, and wake those that have left something unfinished."""
        self._room = room
        for stream, _ in room.store.rows("unfinished", limit=1_000_000):
            self.tell(stream, Wake())

    def ask(self, command: Command, timeout: float = 35.0) -> Any:
        """Send a command, and wait for the state it leads to. Raises Refusal."""
        message = Ask(command)
        self.tell(command.resource.stream, message)
        try:
            return message.reply.result(timeout)
        except TimeoutError:
            raise Refusal("ServiceException", f"No answer within {timeout:.0f} s; see the cloud's log.") from None

    def invoke(self, resource: ResourceName, invocation: Invocation) -> Ticket:
        """Send an invocation; the ticket is where its outcome, or refusal, comes."""
        self.tell(resource.stream, Invoke(invocation))
        return invocation.ticket

    def await_end(self, execution: ResourceName, execution_id: str, seconds: float) -> Any:
        """Wait for the end of a durable execution; its state. Raises Refusal, TimeoutError."""
        message = AwaitEnd(execution_id)
        self.tell(execution.stream, message)
        return message.reply.result(seconds)

    def tell(self, stream: str, message: object) -> None:
        """Put a message into the inbox of a stream's actor; any thread.

        Raises Refusal for invokes and commands of a cloud that stops, and for whatever would start an actor then.
        """
        with self._lock:
            if self._closed and isinstance(message, Invoke | Ask | AwaitEnd):
                raise _stopping()
            resident = self._residents.get(stream)
            if resident is None:
                resident = self._start(stream)
            resident.deliver(message)

    def retire(self, stream: str) -> bool:
        """Called by a stream's actor that wants to stop: True, and it is forgotten, when its inbox is empty."""
        with self._lock:
            resident = self._residents.get(stream)
            if resident is None or resident.reference is None:
                return False
            if not resident.reference.actor_inbox.empty():
                return False
            del self._residents[stream]
            return True

    def failed(self, stream: str, error: BaseException, take_inbox: Callable[[], Sequence[object]]) -> None:
        """Called by a stream's actor that failed, on its thread: what is in its inbox goes to its successor."""
        with self._lock:
            resident = self._residents.get(stream)
            if resident is None:
                return
            resident.reference = None
            resident.waiting[:0] = take_inbox()
            if self._closed:
                resident.refuse(_stopping())
                return
            delay = resident.budget.next_delay()
            if delay is None:
                self._give_up(stream, resident, error)
                return
        _log.error("the actor of %s failed and is started again in %.2f s", stream, delay, exc_info=error)
        self._scheduler.after(delay, lambda: self._restart(stream))

    def crowded(self) -> bool:
        """Whether so many actors live that those with nothing to do should go soon; a hint, read without the lock."""
        return len(self._residents) > MOST_AT_LEISURE

    def count(self) -> int:
        """How many actors of streams there are."""
        return len(self._residents)

    def stop(self, timeout: float) -> None:
        """Take nothing more, wait for what runs, end all instances, then all actors: `timeout` seconds, and 5 more.

        Functions hear of it last: whoever has them run no longer begins by then, nor takes their end for a failure.
        """
        with self._lock:
            self._closed = True
        drains = self._drain(functions=False)
        if self._room is not None and not self._room.concurrency.wait_idle(timeout):
            _log.warning("%d invocations still ran after %.0f s", self._room.concurrency.running(), timeout)
        with self._lock:
            for resident in self._residents.values():
                resident.refuse(_stopping())
        drains += self._drain(functions=True)
        left = wait([drain.done for drain in drains], _END_SECONDS).not_done
        if left:
            _log.error("%d functions still had containers after %.0f s", len(left), _END_SECONDS)
        for resident in list(self._residents.values()):
            if resident.reference is not None:
                resident.reference.stop(block=False)

    def _drain(self, *, functions: bool) -> list[Drain]:
        """Tell functions, or all others, to come to an end."""
        with self._lock:
            residents = [
                each for stream, each in self._residents.items() if functions == stream.startswith("function/")
            ]
        drains = list[Drain]()
        for resident in residents:
            if resident.reference is not None:
                drains.append(Drain())
                _tell(resident.reference, drains[-1])
        return drains

    def _start(self, stream: str) -> _Resident:
        if self._closed or self._room is None:
            raise _stopping()
        resource = ResourceName.of_stream(stream)
        resident = _Resident(self._starts[resource.kind](resource, self._room), Budget(self._clock))
        self._residents[stream] = resident
        return resident

    def _restart(self, stream: str) -> None:
        try:
            self._start_again(stream)
        except Exception as error:  # noqa: BLE001 - whatever it was, those who wait must hear of it
            self.failed(stream, error, list)

    def _start_again(self, stream: str) -> None:
        with self._lock:
            resident = self._residents.get(stream)
            if resident is None or self._closed or self._room is None:
                return
            resource = ResourceName.of_stream(stream)
            resident.reference = self._starts[resource.kind](resource, self._room)
            waiting, resident.waiting = resident.waiting, []
            for message in waiting:
                resident.deliver(message)

    def _give_up(self, stream: str, resident: _Resident, error: BaseException) -> None:
        _log.critical("the actor of %s failed too often and stays down for now", stream, exc_info=error)
        resident.refuse(Refusal("ServiceException", f"The actor of {stream} fails: {error}. See the log."))
        del self._residents[stream]


def _stopping() -> Refusal:
    return Refusal("ServiceException", "The cloud is stopping; try again when it runs.")


def _refuse(message: object, refusal: Refusal) -> None:
    match message:
        case Ask() | AwaitEnd():
            message.reply.set_exception(refusal)
        case Invoke(invocation):
            invocation.refuse(refusal)
        case Drain(done):
            done.set_result(None)
        case _:
            _log.debug("%r was dropped with its actor", message)


def _tell(reference: "pykka.ActorRef[Any] | None", drain: Drain) -> None:
    try:
        if reference is not None:
            reference.tell(drain)
    except pykka.ActorDeadError:
        drain.done.set_result(None)
