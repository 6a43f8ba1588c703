"""The telemetry of one execution environment: what happens in it, for the extensions that have subscribed."""

import logging
import threading
import time
from datetime import UTC, datetime
from typing import Any, Final

from relambda.actors.clock import Clock
from relambda.actors.telemetry.buffer import encode_event
from relambda.actors.telemetry.delivery import Resolver
from relambda.actors.telemetry.subscriber import Subscriber
from relambda.actors.telemetry.subscription import Subscription, SubscriptionsClosedError

MAX_EARLY_EVENTS: Final = 1000
MAX_EARLY_BYTES: Final = 262_144
_log = logging.getLogger(__name__)


class Telemetry:
    """Implements Subscriptions. Any thread may call; nothing but `flush` and `stop` waits.

    What is published during the init is kept, within bounds, for extensions that subscribe later in it.
    """

    def __init__(self, resolve: Resolver, clock: Clock) -> None:
        self._resolve, self._clock = resolve, clock
        self._lock = threading.Lock()
        self._subscribers: dict[tuple[str, str], Subscriber] = {}
        self._ended: list[Subscriber] = []
        self._early: list[tuple[str, bytes]] = []
        self._early_bytes = 0
        self._open = True

    @property
    def heard(self) -> bool:
        """Whether anybody hears what is published, now or when they subscribe."""
        return self._open or bool(self._subscribers)

    def publish(self, event_type: str, record: Any, time_ms: int | None = None) -> None:
        """Tell the subscribers of an event: "platform.start" with an object, "function" with a text or an object.

        `time_ms` is in milliseconds since the epoch; without it, it happened now.
        """
        if not self.heard:
            return
        moment = self._clock.now_ms() if time_ms is None else time_ms
        event = encode_event(iso_time(moment), event_type, record)
        with self._lock:
            self._keep_early(event_type, event)
            for subscriber in self._subscribers.values():
                if subscriber.subscription.wants(event_type):
                    subscriber.offer(event)

    def _keep_early(self, event_type: str, event: bytes) -> None:
        if not self._open or len(self._early) >= MAX_EARLY_EVENTS or self._early_bytes + len(event) > MAX_EARLY_BYTES:
            return
        self._early.append((event_type, event))
        self._early_bytes += len(event)

    def subscribe(self, subscription: Subscription) -> None:
        """Begin to deliver, early events first. Raises SubscriptionsClosedError after `close_subscriptions`."""
        key = (subscription.api, subscription.extension)
        with self._lock:
            if not self._open:
                raise SubscriptionsClosedError("subscriptions are closed: the init is over")
            if (former := self._subscribers.pop(key, None)) is not None:
                self._end(former)
            subscriber = Subscriber(subscription, self._resolve, self._clock, iso_time)
            self._subscribers[key] = subscriber
            for event_type, event in self._early:
                if subscription.wants(event_type):
                    subscriber.offer(event)

    def close_subscriptions(self) -> None:
        """The init is over: take in no more, and keep no early events for those to come."""
        with self._lock:
            self._open = False
            self._early.clear()
            self._early_bytes = 0

    def reopen(self) -> None:
        """The extensions are no more: forget all subscriptions; new ones may come."""
        with self._lock:
            self._open = True
            self._forget_all()

    def flush(self, timeout: float) -> bool:
        """Deliver all that was published by now; whether that was done within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._lock:
            subscribers = list(self._subscribers.values())
        for subscriber in subscribers:
            subscriber.hurry()
        flushed = [subscriber.flush(deadline) for subscriber in subscribers]
        return all(flushed)

    def stop(self, timeout: float) -> None:
        """End all threads; what was not delivered is gone. Raises TimeoutError when some outlive `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._lock:
            self._open = False
            self._forget_all()
            ended = list(self._ended)
        late = [subscriber for subscriber in ended if not subscriber.join(deadline)]
        if late:
            raise TimeoutError(f"{len(late)} threads that deliver telemetry did not end within {timeout} s")

    def _forget_all(self) -> None:
        for subscriber in self._subscribers.values():
            self._end(subscriber)
        self._subscribers.clear()
        self._early.clear()
        self._early_bytes = 0

    def _end(self, subscriber: Subscriber) -> None:
        subscriber.stop()
        self._ended = [one for one in self._ended if not one.join(0.0)]
        self._ended.append(subscriber)


def iso_time(time_ms: int) -> str:
    """A time of day as events tell it: 2024-02-29T12:30:58.123Z."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
