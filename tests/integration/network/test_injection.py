"""Options reach the name server: asked over the sockets that the doors opened."""

import random
import socket
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from relambda.actors.environments.trust import AUTHORITY
from relambda.api.network import name_server
from relambda.api.network.doors import open_doors
from relambda.api.network.injection import Injection
from relambda.api.settings.sandboxes import container_options
from relambda.api.settings.settings import Settings


def test_options_decide_what_names_lead_to(tmp_path: Path, silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given DNS_RESOLVE_IP, LOCALSTACK_HOST and patterns, then names lead where they say.

    What goes upstream is asked of DNS_SERVER, where nobody answers here: an error.
    """
    monkeypatch.setattr(name_server, "ASK_SECONDS", 0.3)
    host = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}.7"
    options = {
        "DNS_RESOLVE_IP": "192.0.2.44",
        "LOCALSTACK_HOST": "cloud.example:4566",
        "DNS_NAME_PATTERNS_TO_RESOLVE_UPSTREAM": r"sts\..*, .*\.rds\.amazonaws\.com",
        "DNS_SERVER": silent,
    }
    settings = Settings.read(options)
    doors = open_doors(settings, host)
    assert doors is not None
    doors.https.close()
    injection = Injection(doors, settings, tmp_path)
    try:
        assert ask(host, "lambda.us-east-1.amazonaws.com") == ["192.0.2.44"]
        assert ask(host, "any.cloud.example") == ["192.0.2.44"]
        assert ask(host, "sts.amazonaws.com") == dns.rcode.SERVFAIL
        assert ask(host, "db.us-east-1.rds.amazonaws.com") == dns.rcode.SERVFAIL
    finally:
        injection.stop()
    assert (injection.trust.folder / AUTHORITY).exists()


@pytest.fixture
def silent() -> Iterator[str]:
    """An address where nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        yield f"127.0.0.1:{nobody.getsockname()[1]}"


def ask(host: str, name: str) -> list[str] | dns.rcode.Rcode:
    """The addresses of a name, or what went wrong."""
    answer = dns.query.udp(dns.message.make_query(name, "A"), host, 10)
    return answer.rcode() or [str(record) for rrset in answer.answer for record in rrset]


@pytest.mark.parametrize(
    ("options", "servers"),
    [
        ({}, ("172.17.0.1",)),
        ({"LAMBDA_DOCKER_DNS": "192.0.2.1"}, ("192.0.2.1",)),
        ({"LAMBDA_DOCKER_FLAGS": "--dns 192.0.2.2"}, ()),
    ],
)
def test_who_names_a_dns_server_gets_no_other(options: dict[str, str], servers: tuple[str, ...]) -> None:
    """Given LAMBDA_DOCKER_DNS, or a --dns flag, then containers are told of those servers and not of the cloud's."""
    assert container_options(Settings.read(options), "172.17.0.1").dns == servers
