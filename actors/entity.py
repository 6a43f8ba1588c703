"""The event-sourced actor: a stream's decider, its state by replay, and append before everything else."""

import logging
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Generic, TypeVar

import pykka

from relambda.actors import codec
from relambda.actors.domain.decider import Command, Decider, Event
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal
from relambda.actors.messages import Ask, Drain, Passivate, Wake
from relambda.actors.room import Room
from relambda.store.errors import StoreBusyError, StoreError, StoreFullError
from relambda.store.records import Append, Checkpoint

S = TypeVar("S")
_log = logging.getLogger(__name__)
CROWDED_SECONDS = 1.0
"""How long an actor waits for its next message where there are too many."""


class EntityActor(pykka.ThreadingActor, Generic[S]):
    """Owns one stream: decides commands on its state, appends the events, then shows and acts on the new state.

    A refusal is an answer and leaves the actor as it was. Anything else that goes wrong stops it; it is then started
    again by replay (`supervision`), so its state is never one that the log does not hold.
    """

    use_daemon_thread = True

    def __init__(self, resource: ResourceName, decider: Decider[S], room: Room) -> None:
        super().__init__()
        self.resource = resource
        self.decider = decider
        self.room = room
        self.state: S = decider.initial
        self.version = 0
        self._checkpointed = 0
        self._used = True
        self._tag = codec.state_tag(type(decider.initial))  # type: ignore[arg-type]

    def on_start(self) -> None:
        """Fold the state from the newest checkpoint and the events past it; what fails in it is a failure too.

        pykka calls no `on_failure` for it by itself.
        """
        try:
            self._replay()
            self.started()
        except Exception as error:
            self.on_failure(type(error), error, error.__traceback__)
            raise

    def started(self) -> None:
        """Go on with what the state shows unfinished; called once, with the state folded."""

    def _replay(self) -> None:
        stream = self.resource.stream
        checkpoint = self.room.store.checkpoint(stream, self._tag)
        if checkpoint is not None:
            self.state = codec.from_row(type(self.decider.initial), checkpoint.state)
            self.version = self._checkpointed = checkpoint.version
        for record in self.room.store.read_stream(stream, self.version):
            self.state = self.decider.evolve(self.state, codec.from_record(record))
            self.version = record.version
        self._passivate_later()

    def on_receive(self, message: object) -> None:
        """Handle one message; never answers through pykka: replies travel in the messages."""
        self._used = self._used or not isinstance(message, Passivate)
        match message:
            case Ask():
                self._answer(message)
            case Passivate():
                self._passivate()
            case Wake():
                self.react(self.state, self.state, ())
            case _:
                self.receive(message)

    def receive(self, message: object) -> None:
        """Handle a message that is not a command; for actors that have more to do than decide.

        Who holds nothing beside its state has nothing to drain.
        """
        if isinstance(message, Drain):
            message.done.set_result(None)
            return
        raise TypeError(f"{self.resource.stream} does not know the message {message!r}")

    def react(self, old: S, new: S, events: Sequence[Event]) -> None:
        """Act on a change that is durable now; called on the actor's thread."""

    def end(self) -> None:
        """Let go of whatever the actor holds beside its state; called when it stops and when it failed."""

    def on_stop(self) -> None:
        """Let go."""
        self.end()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let go, and leave the inbox to the successor that is started by replay."""
        del exception_type, traceback
        self.end()
        error = exception_value or RuntimeError("the actor failed")
        self.room.post.failed(self.resource.stream, error, lambda: list(_inbox(self)))

    def busy(self) -> bool:
        """Whether something is under way that must not be forgotten."""
        return False

    def apply(self, command: Command) -> S:
        """Decide, append, wait until it is durable, evolve, react. Raises Refusal, StoreError."""
        events = self.decider.decide(self.state, command)
        if events:
            old, new = self.state, self.decider.fold(self.state, events)
            self._append(events, old, new)
            self.state = new
            self._checkpoint()
            self.react(old, new, events)
        return self.state

    def _append(self, events: Sequence[Event], old: S, new: S) -> None:
        rows = codec.to_rows(self.decider.rows(self.resource, old, new))
        records = tuple(codec.to_record(happened) for happened in events)
        append = Append(self.resource.stream, self.version, records, rows)
        self.version = self.room.store.append(append).result(self.room.options.append_timeout).version

    def _answer(self, message: Ask) -> None:
        try:
            state = self.apply(message.command)
        except Refusal as refusal:
            message.reply.set_exception(refusal)
        except (StoreFullError, StoreBusyError) as error:
            message.reply.set_exception(Refusal("ServiceException", f"Nothing was changed: {error}"))
        except BaseException as error:
            message.reply.set_exception(Refusal("ServiceException", f"{type(error).__name__}: {error}"))
            raise
        else:
            message.reply.set_result(state)

    def _checkpoint(self) -> None:
        if self.version - self._checkpointed < self.room.options.checkpoint_every:
            return
        self._checkpointed = self.version
        checkpoint = Checkpoint(self.version, self._tag, codec.to_checkpoint(self.state))
        try:
            self.room.store.save_checkpoint(self.resource.stream, checkpoint)
        except StoreError:
            _log.warning("no checkpoint of %s: the store refused it", self.resource.stream, exc_info=True)

    def _passivate_later(self) -> None:
        reference, seconds = self.actor_ref, self.room.options.passivate_after
        if self.room.post.crowded():
            seconds = min(seconds, CROWDED_SECONDS)
        self.room.scheduler.after(seconds, lambda: _tell_if_alive(reference, Passivate()))

    def _passivate(self) -> None:
        used, self._used = self._used, False
        if used or self.busy() or not self.room.post.retire(self.resource.stream):
            self._passivate_later()
        else:
            self.stop()


def _inbox(actor: pykka.ThreadingActor) -> Iterator[object]:
    while not actor.actor_inbox.empty():
        yield actor.actor_inbox.get().message


def _tell_if_alive(reference: "pykka.ActorRef[Any]", message: object) -> None:
    try:
        reference.tell(message)
    except pykka.ActorDeadError:
        _log.debug("%s has ended before it got %r", reference, message)
