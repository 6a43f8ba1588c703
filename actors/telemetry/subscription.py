"""What an extension asks the Telemetry API 2022-07-01 or the Logs API 2020-08-15 for; pure.

Bounds and members are those of runtime_apis.tsv (AWS: "Lambda Telemetry API reference", "Using the Lambda Logs API").
"""

import json
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

Api: TypeAlias = Literal["Telemetry", "Logs"]

TYPES: Final = ("platform", "function", "extension")
SANDBOX_HOSTS: Final = frozenset({"sandbox.localdomain", "sandbox"})
_SCHEMAS: Final[dict[Api, tuple[str, ...]]] = {
    "Telemetry": ("2022-07-01", "2022-12-13", "2025-01-29"),
    "Logs": ("2020-08-15", "2021-03-18"),
}
_BUFFERING: Final = {
    "maxItems": (1_000, 10_000, 10_000),
    "maxBytes": (262_144, 1_048_576, 262_144),
    "timeoutMs": (25, 30_000, 1_000),
}
_TELEMETRY_ALONE: Final = ("platform.init", "platform.restore", "platform.telemetrySubscription")
_LOGS_ALONE: Final = frozenset({"platform.end", "platform.fault", "platform.logsSubscription"})


class SubscriptionError(Exception):
    """What is asked for cannot be subscribed to; the text tells every member that is wrong."""


class SubscriptionsClosedError(Exception):
    """The init is over, and with it the time to subscribe."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where events go in the sandbox: by HTTP as a JSON array, or by TCP as a JSON document a line."""

    protocol: Literal["HTTP", "TCP"]
    port: int
    path: str = "/"
    method: Literal["POST", "PUT"] = "POST"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One extension's subscription to one of the two APIs."""

    api: Api
    extension: str
    """The extension's name: a second subscription of its takes the place of the first."""
    types: tuple[str, ...]
    destination: Destination
    schema_version: str
    max_items: int = 10_000
    max_bytes: int = 262_144
    timeout_ms: int = 1_000

    def wants(self, event_type: str) -> bool:
        """Whether events of this type ("platform.start", "function") go to it."""
        if event_type.partition(".")[0] not in self.types:
            return False
        if self.api == "Telemetry":
            return event_type not in _LOGS_ALONE
        if event_type == "platform.runtimeDone":
            return self.schema_version > "2020-08-15"
        return not event_type.startswith(_TELEMETRY_ALONE)


def read_subscription(api: Api, extension: str, body: bytes) -> Subscription:
    """The subscription that a request's body asks for. Raises SubscriptionError."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise SubscriptionError("the body must be a JSON object")
    problems: list[str] = []
    schema = document.get("schemaVersion", _SCHEMAS[api][0])
    if schema not in _SCHEMAS[api]:
        problems.append(f"schemaVersion must be one of {', '.join(_SCHEMAS[api])}")
    types = _types(document.get("types"), problems)
    buffering = _buffering(document.get("buffering"), problems)
    destination = _destination(document.get("destination"), problems)
    if problems or destination is None:
        raise SubscriptionError("; ".join(problems))
    return Subscription(api, extension, types, destination, schema, *buffering)


def _types(given: Any, problems: list[str]) -> tuple[str, ...]:
    if not isinstance(given, list) or not given:
        problems.append("types should not be empty")
        return ()
    if any(kind not in TYPES for kind in given):
        problems.append(f"types must be of {', '.join(TYPES)}")
        return ()
    return tuple(dict.fromkeys(given))


def _buffering(given: Any, problems: list[str]) -> list[int]:
    if given is not None and not isinstance(given, dict):
        problems.append("buffering must be an object")
    members = given if isinstance(given, dict) else {}
    values = []
    for name, (least, most, default) in _BUFFERING.items():
        value = members.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            problems.append(f"{name} must be between {least} and {most}")
            value = default
        values.append(value)
    return values


def _destination(given: Any, problems: list[str]) -> Destination | None:
    members = given if isinstance(given, dict) else {}
    protocol = members.get("protocol")
    if protocol == "TCP":
        return _tcp(members.get("port"), problems)
    if protocol != "HTTP":
        problems.append("destination's protocol must be HTTP or TCP")
        return None
    method = members.get("method", "POST")
    if method not in ("POST", "PUT") or members.get("encoding", "JSON") != "JSON":
        problems.append("destination's method must be POST or PUT, and its encoding JSON")
        return None
    return _http(members.get("URI", members.get("uri")), method, problems)


def _tcp(port: Any, problems: list[str]) -> Destination | None:
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65_536:
        problems.append("destination's port must be between 1 and 65535")
        return None
    return Destination("TCP", port)


def _http(uri: Any, method: Literal["POST", "PUT"], problems: list[str]) -> Destination | None:
    try:
        parts = urlsplit(uri if isinstance(uri, str) and uri.isascii() and uri.isprintable() else "")
        port = parts.port
    except ValueError:
        problems.append("URI is not valid")
        return None
    if parts.scheme != "http" or parts.hostname not in SANDBOX_HOSTS or " " in parts.path + parts.query:
        problems.append("URI must begin with http://sandbox.localdomain")
    elif not port:
        problems.append("URI port is not provided")
    else:
        return Destination("HTTP", port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), method)
    return None
