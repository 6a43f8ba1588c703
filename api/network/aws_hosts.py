"""AWS's own host names, and the service that each is of (AWS General Reference, "AWS service endpoints")."""

import re

SUFFIXES = ("amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws", "on.aws")
"""The domains under which AWS's services answer, function URLs (`on.aws`) among them."""

FUNCTION_URL = "lambda-url"
"""What stands for the service in the host name of a function URL."""

_SUFFIX = re.compile("|".join(rf"(^|\.){re.escape(suffix)}$" for suffix in SUFFIXES))
_PLACE = re.compile(r"[a-z]{2,5}(-[a-z]+){1,3}-\d+|dualstack|vpce|global|aws")
_S3 = re.compile(r"s3([-.]|$)")


def is_aws_host(name: str) -> bool:
    """Whether a host name, in lower case and without a port, is AWS's."""
    return _SUFFIX.search(name) is not None


def service_of_host(name: str) -> str:
    """The service in one of AWS's host names: `lambda` in `lambda.us-east-1.amazonaws.com`; "" for any other name."""
    found = _SUFFIX.search(name)
    if found is None:
        return ""
    labels = [label for label in name[: found.start()].split(".") if label and not _PLACE.fullmatch(label)]
    service = labels[-1].removesuffix("-fips").removeprefix("fips-") if labels else ""
    return "s3" if _S3.match(service) else service
