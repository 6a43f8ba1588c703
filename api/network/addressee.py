"""Which of AWS's services a request is for; one port answers them all."""

import re

from relambda.api.network.aws_hosts import FUNCTION_URL, service_of_host
from relambda.api.wire.service import served_targets

LAMBDA = "lambda"

_SCOPE = re.compile(r"Credential=[^/\s,]{1,256}/[^/\s,]{1,32}/[^/\s,]{1,64}/([a-z0-9-]{1,64})/aws4_request")
_SIGNATURE_FIELD = "X-Amz-Credential="
_TARGET = re.compile(r"[A-Za-z0-9_]{1,64}")


def addressee(authorization: str, query: str, host: str, target: str) -> str:
    """The service by its signing name, else by AWS's host name, else by `X-Amz-Target`; Lambda when nothing tells.

    The host of a function URL, and a target of a service that this cloud has, go before the signature. `query` is
    raw, `host` may have a port.
    """
    name = host.partition(":")[0].lower()
    by_host = service_of_host(name) if name.endswith((".aws", ".com", ".cn", ".eu")) else ""
    if by_host == FUNCTION_URL:
        return by_host
    prefix = target.partition(".")[0]
    if (served := served_targets().get(prefix)) is not None:
        return served
    signed = _SCOPE.search(authorization or _presigned(query))
    if signed is not None:
        return signed[1]
    return by_host or (prefix if _TARGET.fullmatch(prefix) else LAMBDA)


def _presigned(query: str) -> str:
    """The credential of a presigned URL, written as a header has it."""
    if _SIGNATURE_FIELD not in query:
        return ""
    return query.replace("%2F", "/").replace("%2f", "/").replace(_SIGNATURE_FIELD, "Credential=", 1)
