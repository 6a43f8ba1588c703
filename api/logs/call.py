"""What every operation of CloudWatch Logs does: reads the group it means, and tells its errors in AWS's words."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from relambda.actors.domain.names import partition
from relambda.api.call import Call, Handler, Output, operation
from relambda.api.wire.errors import ServiceError
from relambda.store.errors import StoreError
from relambda.store.logs.records import (
    GroupName,
    LogGroupExistsError,
    LogGroupNotFoundError,
    LogStreamExistsError,
    LogStreamNotFoundError,
)


def logs_operation(name: str) -> Callable[[Handler], Handler]:
    """Register the function that answers an operation; what the store raises becomes AWS's error."""

    def register(handler: Handler) -> Handler:
        @wraps(handler)
        def answer(call: Call) -> Output:
            with _aws_errors():
                return handler(call)

        operation(name, "logs")(answer)
        return handler

    return register


@contextmanager
def _aws_errors() -> Iterator[None]:
    try:
        yield
    except LogGroupNotFoundError:
        raise _not_found("group") from None
    except LogStreamNotFoundError:
        raise _not_found("stream") from None
    except LogGroupExistsError:
        raise ServiceError("ResourceAlreadyExistsException", "The specified log group already exists") from None
    except LogStreamExistsError:
        raise ServiceError("ResourceAlreadyExistsException", "The specified log stream already exists") from None
    except StoreError as error:
        raise ServiceError("ServiceUnavailableException", str(error)) from error


@contextmanager
def settled(call: Call, group: GroupName) -> Iterator[None]:
    """Read what was written of a group until now; while that cannot be known, what is not found is no answer.

    Raises ServiceError (503, which SDKs try again) then.
    """
    known = call.cloud.logs.settle(group)
    try:
        yield
    except (LogGroupNotFoundError, LogStreamNotFoundError) as error:
        if known:
            raise
        message = "What was written last is not on the disk yet. Try again; `relambda logs` may tell why."
        raise ServiceError("ServiceUnavailableException", message) from error


def _not_found(what: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"The specified log {what} does not exist.")


def invalid(message: str) -> ServiceError:
    """An input that makes no sense."""
    return ServiceError("InvalidParameterException", message)


def group_of(call: Call) -> GroupName:
    """The group that `logGroupName`, or else `logGroupIdentifier`, means. Raises ServiceError."""
    given = call.given
    if ("logGroupName" in given) == ("logGroupIdentifier" in given):
        raise invalid("Exactly one of logGroupName and logGroupIdentifier must be given.")
    if "logGroupName" in given:
        return _own(call, given["logGroupName"])
    return identified(call, given["logGroupIdentifier"])


def identified(call: Call, identifier: str) -> GroupName:
    """The group that a name or an ARN means; another account's or region's is not there. Raises ServiceError."""
    if not identifier.startswith("arn:"):
        return _own(call, identifier)
    prefix = arn_of(_own(call, ""))
    if not identifier.startswith(prefix):
        raise _not_found("group")
    return _own(call, identifier.removeprefix(prefix).removesuffix(":*"))


def _own(call: Call, name: str) -> GroupName:
    return GroupName(call.scope.account, call.scope.region, name)


def arn_of(group: GroupName) -> str:
    """The group's ARN, without the `:*` at its end that stands for its streams."""
    return f"arn:{partition(group.region)}:logs:{group.region}:{group.account}:log-group:{group.name}"


def without_nones(members: dict[str, Any]) -> dict[str, Any]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value is not None}
