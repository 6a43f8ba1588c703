"""LAMBDA_DOCKER_FLAGS as the engine's API takes it."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from relambda.actors.engine.flags import ContainerFlags, FlagError, parse_flags


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("", ContainerFlags()),
        (
            "-e A=1 --env 'B=two words' --env=C=x=y",
            ContainerFlags(environment={"A": "1", "B": "two words", "C": "x=y"}),
        ),
        ("-l a=b --label c", ContainerFlags(labels={"a": "b", "c": ""})),
        ("-v /a:/b:ro --volume data:/c", ContainerFlags(volumes=("/a:/b:ro", "data:/c"))),
        ("--network one --net two", ContainerFlags(networks=("one", "two"))),
        ("--add-host a:1.2.3.4 --dns 1.1.1.1", ContainerFlags(hosts=("a:1.2.3.4",), dns=("1.1.1.1",))),
        ("-p 8080:80", ContainerFlags(ports={"80/tcp": [{"HostIp": "", "HostPort": "8080"}]})),
        ("-p 127.0.0.1:53:53/udp", ContainerFlags(ports={"53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}]})),
        ("-p 80", ContainerFlags(ports={"80/tcp": [{"HostIp": "", "HostPort": ""}]})),
    ],
)
def test_flags_are_read_as_docker_reads_them(text: str, flags: ContainerFlags) -> None:
    """Given flags in any of their spellings, then each is what `docker create` makes of it."""
    assert parse_flags(shlex.split(text)) == flags


@pytest.mark.parametrize(
    ("text", "member", "value"),
    [
        ("--cap-add SYS_PTRACE", "CapAdd", ["SYS_PTRACE"]),
        ("--privileged", "Privileged", True),
        ("--dns-search a --dns-option b", "DnsOptions", ["b"]),
        (
            "--device /dev/a:/dev/b:r",
            "Devices",
            [{"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "r"}],
        ),
        (
            "--device /dev/a",
            "Devices",
            [{"PathOnHost": "/dev/a", "PathInContainer": "/dev/a", "CgroupPermissions": "rwm"}],
        ),
        ("--sysctl a.b=1", "Sysctls", {"a.b": "1"}),
        ("--tmpfs /x:size=1m --tmpfs /y", "Tmpfs", {"/x": "size=1m", "/y": ""}),
        ("--shm-size 64m", "ShmSize", 64 * 1024 * 1024),
        ("--cpus 1.5", "NanoCpus", 1_500_000_000),
        ("--gpus all", "DeviceRequests", [{"Count": -1, "Capabilities": [["gpu"]]}]),
        ("--runtime runsc", "Runtime", "runsc"),
    ],
)
def test_other_flags_stand_over_what_relambda_sets(text: str, member: str, value: Any) -> None:
    """Given a flag that changes how a container is confined, then it is the engine's own member for it."""
    assert parse_flags(shlex.split(text)).host_config[member] == value


def test_a_file_of_variables_is_read_and_flags_win_over_it(tmp_path: Path) -> None:
    """Given --env-file and -e, when both name a variable, then the flag's value is taken, as Docker does it."""
    (tmp_path / "env").write_text("A=file\nB=file\n")
    assert parse_flags(["--env-file", str(tmp_path / "env"), "-e", "A=flag"]).environment == {"A": "flag", "B": "file"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("--frobnicate", "--frobnicate"),
        ("image", "image"),
        ("--net host", "--network host"),
        ("-e", "-e"),
        ("-p a:b", "a:b"),
        ("--cpus many", "--cpus"),
        ("--env-file /nowhere", "/nowhere"),
        ("--shm-size lots", "lots"),
    ],
)
def test_what_is_not_understood_is_named(text: str, named: str) -> None:
    """Given words that mean nothing here, when they are read, then the refusal names them."""
    with pytest.raises(FlagError, match=named):
        parse_flags(shlex.split(text))
