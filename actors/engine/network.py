"""How the engine's containers and this machine reach each other."""

import socket
import threading
from collections.abc import Mapping
from ipaddress import ip_network

from docker import APIClient
from docker.errors import DockerException
from requests.exceptions import RequestException

from relambda.actors.engine.contract import EngineError
from relambda.actors.engine.own_container import OwnContainer

_HOST_GATEWAY_API = (1, 41)
"""The first API version whose engine knows `host-gateway` (Docker 20.10's release notes)."""
OUTER_HOST = "host.docker.internal"
"""How containers name a machine that their engine, in a machine of its own, forwards to."""


class ContainerNetwork:
    """The network that sandboxes are made in, as this machine sees it. Any thread may ask."""

    def __init__(self, client: APIClient, api_version: str, name: str, own: OwnContainer | None = None) -> None:
        self._client, self._name, self._own = client, name, own
        self._knows_host_gateway = tuple(map(int, api_version.split("."))) >= _HOST_GATEWAY_API
        self._asking = threading.Lock()
        self._gateway: str | None = None

    def listening_address(self) -> str:
        """The gateway where that is an address of this machine, else loopback. Raises EngineError."""
        return self._local_gateway() or "127.0.0.1"

    def host_name(self) -> str:
        """What a container calls this machine: the gateway's address, or an outer name. Raises EngineError."""
        return self._local_gateway() or OUTER_HOST

    def entry(self) -> str:
        """What a name of this machine leads to in a container's hosts file. Raises EngineError."""
        return self._local_gateway() or ("host-gateway" if self._knows_host_gateway else "127.0.0.1")

    def extra_hosts(self, secret_host: str) -> list[str]:
        """Lines of a container's hosts file: its secret name for this machine, and the common one if it needs that."""
        entry = self.entry()
        outer = [] if self._local_gateway() else [f"{OUTER_HOST}:{entry}"]
        return [f"{secret_host}:{entry}", *outer]

    def _local_gateway(self) -> str:
        """The address of this machine on the network, asked for once; "" where the engine runs elsewhere."""
        with self._asking:
            if self._gateway is None:
                gateway = self._own_address() or self._ask_gateway()
                self._gateway = gateway if gateway and _is_local(gateway) else ""
            return self._gateway

    def _own_address(self) -> str:
        """Of the container that this process runs in, if it does."""
        return self._own.addresses.get(self._name, "") if self._own else ""

    def _ask_gateway(self) -> str:
        try:
            network = self._client.inspect_network(self._name)
        except (DockerException, RequestException) as error:
            raise EngineError(f"the engine does not tell of its network `{self._name}`: {error}") from error
        return next(filter(None, map(_gateway, network.get("IPAM", {}).get("Config") or [])), "")


def _gateway(pool: Mapping[str, str]) -> str:
    """The gateway of an address pool; the engine takes the first address when it names none. "" for IPv6."""
    network = ip_network(pool["Subnet"], strict=False)
    return pool.get("Gateway") or str(network[1]) if network.version == 4 else ""


def _is_local(address: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
