"""Who calls and where, read from a request's SigV4 credential scope.

Signatures are NOT verified: any secret key will do, and none is kept. What counts is the scope's access key and
region, `Credential=AKID/20260102/us-east-1/lambda/aws4_request`, in the Authorization header or, of a presigned
URL, in the `X-Amz-Credential` query field.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"

_HEADER_SCOPE = re.compile(r"Credential=([^\s,]{1,512})")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,5}(-[a-z0-9]{1,16}){1,4}", re.ASCII)
_SERVICE = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Caller:
    """The account and region a request is for, and the service its signature names (`` when it names none)."""

    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    service: str = ""
    access_key: str = ""


def caller_of(authorization: str | None, query: Mapping[str, Sequence[str]]) -> Caller:
    """The caller of a request with this Authorization header and these query fields; both may be missing.

    The account is the access key when that is twelve digits, else 000000000000; the region is us-east-1 unless the
    scope has a plausible one.
    """
    access_key, *rest = _scope(authorization, query).split("/")
    region, service = (rest[1], rest[2]) if len(rest) == 4 else ("", "")
    return Caller(
        account=access_key if _ACCOUNT.fullmatch(access_key) else DEFAULT_ACCOUNT,
        region=region if _REGION.fullmatch(region) else DEFAULT_REGION,
        service=service if _SERVICE.fullmatch(service) else "",
        access_key=access_key,
    )


def _scope(authorization: str | None, query: Mapping[str, Sequence[str]]) -> str:
    found = _HEADER_SCOPE.search(authorization or "")
    if found is not None:
        return found[1]
    presigned = query.get("X-Amz-Credential", ())
    return presigned[0][:512] if presigned else ""
