"""Certificates for AWS's names: from an authority that is made once, kept secret, and good for nothing else."""

import socket
import ssl
import stat
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from relambda.actors.environments.trust import AUTHORITY, BUNDLE
from relambda.api.network import tls_gate
from relambda.api.network.authority import FILE, Authority, AuthorityError
from relambda.api.network.tls_gate import TlsGate

LAMBDA = "lambda.us-east-1.amazonaws.com"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.of(tmp_path)


@pytest.fixture
def port(authority: Authority) -> Iterator[int]:
    """Where a server says `hello` through the gate to each caller whose handshake succeeds."""
    gate = TlsGate(authority)
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(8) as pool:

        def greet(caller: socket.socket) -> None:
            with caller:
                try:
                    with gate.wrap_socket(caller) as wrapped:
                        wrapped.sendall(b"hello")
                except OSError:
                    return

        def serve() -> None:
            while True:
                try:
                    pool.submit(greet, listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def call(port: int, host: str | None, trusted: Path) -> bytes:
    """What a client reads that trusts these certificates and asks for that host. Raises OSError."""
    context = ssl.create_default_context(cafile=str(trusted))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.check_hostname = host is not None
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname=host) as wrapped,
    ):
        return wrapped.recv(5)


@pytest.mark.parametrize("trusted", [AUTHORITY, BUNDLE])
@pytest.mark.parametrize("host", [LAMBDA, "a.b.s3.amazonaws.com", "x.lambda-url.us-east-1.on.aws", "sts.amazonaws.com"])
def test_clients_that_trust_the_authority_are_served(authority: Authority, port: int, host: str, trusted: str) -> None:
    """Given either file of the trust folder, then any host of AWS has a certificate that strict clients accept."""
    assert call(port, host, authority.trust.folder / trusted) == b"hello"


@pytest.mark.parametrize("host", [None, "example.com", "amazonaws.com.example.org", "localhost"])
def test_nobody_else_is_impersonated(authority: Authority, port: int, host: str | None) -> None:
    """Given no host name, or one that is not AWS's, then there is no handshake."""
    with pytest.raises(OSError, match=r"(?i)unrecognized|alert|eof|reset"):
        call(port, host, authority.trust.folder / AUTHORITY)


def test_the_authority_is_worthless_for_other_names(authority: Authority, tmp_path: Path) -> None:
    """Given a certificate for another name that its key signed all the same, then no verifier accepts it."""
    leaf = tmp_path / "leaf.pem"

    def verified(host: str) -> bool:
        leaf.write_bytes(authority.issue(host))
        command = ["openssl", "verify", "-CAfile", str(authority.trust.folder / AUTHORITY), str(leaf)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    assert verified(LAMBDA)
    assert not verified("example.com")
    assert not verified("amazonaws.com.example.org")


def test_it_is_made_once_and_its_key_is_nobodys(tmp_path: Path) -> None:
    """Given a second start, then the authority is the same, and its key is for its owner alone."""
    first, second = Authority.of(tmp_path), Authority.of(tmp_path)
    file, folder = tmp_path / FILE, first.trust.folder
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == sorted([AUTHORITY, BUNDLE])
    assert all(b"PRIVATE" not in path.read_bytes() for path in folder.iterdir())
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o644 for path in folder.iterdir())
    assert second.trust == first.trust
    assert (folder / AUTHORITY).read_bytes() in file.read_bytes()
    assert (folder / BUNDLE).read_bytes().count(b"BEGIN CERTIFICATE") > 50
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([FILE, "trust"])


def test_a_damaged_authority_is_told_with_its_mend(tmp_path: Path) -> None:
    """Given a file that is no authority, then the error names it and says what to do."""
    (tmp_path / FILE).write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(AuthorityError, match=f"{FILE} is damaged.*delete it"):
        Authority.of(tmp_path)


def test_a_silent_client_is_let_go(authority: Authority, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a client that never shakes hands, then its connection ends, and others are served meanwhile."""
    monkeypatch.setattr(tls_gate, "HANDSHAKE_SECONDS", 0.5)
    with socket.create_connection(("127.0.0.1", port), 30) as silent:
        assert call(port, LAMBDA, authority.trust.folder / AUTHORITY) == b"hello"
        assert silent.recv(1) == b""
