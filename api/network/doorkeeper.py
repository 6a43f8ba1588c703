"""Who may use Relambda's own routes: not functions, and not web pages from elsewhere.

These routes hand out and replace the state of all accounts, so they are for the machine's user. A page in the user's
browser gets to loopback too; it is told by its Origin, and by the host name that it came by (DNS rebinding).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from relambda.actors.engine.contract import EngineError, EngineUnavailableError
from relambda.api.settings.option import Listen

_OWN_SITE = frozenset({"", "none", "same-origin"})


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request says of who sent it: headers, and both ends of its connection."""

    local: Listen
    peer: str
    host: str = ""
    origin: str = ""
    fetch_site: str = ""


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Knows the listeners that the user asked for, and the names by which the cloud may be called."""

    listens: tuple[Listen, ...]
    names: frozenset[str]

    def objection(self, visit: Visit, sandboxes: Callable[[], Collection[str]]) -> str:
        """Why a request is refused, and what to do; "" when it is not. `sandboxes` tells their addresses."""
        return self._of_page(visit) or self._of_listener(visit) or _of_function(visit, sandboxes)

    def _of_page(self, visit: Visit) -> str:
        if visit.fetch_site not in _OWN_SITE or (visit.origin and urlsplit(visit.origin).netloc != visit.host):
            return (
                f"A web page of {visit.origin or 'another site'} sent this, and only the cloud's own address may. "
                "Use the `relambda` command, or a client that sends neither Origin nor Sec-Fetch-Site."
            )
        name = urlsplit(f"//{visit.host}").hostname or ""
        if _address(name) or name == "localhost" or name.endswith(".localhost") or name in self.names:
            return ""
        return (
            f"{name or 'No name'} is no name of this cloud. Call it by an address or by localhost, or name it in "
            "LOCALSTACK_HOST or GATEWAY_LISTEN."
        )

    def _of_listener(self, visit: Visit) -> str:
        if any(listen.port == visit.local.port and _covers(listen.host, visit.local.host) for listen in self.listens):
            return ""
        asked = ", ".join(map(str, self.listens))
        return f"{visit.local} is for functions' containers, and this is not for them. Ask {asked} (GATEWAY_LISTEN)."


def _of_function(visit: Visit, sandboxes: Callable[[], Collection[str]]) -> str:
    """Listeners on all addresses take in containers too: those of this cloud's functions are known to the engine."""
    peer = _address(visit.peer)
    if peer is None or peer.is_loopback:
        return ""
    try:
        known = sandboxes()
    except EngineUnavailableError:
        return ""  # no engine was ever found: there are no functions to ask
    except EngineError as error:
        return f"The engine does not tell whether a function sent this ({error}). Mend it, or ask from loopback."
    if str(peer) not in known:
        return ""
    return f"A function's container ({peer}) sent this, and it is not for functions. Ask from outside of them."


def _covers(listening: str, local: str) -> bool:
    one, other = _address(listening), _address(local)
    return one is not None and (one.is_unspecified or one == other)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address; of one of IPv4's that is written as one of IPv6's, the former."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.version == 6 and found.ipv4_mapped) or found
