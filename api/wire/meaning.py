"""Lambda's checks that look like constraints but are answered as InvalidParameterValueException.

AWS tells the shape's violations first (`validate`) and these behind them; all three are recorded answers (the table
of validation examples behind FACTS.md section 2).
"""

from collections.abc import Mapping
from typing import Any

from relambda.api.wire.constraints import SUPPORTED_RUNTIMES
from relambda.api.wire.demands import NOT_NULL
from relambda.api.wire.errors import ServiceError
from relambda.api.wire.model import Operation, load
from relambda.api.wire.names import split_function_name

LONGEST_NAME = 64
STREAMS = (":kinesis:", ":dynamodb:")


def check_meaning(operation: Operation, given: Mapping[str, Any]) -> None:
    """Check what only some operations check; call it behind `validate`. Raises InvalidParameterValueException."""
    if operation.name == "CreateFunction":
        check_name_length(given["FunctionName"])
    if operation.name in {"CreateFunction", "UpdateFunctionConfiguration"} and "Runtime" in given:
        check_runtime(given["Runtime"])
    if operation.name == "CreateEventSourceMapping":
        check_starting_position(given)


def check_name_length(function_name: str) -> None:
    """CreateFunction takes names of 64 characters at most, within whatever ARN carries them."""
    parts = split_function_name(function_name)
    if parts is not None and len(parts.name) > LONGEST_NAME:
        raise _invalid(
            f"1 validation error detected: Value '{function_name}' at 'functionName' failed to satisfy constraint: "
            f"Member must have length less than or equal to {LONGEST_NAME}"
        )


def check_runtime(runtime: str) -> None:
    """A runtime is one that AWS knows, supported or not; whether it may still be used is for the domain to say."""
    known = runtime in SUPPORTED_RUNTIMES or runtime in load("lambda").shape("Runtime").enum
    if not known and not runtime.startswith("arn:"):
        raise _invalid(
            f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{', '.join(SUPPORTED_RUNTIMES)}] or be a valid ARN"
        )


def check_starting_position(given: Mapping[str, Any]) -> None:
    """A mapping of a Kinesis or DynamoDB stream says where to start; this sentence ends in a full stop."""
    is_stream = any(service in given.get("EventSourceArn", "") for service in STREAMS)
    if is_stream and "StartingPosition" not in given:
        raise _invalid(
            f"1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: {NOT_NULL}."
        )


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValueException", message)
