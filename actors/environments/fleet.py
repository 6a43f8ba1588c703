"""The instances of one version of a function (for one tenant, if it has any), and the invocations that wait for one."""

import sys
from collections import deque
from collections.abc import Callable

from relambda.actors.domain.version import Version
from relambda.actors.environments.failures import Failure
from relambda.actors.environments.instance import Instance
from relambda.actors.invocation import Invocation, Outcome


class Fleet:
    """As many instances as concurrent invocations need; the most recently used idle one works first."""

    def __init__(self, version: Version, start: Callable[[Version], Instance], most: int = sys.maxsize) -> None:
        """At `most` that many instances: beyond them invocations wait for each other."""
        self.version, self._most = version, most
        self._start = start
        self._starting: set[Instance] = set()
        self._idle: list[Instance] = []
        self._busy: set[Instance] = set()
        self._changed: set[Instance] = set()
        self._waiting: deque[Invocation] = deque()

    def runs(self, version: Version) -> bool:
        """Whether its instances run that version as it is now: the same code, configuration and layers."""
        ours = self.version
        return (ours.code, ours.layers, ours.config) == (version.code, version.layers, version.config)

    def invoke(self, invocation: Invocation) -> None:
        """Give an invocation to an idle instance, or let it wait for the one that is started for it."""
        while self._idle:
            instance = self._idle.pop()
            if instance.outdated():
                self._reload(instance)
            elif instance.assign(invocation):
                self._busy.add(instance)
                return
        self._waiting.append(invocation)
        self._start_missing()

    def prime(self) -> None:
        """Start an instance that no invocation waits for."""
        self._starting.add(self._start(self.version))

    def _start_missing(self) -> None:
        """Start one, unless as many as wait are coming: those that start, and those that have just answered."""
        coming = len(self._starting) + sum(instance.conversation.finishing for instance in self._busy)
        if coming < len(self._waiting) and len(self.instances()) < self._most:
            self._starting.add(self._start(self.version))

    def _reload(self, instance: Instance) -> None:
        """Let its runtime start anew with the changed code; an instance that cannot is ending."""
        if instance.reload():
            self._starting.add(instance)

    def code_changed(self, instance: Instance) -> None:
        """An instance's code changed: one that has nothing to do starts anew now, any other when it is done."""
        if instance in self._idle:
            if instance.outdated():
                self._idle.remove(instance)
                self._reload(instance)
        elif self.owns(instance):
            self._changed.add(instance)

    def idle(self, instance: Instance) -> bool:
        """An instance can work; True when there is nothing to do for it."""
        self._starting.discard(instance)
        self._busy.discard(instance)
        if self._may_be_outdated(instance) and instance.outdated():
            self._reload(instance)
            self._start_missing()
            return False
        while self._waiting:
            invocation = self._waiting.popleft()
            if invocation.ticket.done():
                continue
            if instance.assign(invocation):
                self._busy.add(instance)
            else:
                self.invoke(invocation)
            return False
        self._idle.append(instance)
        return True

    def _may_be_outdated(self, instance: Instance) -> bool:
        """Its code was said to change meanwhile, or something waits that must not run stale code."""
        changed = instance in self._changed
        self._changed.discard(instance)
        return changed or bool(self._waiting)

    def resets(self, instance: Instance) -> None:
        """An instance's processes end, for others to start: it is as good as one that was just started."""
        if instance in self._busy:
            self._busy.remove(instance)
            self._starting.add(instance)
        elif self.reap(instance):
            self._starting.add(instance)

    def gone(self, instance: Instance, failure: Failure | None) -> None:
        """An instance is no more. If its start failed, an invocation that no other start is for fails with it."""
        self._busy.discard(instance)
        self._changed.discard(instance)
        if instance in self._idle:
            self._idle.remove(instance)
        was_starting = instance in self._starting
        self._starting.discard(instance)
        if was_starting and failure is not None and len(self._waiting) > len(self._starting):
            invocation = self._waiting.popleft()
            payload = failure.payload(invocation.request_id)
            invocation.finish(Outcome(payload, self.version.version, "Unhandled"))
        self._start_missing()

    def reap(self, instance: Instance) -> bool:
        """Let go of an instance if it is idle; whether it was."""
        if instance not in self._idle:
            return False
        self._idle.remove(instance)
        return True

    def owns(self, instance: Instance) -> bool:
        """Whether an instance belongs here."""
        return instance in self._busy or instance in self._starting or instance in self._idle

    def instances(self) -> list[Instance]:
        """All its instances, whatever they do."""
        return [*self._idle, *self._busy, *self._starting]

    def let_go(self) -> tuple[list[Instance], list[Invocation]]:
        """Give up what is idle, starting and waiting, as others take over; busy ones end when they are done."""
        released = [*self._idle, *self._starting]
        self._idle.clear()
        self._starting.clear()
        return released, self.take_waiting()

    def take_waiting(self) -> list[Invocation]:
        """Take out the invocations that wait for an instance."""
        waiting = [invocation for invocation in self._waiting if not invocation.ticket.done()]
        self._waiting.clear()
        return waiting

    @property
    def empty(self) -> bool:
        """Nothing of it is left."""
        return not (self._idle or self._busy or self._starting or self._waiting)
