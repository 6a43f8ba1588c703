"""Where AWS's recorded validation messages differ from botocore's model, by shape name.

All of it is from the recorded answers behind FACTS.md section 2 (2025-11 to 2026-01) and its table of validation
examples; the model of botocore 1.44.5 is the base. A message is printed as recorded, while a value passes when
either the record or the model lets it, for the model is the newer word.
"""

from collections.abc import Mapping


def _in_order(words: str) -> tuple[str, ...]:
    return tuple(words.split())


SUPPORTED_RUNTIMES = _in_order(
    "nodejs20.x python3.14 provided.al2023 python3.12 python3.13 nodejs24.x nodejs22.x java25 python3.10 "
    "python3.11 java21 ruby3.3 ruby3.4 ruby3.2 python3.8 python3.9 java17 nodejs16.x dotnet10 dotnet8 java11 "
    "dotnet6 nodejs18.x provided.al2 java8.al2"
)
"""The runtimes CreateFunction, UpdateFunctionConfiguration and PublishLayerVersion list, in AWS's own order."""

KNOWN_RUNTIMES = _in_order(
    "ruby3.5 ruby2.6 dotnetcore1.0 python3.7 nodejs8.10 nasa ruby2.7 python2.7-greengrass dotnetcore2.0 "
    "python3.8 java21 dotnet6 dotnetcore2.1 python3.9 java11 nodejs6.10 provided dotnetcore3.1 dotnet8 java25 "
    "java17 nodejs nodejs4.3 java8.al2 go1.x dotnet10 nodejs20.x go1.9 byol nodejs10.x provided.al2023 "
    "nodejs22.x python3.10 java8 nodejs12.x python3.11 nodejs24.x nodejs8.x python3.12 nodejs14.x nodejs8.9 "
    "nodejs26.x python3.13 python3.14 nodejs16.x python3.15 provided.al2 nodejs4.3-edge nodejs18.x ruby3.2 "
    "python3.4 ruby3.3 ruby3.4 ruby2.5 python3.6 python2.7"
)
"""The runtimes ListLayers and ListLayerVersions list, in AWS's own order, oddities and all."""

_REGION = r"(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

PATTERNS: Mapping[str, str] = {
    "TaggableResource": rf"arn:(aws[a-zA-Z-]*):lambda:{_REGION}:\d{{12}}:"
    r"(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)"
    rf"|code-signing-config:csc-[a-z0-9]{{17}}|event-source-mapping:{_UUID}|capacity-provider:[a-zA-Z0-9-_]+)",
    "LayerVersionArn": rf"(arn:(aws[a-zA-Z-]*)?:lambda:{_REGION}:\d{{12}}:layer:[a-zA-Z0-9-_]+:[0-9]+)"
    r"|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)",
}
"""Patterns as AWS printed them."""

ENUMS: Mapping[str, tuple[str, ...]] = {
    "EventSourcePosition": ("LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"),
    "InvokeMode": ("RESPONSE_STREAM", "BUFFERED"),
    "RecursiveLoop": ("Terminate", "Allow"),
    "Runtime": KNOWN_RUNTIMES,
}
"""Value sets in the order AWS printed them."""

LIST_ENUMS: Mapping[str, tuple[str, ...]] = {"CompatibleRuntimes": SUPPORTED_RUNTIMES}
"""Lists whose message names the value set alone, without `Member must satisfy constraint: […]` around it."""

NULLS_UNSAID = frozenset({"SecurityGroupIds", "SubnetIds"})
"""Lists whose constraints are printed without `Member must not be null`."""

CHECKED_LATER = frozenset({("CreateFunctionRequest", "Runtime"), ("UpdateFunctionConfigurationRequest", "Runtime")})
"""Members whose value set AWS checks with another error, behind the shape's constraints: see `meaning`."""

TOLD_FIRST: Mapping[str, tuple[str, ...]] = {"PublishLayerVersionRequest": ("CompatibleRuntimes",)}
"""Members whose violations AWS told before those of members that stand earlier in the model."""
