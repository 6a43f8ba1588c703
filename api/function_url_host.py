"""Function URLs as they are told: `http://<id>.lambda-url.<region>.<host>:<port>/`.

Scheme, host and port are those of LOCALSTACK_HOST, else those by which the caller reached the cloud, in the place of
AWS's `on.aws`, which stays for who called by AWS's own names; an IP address cannot carry names, so it is told as
`localhost`, under which every name is this machine (RFC 6761, section 6.3).
Only the id is kept, so the URL stays right when the cloud moves to another port.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from relambda.api.network.aws_hosts import FUNCTION_URL, is_aws_host


def function_url(base_url: str, url_id: str, region: str) -> str:
    """The URL of an id, for a caller who reached the cloud by `base_url`."""
    parts = urlsplit(base_url)
    if is_aws_host(parts.hostname or ""):
        return f"https://{url_id}.{FUNCTION_URL}.{region}.on.aws/"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{url_id}.{FUNCTION_URL}.{region}.{_name(parts.hostname or 'localhost')}{port}/"


def _name(host: str) -> str:
    try:
        ip_address(host)
    except ValueError:
        return host
    return "localhost"
