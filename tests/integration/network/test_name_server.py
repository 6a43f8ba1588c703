"""The DNS server of functions, asked over real sockets; a second server on loopback is who it asks for other names."""

import re
import socket
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from relambda.api.network import name_server
from relambda.api.network.name_rules import NameRules
from relambda.api.network.name_server import NameServer
from relambda.api.settings.option import Listen

HERE = "192.0.2.7"
SECONDS = 10.0


class Elsewhere(threading.Thread):
    """An upstream DNS server: every name is 198.51.100.9; keeps the names it was asked for."""

    def __init__(self) -> None:
        super().__init__(name="elsewhere")
        self.asked: list[str] = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.listen = Listen(*self.udp.getsockname())

    def run(self) -> None:
        while True:
            wire, who = self.udp.recvfrom(4096)
            if not wire:
                return
            query = dns.message.from_wire(wire)
            name = query.question[0].name
            self.asked.append(name.to_text())
            answer = dns.message.make_response(query)
            answer.answer.append(dns.rrset.from_text(name, 5, "IN", "A", "198.51.100.9"))
            self.udp.sendto(answer.to_wire(), who)

    def stop(self) -> None:
        self.udp.sendto(b"", self.udp.getsockname())
        self.join(SECONDS)
        self.udp.close()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    server = Elsewhere()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def port(elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a name server that asks a dead server first, then the live one."""
    monkeypatch.setattr(name_server, "ASK_SECONDS", 0.5)
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(tcp.getsockname())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.bind(("127.0.0.1", 0))
        nobody = Listen(*dead.getsockname())
    rules = NameRules(HERE, own="cloud.example", elsewhere=[re.compile(r".*\.rds\.amazonaws\.com")])
    server = NameServer(rules, lambda: [nobody, elsewhere.listen], udp, tcp)
    number = tcp.getsockname()[1]
    server.start()
    yield number
    server.stop()
    assert "name-server" not in {thread.name for thread in threading.enumerate()}


def ask(port: int, name: str, kind: str = "A", *, tcp: bool = False) -> dns.message.Message:
    """What it answers."""
    query = dns.message.make_query(name, kind)
    if tcp:
        return dns.query.tcp(query, "127.0.0.1", SECONDS, port)
    return dns.query.udp(query, "127.0.0.1", SECONDS, port)


def addresses(answer: dns.message.Message) -> list[str]:
    return [str(record) for rrset in answer.answer for record in rrset]


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "lambda.us-east-1.amazonaws.com",
        "SQS.us-east-1.AMAZONAWS.com.",
        "bucket.s3.eu-west-1.amazonaws.com",
        "lambda.us-east-1.api.aws",
        "abc.lambda-url.us-east-1.on.aws",
        "cloud.example",
        "id.lambda-url.us-east-1.cloud.example",
    ],
)
def test_names_of_aws_lead_here(port: int, elsewhere: Elsewhere, name: str, *, tcp: bool) -> None:
    """Given a name of AWS's or of the cloud, then it has this address, and nobody else is asked."""
    answer = ask(port, name, tcp=tcp)
    assert addresses(answer) == [HERE]
    assert answer.rcode() == dns.rcode.NOERROR
    assert not elsewhere.asked


@pytest.mark.parametrize("kind", ["AAAA", "TXT", "HTTPS", "SRV"])
def test_they_have_an_address_and_nothing_else(port: int, elsewhere: Elsewhere, kind: str) -> None:
    """Given another kind of question about such a name, then there is no record and no error: clients do not wait."""
    answer = ask(port, "lambda.us-east-1.amazonaws.com", kind)
    assert (addresses(answer), answer.rcode()) == ([], dns.rcode.NOERROR)
    assert not elsewhere.asked


@pytest.mark.parametrize("name", ["outside.example.", "notamazonaws.com.", "db.1.us-east-1.rds.amazonaws.com."])
def test_all_other_names_are_resolved_as_before(port: int, elsewhere: Elsewhere, name: str) -> None:
    """Given any other name, or one that a pattern sends upstream, then the next server that answers is believed."""
    assert addresses(ask(port, name)) == ["198.51.100.9"]
    assert elsewhere.asked == [name]


def test_rubbish_does_not_stop_it(port: int) -> None:
    """Given what is no question, by datagram or connection, then nothing is answered, and the next question is."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for wire in (b"", b"\0", b"\xff" * 600, dns.message.make_query("a.example", "A").to_wire()[:15]):
            udp.sendto(wire, ("127.0.0.1", port))
        answered = dns.message.make_response(dns.message.make_query("lambda.us-east-1.amazonaws.com", "A"))
        udp.sendto(answered.to_wire(), ("127.0.0.1", port))
    with socket.create_connection(("127.0.0.1", port), SECONDS) as tcp:
        tcp.sendall(b"\0\x05wrong")
        assert tcp.recv(1) == b""
    assert addresses(ask(port, "lambda.us-east-1.amazonaws.com")) == [HERE]


def test_a_flood_holds_up_nobody(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given more questions than may wait for silent servers, and idle connections, then AWS's names answer."""
    monkeypatch.setattr(name_server, "MOST_AT_ONCE", 8)
    monkeypatch.setattr(name_server, "ASK_SECONDS", SECONDS)
    idle = [socket.create_connection(("127.0.0.1", port), SECONDS) for _ in range(name_server.MOST_CONNECTIONS + 8)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for number in range(50):
            udp.sendto(dns.message.make_query(f"{number}.example", "A").to_wire(), ("127.0.0.1", port))
        assert addresses(ask(port, "lambda.us-east-1.amazonaws.com")) == [HERE]
    assert any(connection.recv(1) == b"" for connection in idle[-1:])
    for connection in idle:
        connection.close()


def test_no_upstream_that_answers_is_an_error_at_once() -> None:
    """Given no server to ask, then the answer is SERVFAIL, and names of AWS's still lead here."""
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(tcp.getsockname())
    port = tcp.getsockname()[1]
    server = NameServer(NameRules(HERE), list, udp, tcp)
    server.start()
    try:
        assert ask(port, "outside.example").rcode() == dns.rcode.SERVFAIL
        assert addresses(ask(port, "sts.amazonaws.com")) == [HERE]
    finally:
        server.stop()
