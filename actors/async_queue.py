"""The actor of a function's asynchronous invocations: runs what was accepted, and again what failed."""

import logging
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from relambda.actors import codec
from relambda.actors.domain.async_invocation import (
    AsyncInvocationAccepted,
    AsyncInvocationRetried,
    Content,
    DropInvocation,
    EndAttempt,
    Pending,
    Policy,
    QueueState,
    queue,
)
from relambda.actors.domain.decider import Event
from relambda.actors.domain.names import LATEST, ResourceName, function_name
from relambda.actors.domain.refusals import Refusal
from relambda.actors.domain.state import Head
from relambda.actors.entity import EntityActor
from relambda.actors.invocation import Invocation, Ticket
from relambda.actors.messages import Drain, Invoke
from relambda.actors.room import Room
from relambda.store.errors import BlobNotFoundError

_log = logging.getLogger(__name__)
MOST_AT_ONCE = 16
"""Asynchronous invocations of one function that run at a time; each may need a container of its own."""
LONGEST_BACKOFF_MS = 300_000
"""Throttles and faults of the system are tried again after 1 s, doubling up to this (FACTS.md section 5)."""
_LATER = frozenset({"TooManyRequestsException", "ServiceException", "ResourceConflictException"})
"""Refusals that pass; after any other one an invocation is done with."""


@dataclass(frozen=True, slots=True)
class Due:
    """The time of an invocation's next attempt has come."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt is over; its ticket has the outcome or the refusal."""

    invocation: Invocation


