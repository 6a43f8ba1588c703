"""One subscriber of an environment's telemetry, and the thread that delivers to it."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from relambda.actors.clock import Clock
from relambda.actors.telemetry.buffer import TelemetryBuffer
from relambda.actors.telemetry.delivery import Delivery, Resolver
from relambda.actors.telemetry.subscription import Subscription

TRIES: Final = 3
RETRY_SECONDS: Final = 0.2
_IDLE_SECONDS: Final = 60.0
_log = logging.getLogger(__name__)


class Subscriber:
    """Buffers events and delivers them from a thread of its own, which ends at `stop`. Any thread may call."""

    def __init__(
        self, subscription: Subscription, resolve: Resolver, clock: Clock, iso_time: Callable[[int], str]
    ) -> None:
        self.subscription = subscription
        self._clock, self._iso_time = clock, iso_time
        self._delivery = Delivery(subscription.destination, resolve)
        self._buffer = TelemetryBuffer(subscription.max_items, subscription.max_bytes, subscription.timeout_ms / 1000)
        self._changed = threading.Condition()
        self._busy = self._hurried = self._stopped = False
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def offer(self, event: bytes) -> None:
        """Take in an event; never blocks for delivery."""
        with self._changed:
            if self._stopped:
                return
            waited = self._buffer.due is None
            self._buffer.add(event, self._clock.monotonic())
            if waited or self._buffer.full:
                self._changed.notify_all()

    def hurry(self) -> None:
        """Wait for no batch to fill, until the end of the next `flush`."""
        with self._changed:
            self._hurried = True
            self._changed.notify_all()

    def flush(self, deadline: float) -> bool:
        """Deliver all that is held now, until a monotonic time; whether that was done."""
        self.hurry()
        with self._changed:
            done = self._changed.wait_for(
                lambda: self._stopped or (self._buffer.due is None and not self._busy),
                max(0.0, deadline - time.monotonic()),
            )
            self._hurried = False
            return done

    def stop(self) -> None:
        """Deliver no more, and let the thread end."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._delivery.close()

    def join(self, deadline: float) -> bool:
        """Wait for the thread's end until a monotonic time; whether it has ended."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while (batch := self._next_batch()) is not None:
                self._deliver(batch)
        finally:
            self._delivery.dispose()

    def _next_batch(self) -> list[bytes] | None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            while not self._stopped:
                due, now = self._buffer.due, self._clock.monotonic()
                if due is not None and (self._buffer.full or self._hurried or now >= due):
                    self._busy = True
                    return self._buffer.take(now, self._iso_time(self._clock.now_ms()))
                self._changed.wait(_IDLE_SECONDS if due is None else due - now)
            return None

    def _deliver(self, batch: list[bytes]) -> None:
        """Try thrice; then drop the batch, and tell of it in a later one."""
        problem = ""
        for attempt in range(TRIES):
            if attempt and self._waited_in_vain(RETRY_SECONDS * attempt):
                return
            try:
                self._delivery.deliver(batch)
            except OSError as error:
                problem = str(error)
            else:
                return
        _log.info("telemetry for the extension %s was dropped: %s", self.subscription.extension, problem)
        with self._changed:
            self._buffer.lose(batch, f"the subscriber could not be reached: {problem}")

    def _waited_in_vain(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._stopped, seconds)
