"""The certificate authority of one cloud: it vouches for AWS's host names, to this cloud's functions alone.

It is made once for each state directory. Its key never leaves there (mode 0600) and no pod carries it; name
constraints make it worthless for any name that is not AWS's, even to somebody who has it.
"""

import os
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from relambda.actors.environments.trust import AUTHORITY, BUNDLE, Trust
from relambda.api.network.aws_hosts import SUFFIXES

FILE: Final = "authority.pem"
TRUST: Final = "trust"
_YEARS: Final = timedelta(days=3650)
_LEAF: Final = timedelta(days=397)
_CLOCKS: Final = timedelta(days=1)
"""How far clocks of containers and machines may be apart."""


class AuthorityError(Exception):
    """Raised when the file of an authority is damaged; the message says what to do."""


class Authority:
    """Key and certificate, and the folder that makes functions trust them."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, trust: Trust) -> None:
        self._key, self._certificate, self.trust = key, certificate, trust
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())

    @classmethod
    def of(cls, state_dir: Path) -> "Authority":
        """The authority of a state directory, made now if there is none or its time is nearly over.

        Raises AuthorityError, OSError.
        """
        path = state_dir / FILE
        if not path.exists() or _read(path)[1].not_valid_after_utc < datetime.now(UTC) + _LEAF:
            _write(path, _make(), 0o600)
        key, certificate = _read(path)
        return cls(key, certificate, _trust(state_dir / TRUST, certificate))

    def issue(self, host: str) -> bytes:
        """A key and a certificate for a host, in PEM."""
        builder = _builder("Relambda endpoint", self._certificate.subject, self._leaf_key.public_key(), _LEAF)
        certificate = (
            builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_issuer(self._certificate), critical=False)
            .sign(self._key, SHA256())
        )
        return _pem(self._leaf_key, certificate)


def _make() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = "Relambda (this machine only)"
    certificate = (
        _builder(subject, _name(subject), key.public_key(), _YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName(suffix) for suffix in SUFFIXES], None), critical=True)
        .sign(key, SHA256())
    )
    return _pem(key, certificate)


def _builder(
    subject: str, issuer: x509.Name, public: ec.EllipticCurvePublicKey, valid: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS)
        .not_valid_after(now + valid)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage() -> x509.KeyUsage:
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only")
    off = dict.fromkeys((*others, "decipher_only", "digital_signature"), False)
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **off)


def _issuer(certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier.value)


def _pem(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bytes:
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return secret + certificate.public_bytes(Encoding.PEM)


def _read(path: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    try:
        pem = path.read_bytes()
        key, certificate = load_pem_private_key(pem, None), x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise AuthorityError(f"{path} is damaged: {error}; delete it, and a new authority is made") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityError(f"{path} holds another kind of key: delete it, and a new authority is made")
    return key, certificate


def _trust(folder: Path, certificate: x509.Certificate) -> Trust:
    """Written at each start: the machine's own certificates change."""
    own = certificate.public_bytes(Encoding.PEM)
    folder.mkdir(mode=0o755, exist_ok=True)
    usual = Path(ssl.get_default_verify_paths().cafile or certifi.where()).read_bytes()
    _write(folder / AUTHORITY, own, 0o644)
    _write(folder / BUNDLE, usual.rstrip() + b"\n" + own, 0o644)
    return Trust(folder)


def _write(path: Path, content: bytes, mode: int) -> None:
    """All of a file or nothing of it, and nobody ever reads more than `mode` allows. Raises OSError."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as unfinished:
        unfinished.write(content)
        unfinished.flush()
        os.fchmod(unfinished.fileno(), mode)
        os.fsync(unfinished.fileno())
    Path(unfinished.name).replace(path)
