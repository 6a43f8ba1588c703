"""How functions' containers reach the cloud, which listens on loopback unless it was told otherwise.

Beside that it listens on the address that this machine has on the containers' own network, for what comes in by that
network's interface alone: nobody else gets there.
"""

import logging
import socket
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from relambda.actors.engine.contract import Engine, EngineError
from relambda.actors.engine.docker_engine import DockerEngine
from relambda.actors.engine.network import OUTER_HOST
from relambda.actors.environments.trust import Trust
from relambda.actors.environments.variables import Surroundings
from relambda.actors.traces.daemon import TraceDaemon
from relambda.api.network.listening import CannotListenError, PortInUseError, address_of, bind
from relambda.api.network.network_interface import keep_to_interface
from relambda.api.settings.option import Listen
from relambda.api.settings.sandboxes import container_options
from relambda.api.settings.settings import Settings

_log = logging.getLogger(__name__)

_EVERYWHERE = frozenset({"0.0.0.0", "::"})


def host_for_containers(settings: Settings) -> str:
    """What functions' containers call this machine; "" without an engine, which is warned of."""
    try:
        with closing(DockerEngine("bridge", container_options(settings))) as engine:
            return engine.host_name()
    except EngineError as error:
        _warn(error)
        return ""


def for_containers(host: str, bound: Sequence[socket.socket]) -> list[socket.socket]:
    """A listener on the containers' network, unless those that are bound are reached from there; none is warned of."""
    listens = [address_of(one) for one in bound]
    if not host or _reached(host, listens) is not None:
        return []
    try:
        return [_bind(host, listens[0].port)]
    except (PortInUseError, CannotListenError, OSError) as error:
        _warn(error)
        return []


def _warn(error: Exception) -> None:
    _log.warning("functions get no AWS_ENDPOINT_URL, since they could not reach the cloud: %s", error)


def surroundings(
    settings: Settings, engine: Engine, daemon: TraceDaemon | None, trust: Trust | None = None
) -> Surroundings:
    """What functions are told of this cloud, and of where its trace daemon listens."""
    told = Surroundings(trust=trust)
    try:
        host = engine.host_name()
    except EngineError:
        return told
    if daemon is not None:
        told = replace(told, trace_daemon=(host, daemon.address[1]))
    port = _reached(host, settings.gateway_listen)
    if port is None:
        return told
    return replace(told, host=host, port=port, inject_endpoint=not settings.disable_aws_endpoint_url)


def _reached(host: str, listens: Sequence[Listen]) -> int | None:
    """The port by which containers reach one of the listeners as `host`, if they do."""
    if host == OUTER_HOST:
        return listens[0].port
    return next((listen.port for listen in listens if listen.host in _EVERYWHERE | {host}), None)


def _bind(host: str, port: int) -> socket.socket:
    """The cloud's own port there, or any other. Raises PortInUseError, CannotListenError, OSError."""
    try:
        (bound,) = bind([Listen(host, port)])
    except PortInUseError:
        (bound,) = bind([Listen(host, 0)])
    keep_to_interface(bound, host)
    return bound
