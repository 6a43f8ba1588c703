"""How a service words what every service has to say: its codes for an invalid input and for a failure of its own."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """Error codes of one service."""

    invalid: str = "ValidationException"
    """What violates the model's constraints."""
    failure: str = "InternalFailure"
    """What went wrong here."""


DIALECTS: Mapping[str, Dialect] = {
    "lambda": Dialect(failure="ServiceException"),
    "xray": Dialect(invalid="InvalidRequestException"),
    "logs": Dialect(invalid="InvalidParameterException", failure="ServiceUnavailableException"),
}
"""By the name of the service's model; FACTS.md section 2 for Lambda, the API reference's errors for the others."""


def dialect_of(service: str) -> Dialect:
    """The service's words, AWS's common errors where it has none of its own."""
    return DIALECTS.get(service, Dialect())
