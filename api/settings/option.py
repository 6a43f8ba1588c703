"""One option of the environment: its name, how its text is read, its default and what it means."""

import ipaddress
import json
import re
import shlex
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from relambda.actors.engine.flags import ContainerFlags, FlagError, parse_flags

T = TypeVar("T")

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


class SettingsError(ValueError):
    """Raised when the environment holds a value that means nothing; names the variable, the value, what is allowed."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """How the text of a variable becomes a value; `read` raises ValueError for any text that is not `allowed`."""

    allowed: str
    read: Callable[[str], T]


@dataclass(frozen=True, slots=True)
class Option(Generic[T]):
    """One row of the table of options, from which the documentation is made as well."""

    variable: str
    default: str
    kind: Kind[T]
    meaning: str

    def read(self, environ: Mapping[str, str]) -> T:
        """The value in `environ`; an unset or empty variable means the default. Raises SettingsError."""
        text = environ.get(self.variable, "").strip() or self.default
        try:
            return self.kind.read(text)
        except ValueError as error:
            why = f"{error}; " if isinstance(error, FlagError) else ""
            raise SettingsError(
                f"{self.variable}={text!r} is not understood: {why}allowed is {self.kind.allowed}"
            ) from error


def option(variable: str, kind: Kind[T], default: str, meaning: str) -> T:
    """Declare a field of Settings by its row; the field's type is what the kind reads."""
    value: Any = field(metadata={"option": Option(variable, default, kind, meaning)})
    return value  # type: ignore[no-any-return]


def whole(low: int, high: int = 2**63 - 1) -> Kind[int]:
    """A whole number within both bounds."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 19 and low <= int(text) <= high):
            raise ValueError(text)
        return int(text)

    return Kind(f"a whole number from {low} to {high}" if high < 2**63 - 1 else f"a whole number from {low}", read)


def choice(*words: str) -> Kind[str]:
    """One of some words, in any case."""

    def read(text: str) -> str:
        return words[words.index(text.lower())]

    return Kind(" or ".join(words), read)


def _boolean(text: str) -> bool:
    if (word := text.lower()) not in TRUE | FALSE:
        raise ValueError(text)
    return word in TRUE


def _http_url(text: str) -> str:
    if text and not (text.startswith(("http://", "https://")) and urlsplit(text).hostname):
        raise ValueError(text)
    return text


def _engine_url(text: str) -> str:
    if text and not text.startswith(("unix://", "tcp://", "http://", "https://", "ssh://", "npipe://")):
        raise ValueError(text)
    return text


def _address(text: str) -> str:
    return text if text in {"", "0"} else str(ipaddress.ip_address(text))


def _host_address(text: str) -> str:
    return str(ipaddress.ip_address(text)) if text else ""


def _patterns(text: str) -> tuple[re.Pattern[str], ...]:
    try:
        return tuple(re.compile(part.strip()) for part in text.split(",") if part.strip())
    except re.error as error:
        raise ValueError(text) from error


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_address(part)) for part in _listed(text))


def _networks(text: str) -> tuple[str, ...]:
    names = _listed(text)
    if "host" in names:
        raise ValueError(text)
    return names


def _flags(text: str) -> ContainerFlags:
    return parse_flags(shlex.split(text))


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _roots(text: str) -> tuple[Path, ...]:
    folders = _listed(text) or ("~", ".", tempfile.gettempdir())
    return tuple(_path(folder) for folder in folders)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


@dataclass(frozen=True, slots=True)
class RuntimeImages:
    """Which images stand in for the official ones: by runtime name, or by a pattern that holds `<runtime>`."""

    by_runtime: Mapping[str, str] = field(default_factory=dict)
    pattern: str = ""

    def image(self, runtime: str) -> str | None:
        """The image to use for a runtime, or None for the official one."""
        return self.by_runtime.get(runtime) or self.pattern.replace("<runtime>", runtime) or None


def _runtime_images(text: str) -> RuntimeImages:
    if not text.startswith("{"):
        if text and "<runtime>" not in text:
            raise ValueError(text)
        return RuntimeImages(pattern=text)
    images = json.loads(text)
    if not all(isinstance(image, str) and image for image in images.values()):
        raise ValueError(text)
    return RuntimeImages(by_runtime=images)


@dataclass(frozen=True, slots=True)
class Listen:
    """An address to listen on; port 0 takes a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 4566


def _listen(text: str) -> Listen:
    parts = urlsplit(f"//{text}")
    if parts.path or parts.username is not None:
        raise ValueError(text)
    return Listen(parts.hostname or DEFAULT_HOST, DEFAULT_PORT if parts.port is None else parts.port)


def _optional_address(text: str) -> Listen | None:
    return _listen(text) if text else None


def _name_server(text: str) -> Listen:
    bare = text.count(":") != 1 and not text.startswith("[")
    parts = urlsplit(f"//[{text}]" if bare and ":" in text else f"//{text}")
    if parts.path or parts.username is not None:
        raise ValueError(text)
    return Listen(str(ipaddress.ip_address(parts.hostname or "")), 53 if parts.port is None else parts.port)


def _name_servers(text: str) -> tuple[Listen, ...]:
    return tuple(_name_server(part.strip()) for part in text.split(",") if part.strip())


def _public_host(text: str) -> str:
    parts = urlsplit(f"//{text}")
    if text and (parts.path or parts.username is not None or not parts.hostname or parts.port == 0):
        raise ValueError(text)
    return text.lower()


def _listens(text: str) -> tuple[Listen, ...]:
    return tuple(_listen(part.strip()) for part in text.split(","))


BOOLEAN = Kind("1 or 0 (or true, false, yes, no, on, off)", _boolean)
TEXT: Kind[str] = Kind("any text", str)
HTTP_URL = Kind("a URL that begins with http:// or https://", _http_url)
LAYER_SOURCE = Kind(
    "`aws`, with the credentials that AWS's SDKs find, or a URL that begins with http:// or https://",
    lambda text: "aws" if text.lower() == "aws" else _http_url(text),
)
ENGINE_URL = Kind("a URL that begins with unix://, tcp://, http://, https://, ssh:// or npipe://", _engine_url)
ADDRESS = Kind("an IP address, or 0 for off", _address)
HOST_ADDRESS = Kind("an IP address", _host_address)
NAME_SERVERS = Kind("IP addresses, with :port where it is not 53, several with commas between", _name_servers)
PATTERNS = Kind("regular expressions with commas between", _patterns)
PUBLIC_HOST = Kind("a host name or address, with :port where it is not the one the cloud listens on", _public_host)
ADDRESSES = Kind("IP addresses with commas between", _addresses)
NETWORKS = Kind("names of Docker networks with commas between (`host` cannot be one)", _networks)
FLAGS = Kind(
    "flags as `docker create` has them, quoted as in a shell: -e, --env-file, -v, -p, -l, --network, --add-host, "
    "--dns, --dns-search, --dns-option, --cap-add, --privileged, --security-opt, --device, --gpus all, --runtime, "
    "--sysctl, --tmpfs, --shm-size, --cpus, --group-add, --volumes-from",
    _flags,
)
PATH = Kind("a path", _path)
ROOTS = Kind("paths of folders with commas between", _roots)
GLOBS = Kind("globs of names or ends of paths with commas between", _listed)
RUNTIME_IMAGES = Kind(
    'a pattern that holds <runtime>, as in repo/x-<runtime>:tag, or a JSON object, as in {"python3.13": "image:tag"}',
    _runtime_images,
)
OPTIONAL_ADDRESS = Kind("host:port", _optional_address)
LISTENS = Kind("host:port, host, or :port, several with commas between", _listens)
