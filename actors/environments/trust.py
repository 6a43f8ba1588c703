"""What functions trust beside the usual certificates, so that their own calls to AWS may come to this cloud."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from relambda.actors.engine.contract import Mount

AUTHORITY: Final = "ca.pem"
BUNDLE: Final = "bundle.pem"
"""All certificates of this machine, and the authority's."""
_TARGET: Final = "/etc/relambda"


@dataclass(frozen=True, slots=True)
class Trust:
    """A folder that holds AUTHORITY and BUNDLE."""

    folder: Path

    def mount(self) -> Mount:
        """Where a function sees the folder."""
        return Mount(self.folder, _TARGET)

    def variables(self) -> Mapping[str, str]:
        """By which the SDKs, OpenSSL (Python, Ruby, .NET, Rust), Go, Requests, curl and Node find the certificates.

        Java has no such variable: its SDK uses AWS_ENDPOINT_URL, which needs no certificate.
        """
        bundle = f"{_TARGET}/{BUNDLE}"
        names = ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        return {**dict.fromkeys(names, bundle), "NODE_EXTRA_CA_CERTS": f"{_TARGET}/{AUTHORITY}"}
