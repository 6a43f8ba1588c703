"""What the domain refuses: one exception that carries AWS's error code, message and extra members."""

from typing import Any


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """A command that is not followed; it leaves no event. `code` names an exception of AWS's service model.

    `typed` tells whether the answer has the member `Type` (TRAPS.md row 1: a few answers have none).
    """

    def __init__(self, code: str, message: str, *, typed: bool = True, **members: Any) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.typed = typed
        self.members = members

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def not_found(message: str, *, typed: bool = True) -> Refusal:
    """What is asked for does not exist."""
    return Refusal("ResourceNotFoundException", message, typed=typed)


def invalid(message: str, *, typed: bool = True) -> Refusal:
    """A parameter has a shape that the model allows and a meaning that AWS does not."""
    return Refusal("InvalidParameterValueException", message, typed=typed)


def conflict(message: str) -> Refusal:
    """It exists already, or something else is under way."""
    return Refusal("ResourceConflictException", message)


def stale_revision(operations: str = "GetFunction/GetAlias") -> Refusal:
    """The RevisionId of the request is not the latest one (error_messages_observed.tsv, three texts)."""
    return Refusal(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        f"Call the {operations} API to retrieve the latest Revision Id",
    )


def check_revision(asked: str | None, actual: str, operations: str = "GetFunction/GetAlias") -> None:
    """Refuse when a revision id is given and is not the actual one."""
    if asked is not None and asked != actual:
        raise stale_revision(operations)
