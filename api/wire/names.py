"""Function names in the forms Lambda takes: a name, a partial ARN, a whole ARN, each with or without a qualifier."""

import re
from dataclasses import dataclass

from relambda.api.wire.errors import ServiceError
from relambda.api.wire.signature import Caller

_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)

_FUNCTION_NAME = re.compile(
    r"(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?"
    r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?"
    r"(?:(?P<account>\d{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_.]+)"
    r"(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class NameParts:
    """What a text says by itself; None for what it leaves out."""

    name: str
    qualifier: str | None
    region: str | None
    account: str | None


@dataclass(frozen=True, slots=True)
class FunctionReference:
    """A function of the caller's account and region, and the qualifier asked for, if any."""

    account: str
    region: str
    name: str
    qualifier: str | None

    def arn(self, qualifier: str | None = None) -> str:
        """The function's ARN, unqualified unless a qualifier is given."""
        return function_arn(self.region, self.account, self.name, qualifier)


def partition_of(region: str) -> str:
    """The partition a region lies in, `aws` for any that no other partition claims (botocore's endpoint data)."""
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")


def function_arn(region: str, account: str, name: str, qualifier: str | None = None) -> str:
    """`arn:aws:lambda:us-east-1:000000000000:function:name[:qualifier]`."""
    suffix = f":{qualifier}" if qualifier else ""
    return f"arn:{partition_of(region)}:lambda:{region}:{account}:function:{name}{suffix}"


def split_function_name(text: str) -> NameParts | None:
    """The parts of a function name in any form, read as greedily as the model's own pattern; None if it is none."""
    found = _FUNCTION_NAME.fullmatch(text)
    return NameParts(found["name"], found["qualifier"], found["region"], found["account"]) if found else None


def resolve_function(function_name: str, caller: Caller, qualifier: str | None = None) -> FunctionReference:
    """The function that `FunctionName`, and `Qualifier` where an operation has one, mean for this caller.

    Raises ServiceError: ResourceNotFoundException (404) for another region, AccessDeniedException (403, without a
    message) for another account, InvalidParameterValueException (400) when both qualifiers are given and differ
    (TRAPS.md 5, FACTS.md section 2), and for a text that is no function name.
    """
    parts = split_function_name(function_name)
    if parts is None:
        raise ServiceError("InvalidParameterValueException", f"Invalid function name: {function_name}")
    if parts.region not in {None, caller.region}:
        raise ServiceError(
            "ResourceNotFoundException",
            f"Functions from '{parts.region}' are not reachable in this region ('{caller.region}')",
        )
    if parts.account not in {None, caller.account}:
        raise ServiceError("AccessDeniedException", None)
    if qualifier and parts.qualifier and qualifier != parts.qualifier:
        raise ServiceError(
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
        )
    return FunctionReference(caller.account, caller.region, parts.name, qualifier or parts.qualifier)
