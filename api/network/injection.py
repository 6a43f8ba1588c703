"""Endpoint injection: functions that call AWS by its own host names, over TLS, reach this cloud."""

from pathlib import Path
from urllib.parse import urlsplit

from relambda.actors.environments.trust import Trust
from relambda.api.network.authority import Authority
from relambda.api.network.doors import Doors
from relambda.api.network.name_rules import NameRules
from relambda.api.network.name_server import NameServer, system_servers
from relambda.api.network.tls_gate import TlsGate
from relambda.api.settings.settings import Settings


class Injection:
    """A name server that leads AWS's names here, and certificates for them, from when it is made to `stop`."""

    def __init__(self, doors: Doors, settings: Settings, state_dir: Path) -> None:
        """Raises AuthorityError, OSError."""
        authority = Authority.of(state_dir)
        self.trust: Trust = authority.trust
        self.gate = TlsGate(authority)
        self.name_server = doors.name_server
        rules = NameRules(
            address=settings.dns_resolve_ip or doors.host,
            own=urlsplit(f"//{settings.localstack_host}").hostname or "",
            elsewhere=settings.dns_upstream_patterns,
        )
        upstream = (lambda: settings.dns_server) if settings.dns_server else system_servers
        self._server = NameServer(rules, upstream, doors.udp, doors.tcp)
        self._server.start()

    def stop(self) -> None:
        """Answer no more names."""
        self._server.stop()
