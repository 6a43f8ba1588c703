"""The sockets of DNS and HTTPS: all of them or none, and whoever lacks them is told why."""

import logging
import random
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from relambda.api.network.complaints import complaints
from relambda.api.network.doors import Doors, open_doors
from relambda.api.settings.settings import Settings


@pytest.fixture
def address() -> str:
    """An address of this machine whose ports nobody has."""
    return f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}.{random.randrange(1, 255)}"


@pytest.fixture
def opened(address: str) -> Iterator[Doors]:
    doors = open_doors(Settings.read({}), address)
    assert doors is not None
    yield doors
    doors.close()


def test_they_are_where_functions_reach_this_machine(opened: Doors, address: str) -> None:
    """Given an address, then HTTPS and DNS are open there and nowhere else."""
    assert opened.https.getsockname() == opened.https_name == (address, 443)
    assert opened.udp.getsockname() == opened.tcp.getsockname() == (address, 53)
    other = address.replace("127.", "127.0.", 1).rsplit(".", 1)[0]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((other, 443), 5)


def test_a_taken_port_leaves_none_open(opened: Doors, address: str, caplog: pytest.LogCaptureFixture) -> None:
    """Given another cloud at an address, then the second opens nothing, and its warning names port and mend."""
    assert open_doors(Settings.read({}), address) is None
    assert f"{address}:443 is in use, by another cloud perhaps: LAMBDA_DOCKER_NETWORK" in caplog.text
    opened.https.close()
    assert open_doors(Settings.read({}), address) is None
    assert f"{address}:53 is in use" in caplog.text
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, 443), 5)


def test_who_sets_them_up_hears_the_warnings(opened: Doors, address: str, caplog: pytest.LogCaptureFixture) -> None:
    """Given another cloud at an address, then the warning is in the log, and in a list for the terminal, once."""
    with complaints() as heard:
        assert open_doors(Settings.read({}), address) is None
    assert open_doors(Settings.read({}), address) is None
    assert heard == [caplog.messages[0]]
    assert f"{address}:443 is in use" in heard[0]


def test_who_does_not_want_them_hears_nothing(address: str, caplog: pytest.LogCaptureFixture) -> None:
    """Given DNS_ADDRESS=0, or no engine, then there are none and no warning."""
    caplog.set_level(logging.DEBUG)
    assert open_doors(Settings.read({"DNS_ADDRESS": "0"}), address) is None
    assert open_doors(Settings.read({}), "") is None
    assert not caplog.text


def test_an_engine_in_another_machine_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Given an engine whose containers know this machine by a name alone, then the warning says so."""
    assert open_doors(Settings.read({}), "host.docker.internal") is None
    assert "the engine runs in another machine" in caplog.text


def test_a_server_that_containers_cannot_ask_is_not_told_to_them(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Given a DNS server on loopback or another port, then it is open, and a warning says who does not get it."""
    doors = open_doors(Settings.read({"DNS_ADDRESS": address, "DNS_PORT": "5353"}), address)
    assert doors is not None
    assert (doors.udp.getsockname(), doors.name_server) == ((address, 5353), "")
    doors.close()
    assert f"functions are not told of the DNS server at {address}:5353" in caplog.text


def test_who_may_not_open_them_is_told_what_is_missing(address: str) -> None:
    """Given a process without the capability for low ports, then there are none, and the warning names it."""
    code = (
        "import logging; logging.basicConfig()\n"
        "from relambda.api.network.doors import open_doors\n"
        "from relambda.api.settings.settings import Settings\n"
        f"assert open_doors(Settings.read({{}}), {address!r}) is None"
    )
    command = ["setpriv", "--bounding-set=-net_bind_service", sys.executable, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{address}:443 is for root, or for a process that has the capability CAP_NET_BIND_SERVICE" in done.stderr
    assert "DNS_ADDRESS=0 ends this warning" in done.stderr
