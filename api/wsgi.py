"""The WSGI application of one cloud, opened in the process that serves it."""

import gc
from typing import TYPE_CHECKING, Any

from relambda.api.settings.settings import Settings

if TYPE_CHECKING:
    import falcon

    from relambda.api.cloud import Cloud
    from relambda.api.network.doorkeeper import Doorkeeper
    from relambda.api.network.doors import Doors
    from relambda.api.network.tls_gate import TlsGate


class Gateway:
    """A cloud that can be handed over a fork: nothing is opened before `app`, and everything after it is closed."""

    def __init__(self, settings: Settings, doorkeeper: "Doorkeeper", doors: "Doors | None" = None) -> None:
        self.settings, self.doors, self._doorkeeper = settings, doors, doorkeeper
        self._cloud: Cloud | None = None

    def app(self) -> "falcon.App[Any, Any]":
        """Open the cloud and return its application. Raises what `Cloud.open` raises.

        The garbage collector waits meanwhile, and never looks at again what stays for as long as the process: that is
        a tenth of the start, and pauses of requests.
        """
        gc.disable()
        try:
            return self._opened()
        finally:
            gc.freeze()
            gc.enable()

    def _opened(self) -> "falcon.App[Any, Any]":
        from relambda.api.app import create_app  # noqa: PLC0415 the master process needs none of it
        from relambda.api.cloud import Cloud  # noqa: PLC0415

        self._cloud = Cloud.open(self.settings, self.doors)
        return create_app(self._cloud, self._doorkeeper)

    @property
    def gate(self) -> "TlsGate | None":
        """With whom `doors.https` speaks, once the cloud is open."""
        injection = self._cloud.injection if self._cloud else None
        return injection.gate if injection else None

    def drain(self) -> None:
        """A stop has begun, and waits for the requests that run."""
        if self._cloud is not None:
            self._cloud.drain()

    def close(self, timeout: float) -> None:
        """Close the cloud if it is open, within `timeout` seconds; safe to call twice."""
        cloud, self._cloud = self._cloud, None
        if cloud is not None:
            cloud.close(timeout)
