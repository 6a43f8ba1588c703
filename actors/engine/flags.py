"""LAMBDA_DOCKER_FLAGS: flags as `docker create` has them, for all functions' containers."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn


class FlagError(ValueError):
    """Raised for a flag that is not understood; names it."""


@dataclass(frozen=True, slots=True)
class ContainerFlags:
    """What the flags add to every container."""

    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    ports: Mapping[str, list[dict[str, str]]] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    host_config: Mapping[str, Any] = field(default_factory=dict)
    """Further members of the Docker Engine API's HostConfig, over those that Relambda sets."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise FlagError(message)


_LISTS: Final = (
    ("-e", "--env"),
    ("-v", "--volume"),
    ("-p", "--publish"),
    ("-l", "--label"),
    ("--network", "--net"),
    ("--env-file",),
    ("--add-host",),
    ("--dns",),
    ("--dns-search",),
    ("--dns-option",),
    ("--cap-add",),
    ("--security-opt",),
    ("--device",),
    ("--sysctl",),
    ("--tmpfs",),
    ("--volumes-from",),
    ("--group-add",),
)
_MEMBERS: Final = {
    "dns_search": "DnsSearch",
    "dns_option": "DnsOptions",
    "cap_add": "CapAdd",
    "security_opt": "SecurityOpt",
    "volumes_from": "VolumesFrom",
    "group_add": "GroupAdd",
}


def parse_flags(words: Sequence[str]) -> ContainerFlags:
    """Read flags as a shell has split them. Raises FlagError, which names what is not understood."""
    if not words:
        return ContainerFlags()
    given, unknown = _parser().parse_known_args(list(words))
    if unknown:
        raise FlagError(f"{unknown[0]} is not understood")
    if "host" in given.network:
        raise FlagError("--network host cannot be: functions have a network of their own")
    from docker.errors import DockerException  # noqa: PLC0415 - slow, and most often there are no flags

    try:
        return ContainerFlags(
            environment=_pairs([*_env_files(given.env_file), *given.env]),
            labels=_pairs(given.label),
            volumes=tuple(given.volume),
            ports=_ports(given.publish),
            networks=tuple(given.network),
            hosts=tuple(given.add_host),
            dns=tuple(given.dns),
            host_config=_host_config(given),
        )
    except (ValueError, OSError, DockerException) as error:
        raise FlagError(str(error)) from error


def _parser() -> _Parser:
    parser = _Parser(add_help=False, allow_abbrev=False, prog="")
    for names in _LISTS:
        parser.add_argument(*names, action="append", default=[])
    parser.add_argument("--privileged", action="store_true")
    parser.add_argument("--shm-size")
    parser.add_argument("--cpus", type=float)
    parser.add_argument("--gpus", choices=["all"])
    parser.add_argument("--runtime")
    return parser


def _host_config(given: argparse.Namespace) -> dict[str, Any]:
    config: dict[str, Any] = {member: values for name, member in _MEMBERS.items() if (values := getattr(given, name))}
    if given.privileged:
        config |= {"Privileged": True, "SecurityOpt": []}
    if given.device:
        config["Devices"] = [_device(text) for text in given.device]
    if given.sysctl:
        config["Sysctls"] = _pairs(given.sysctl)
    if given.tmpfs:
        config["Tmpfs"] = dict((*text.split(":", 1), "")[:2] for text in given.tmpfs)
    if given.shm_size:
        from docker.utils import parse_bytes  # noqa: PLC0415 - see parse_flags

        config |= {"ShmSize": parse_bytes(given.shm_size), "IpcMode": "private"}
    if given.cpus:
        config["NanoCpus"] = int(given.cpus * 10**9)
    if given.gpus:
        config["DeviceRequests"] = [{"Count": -1, "Capabilities": [["gpu"]]}]
    if given.runtime:
        config["Runtime"] = given.runtime
    return config


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


def _env_files(paths: Sequence[str]) -> list[str]:
    from docker.utils import parse_env_file  # noqa: PLC0415 - see parse_flags

    found: list[str] = []
    for path in paths:
        variables = parse_env_file(path)
        found += [f"{name}={value}" for name, value in variables.items()]
    return found


def _ports(texts: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """By port of the container, `8080/tcp`, the addresses of this machine that lead to it."""
    from docker.utils.ports import build_port_bindings  # noqa: PLC0415 - see parse_flags

    ports: dict[str, list[dict[str, str]]] = {}
    for port, bindings in build_port_bindings(list(texts)).items():
        name = port if "/" in port else f"{port}/tcp"
        ports[name] = [_binding(binding) for binding in bindings]
    return ports


def _binding(binding: Any) -> dict[str, str]:
    if isinstance(binding, tuple):
        return {"HostIp": binding[0], "HostPort": binding[1] or ""}
    return {"HostIp": "", "HostPort": binding or ""}


def _device(text: str) -> dict[str, str]:
    host, inside, rights = (*text.split(":"), "", "")[:3]
    return {"PathOnHost": host, "PathInContainer": inside or host, "CgroupPermissions": rights or "rwm"}
