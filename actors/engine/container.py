"""The body of "Create a container" (Docker Engine API) for a sandbox: who it is, what it may do, what it sees."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from relambda.actors.engine.contract import Mount, SandboxSpec
from relambda.actors.engine.flags import ContainerFlags
from relambda.actors.engine.sandbox_user import GID, UID

LABEL: Final = "relambda"
"""The label of every container and of the volume at its /tmp; its value is the cloud's id."""

_MB: Final = 1024 * 1024
_VCPU_MB: Final = 1769
"""So much memory goes with one whole vCPU (limits.tsv, "memory")."""
_VCPU_SHARES: Final = 1024
_PERIOD: Final = 100_000
_PROCESSES: Final = 1024
_SANDBOX: Final = "sandbox.localdomain:0.0.0.0"
"""Where extensions listen for telemetry, by the name that AWS gives them: on all addresses that a sandbox has."""
_ULIMITS: Final = {
    "nofile": (1024, 1024),
    "stack": (8_388_608, -1),
    "memlock": (65_536, 65_536),
    "core": (10_737_418_240, 10_737_418_240),
}
"""Soft and hard limits as AWS has them (limits.tsv). RLIMIT_NPROC is not among them: the kernel counts a user's
processes over all containers together, so that one function would use up another's; the cgroup counts them here."""


@dataclass(frozen=True, slots=True)
class ContainerOptions:
    """What the user may set about all sandboxes of a cloud."""

    networks: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    flags: ContainerFlags = field(default_factory=ContainerFlags)
    keep: bool = False
    """Leave stopped containers of functions to be looked at, until the cloud starts again."""
    user: str = f"{UID}:{GID}"
    whole_cpus: bool = False
    """Hold each sandbox to its part of a vCPU even while nobody else wants one."""

    @property
    def network(self) -> str:
        """The network that a container is made in; the others are joined before its start."""
        return (*self.networks, *self.flags.networks, "bridge")[0]

    @property
    def more_networks(self) -> tuple[str, ...]:
        """What a container joins beside `network`."""
        return (*self.networks, *self.flags.networks)[1:]

    def beside(self, network: str | None) -> "ContainerOptions":
        """In the cloud's own network, if it has one and the user has named none."""
        return self if network is None or self.networks or self.flags.networks else replace(self, networks=(network,))


NO_OPTIONS: Final = ContainerOptions()


@dataclass(frozen=True, slots=True)
class FirstProcess:
    """What a container runs first, and whether it is driven over its standard input."""

    entrypoint: Sequence[str]
    command: Sequence[str]
    driven: bool = True


def container_config(
    spec: SandboxSpec,
    first: FirstProcess,
    disk: str | None,
    options: ContainerOptions,
    *,
    hosts: Sequence[str],
    cloud_id: str,
) -> dict[str, Any]:
    """The body; `hosts` are lines of its hosts file, `disk` the block device under its /tmp."""
    environment = {**spec.environment, **options.flags.environment}
    config: dict[str, Any] = {
        "Image": spec.image,
        "User": options.user,
        "Entrypoint": list(first.entrypoint),
        "Cmd": list(first.command),
        "Env": [*(f"{name}={value}" for name, value in environment.items()), *_unset(environment)],
        "Labels": {**options.flags.labels, **spec.labels, LABEL: cloud_id},
        "OpenStdin": first.driven,
        "StdinOnce": first.driven,
        "AttachStdin": first.driven,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": False,
        "StopSignal": "SIGKILL",
        "Healthcheck": {"Test": ["NONE"]},
        "ExposedPorts": {port: {} for port in (*options.flags.ports, *_published(spec))},
        "HostConfig": {**_host_config(spec, disk, options, hosts, cloud_id), **options.flags.host_config},
    }
    if spec.working_directory is not None:
        config["WorkingDir"] = spec.working_directory
    return config


def resources(memory_mb: int, options: ContainerOptions) -> dict[str, int]:
    """Memory, with no swap beside it, and CPU in proportion to it (limits.tsv, "memory")."""
    limits = {
        "Memory": memory_mb * _MB,
        "MemorySwap": memory_mb * _MB,
        "CpuShares": max(2, memory_mb * _VCPU_SHARES // _VCPU_MB),
    }
    if not options.whole_cpus:
        return limits
    return {**limits, "CpuPeriod": _PERIOD, "CpuQuota": max(1000, memory_mb * _PERIOD // _VCPU_MB)}


def _host_config(
    spec: SandboxSpec, disk: str | None, options: ContainerOptions, hosts: Sequence[str], cloud_id: str
) -> dict[str, Any]:
    flags = options.flags
    return {
        **resources(spec.memory_mb, options),
        "PidsLimit": _PROCESSES,
        "Ulimits": [{"Name": name, "Soft": soft, "Hard": hard} for name, (soft, hard) in _ULIMITS.items()],
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "IpcMode": "none",  # AWS has no /dev/shm either
        "Mounts": [*(_bind(mount) for mount in spec.mounts), _tmp(disk, cloud_id)],
        "Binds": list(flags.volumes),
        "PortBindings": {**flags.ports, **_published(spec)},
        "ExtraHosts": [_SANDBOX, *hosts, *flags.hosts],
        "Dns": [*options.dns, *flags.dns],
        "LogConfig": {"Type": "none", "Config": {}},
        "NetworkMode": options.network,
        "RestartPolicy": {"Name": "no"},
    }


def _published(spec: SandboxSpec) -> dict[str, list[dict[str, str]]]:
    return {f"{port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}] for port in spec.ports}


def _unset(environment: dict[str, str]) -> list[str]:
    """A name without a value takes away what the engine would set; AWS has no such variable."""
    return [name for name in ("HOSTNAME",) if name not in environment]


def _bind(mount: Mount) -> dict[str, Any]:
    return {"Type": "bind", "Source": str(mount.source), "Target": mount.target, "ReadOnly": True}


def _tmp(disk: str | None, cloud_id: str) -> dict[str, Any]:
    """On disk, so that what is in it takes nothing of the function's memory; it lives as long as the container."""
    how: dict[str, Any] = {"Labels": {LABEL: cloud_id}}
    if disk is not None:
        how["DriverConfig"] = {"Name": "local", "Options": {"type": "ext4", "device": disk, "o": "nosuid,nodev"}}
    return {"Type": "volume", "Target": "/tmp", "VolumeOptions": how}  # noqa: S108 - the sandbox's own