class AsyncQueueActor(EntityActor[QueueState]):
    """Owns the stream of a function's asynchronous invocations.

    Which of them run now, and how often they were refused, is volatile: after a restart all that is pending starts
    anew.
    """

    def __init__(self, resource: ResourceName, room: Room) -> None:
        super().__init__(resource, queue, room)
        self._function = function_name(resource.scope, resource.name)
        self._ready: deque[str] = deque()
        self._running: dict[str, Invocation] = {}
        self._refused: Counter[str] = Counter()
        self._draining = False

    def started(self) -> None:
        """Go on with what is pending."""
        for request_id, pending in self.state.pending.items():
            self._await_turn(request_id, pending.not_before_ms)
        self._run_ready()

    def receive(self, message: object) -> None:
        """Handle what is told by timers and by ends of attempts."""
        match message:
            case Due(request_id):
                self._ready.append(request_id)
                self._run_ready()
            case Ended(invocation):
                self._ended(invocation)
            case Drain():
                self._draining = True
                super().receive(message)
            case _:
                super().receive(message)

    def react(self, old: QueueState, new: QueueState, events: Sequence[Event]) -> None:
        """Let new attempts wait for their turn."""
        del old
        for happened in events:
            if isinstance(happened, AsyncInvocationAccepted | AsyncInvocationRetried):
                self._await_turn(happened.request_id, new.pending[happened.request_id].not_before_ms)
        self._run_ready()

    def busy(self) -> bool:
        """Whatever is pending keeps the actor."""
        return bool(self.state.pending)

    def _await_turn(self, request_id: str, not_before_ms: int) -> None:
        delay_ms = not_before_ms - self.room.clock.now_ms()
        if delay_ms <= 0:
            self._ready.append(request_id)
            return
        post, stream = self.room.post, self.resource.stream
        self.room.scheduler.after(delay_ms / 1000, lambda: post.tell(stream, Due(request_id)))

    def _run_ready(self) -> None:
        while self._ready and len(self._running) < MOST_AT_ONCE and not self._draining:
            request_id = self._ready.popleft()
            pending = self.state.pending.get(request_id)
            if pending is not None and request_id not in self._running:
                self._run(request_id, pending)

    def _run(self, request_id: str, pending: Pending) -> None:
        """Run the function, unless the invocation is too old or the function may not run at all."""
        policy = self._policy(pending)
        if self.room.clock.now_ms() - pending.accepted_ms > policy.age_ms:
            self._drop(request_id, "EventAgeExceeded")
        elif self._may_not_run():
            self._drop(request_id, "ZeroReservedConcurrency")
        elif (payload := self._payload(pending.payload)) is None:
            self._drop(request_id, "PayloadLost")
        else:
            self._begin(request_id, pending, payload)

    def _begin(self, request_id: str, pending: Pending, payload: bytes) -> None:
        invocation = Invocation(
            request_id=request_id,
            qualifier=pending.qualifier,
            payload=payload,
            trace_id=pending.trace_id,
            tenant_id=pending.tenant_id,
        )
        self._running[request_id] = invocation
        post, stream = self.room.post, self.resource.stream

        def over(ticket: Ticket) -> None:
            del ticket
            post.tell(stream, Ended(invocation))

        try:
            post.tell(self._function.stream, Invoke(invocation))
        except Refusal as refusal:  # the cloud is stopping
            invocation.refuse(refusal)
        invocation.ticket.add_done_callback(over)

    def _ended(self, invocation: Invocation) -> None:
        """What comes of an attempt. When the cloud is stopping only a success counts: all else is tried again later."""
        request_id = invocation.request_id
        if self._running.get(request_id) is not invocation:
            return
        del self._running[request_id]
        pending, error = self.state.pending.get(request_id), invocation.ticket.exception()
        if pending is None or (self._draining and (error or invocation.ticket.result().function_error)):
            self._run_ready()
        elif isinstance(error, Refusal):
            self._refuse(request_id, error)
        elif error is not None:
            raise error
        else:
            self._end_attempt(request_id, pending, invocation.ticket)

    def _end_attempt(self, request_id: str, pending: Pending, ticket: Ticket) -> None:
        outcome = ticket.result()
        self._refused.pop(request_id, None)
        command = EndAttempt(
            resource=self.resource,
            at_ms=self.room.clock.now_ms(),
            request_id=request_id,
            executed_version=outcome.executed_version,
            function_error=outcome.function_error,
            policy=self._policy(pending),
        )
        self.apply(command)

    def _refuse(self, request_id: str, refusal: Refusal) -> None:
        if refusal.code not in _LATER:
            _log.warning("asynchronous invocation %s of %s: %s", request_id, self._function.arn(), refusal)
            self._drop(request_id, refusal.code.removesuffix("Exception"))
            return
        delay_ms = min(1000 << self._refused[request_id], LONGEST_BACKOFF_MS)
        self._refused[request_id] += 1
        self._await_turn(request_id, self.room.clock.now_ms() + delay_ms)
        self._run_ready()

    def _drop(self, request_id: str, condition: str) -> None:
        self._refused.pop(request_id, None)
        now_ms = self.room.clock.now_ms()
        self.apply(DropInvocation(resource=self.resource, at_ms=now_ms, request_id=request_id, condition=condition))

    def _policy(self, pending: Pending) -> Policy:
        """As the function's configuration has it now."""
        key = self._function.row_key(pending.qualifier or LATEST)
        row = self.room.store.row("invoke_configs", key)
        config = {} if row is None else codec.document(row)
        usual = Policy()
        return Policy(
            retries=config.get("MaximumRetryAttempts", usual.retries),
            age_ms=config.get("MaximumEventAgeInSeconds", usual.age_ms // 1000) * 1000,
            base_delay_ms=int(self.room.options.retry_base_delay * 1000),
        )

    def _may_not_run(self) -> bool:
        row = self.room.store.row("functions", self._function.key)
        return row is not None and codec.from_row(Head, row).reserved_concurrency == 0

    def _payload(self, content: Content) -> bytes | None:
        if not content.sha256:
            return content.text.encode()
        try:
            with self.room.blobs.open(content.sha256) as file:
                return file.read()
        except BlobNotFoundError:
            _log.exception("an accepted invocation of %s cannot be run", self._function.arn())
            return None
