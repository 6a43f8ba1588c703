"""Scheme, host and port of the URLs that a cloud answers."""

from urllib.parse import urlsplit

from relambda.api.settings.settings import Settings

_HTTPS_PORT = 443


def public_url(settings: Settings) -> str:
    """As LOCALSTACK_HOST says, with the first port that the cloud listens on where it names none; "" when it is unset.

    Only port 443 speaks TLS.
    """
    if not settings.localstack_host:
        return ""
    parts = urlsplit(f"//{settings.localstack_host}")
    port = parts.port or settings.gateway_listen[0].port
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"https://{host}" if port == _HTTPS_PORT else f"http://{host}:{port}"
