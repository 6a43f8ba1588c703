"""Errors as AWS answers them: a status, and a JSON body whose spelling the model and the protocol decide."""

from collections.abc import Mapping
from typing import Any

import msgspec

from relambda.api.wire.model import Service, Shape, load
from relambda.api.wire.response import AWS_JSON, Response

UNMODELLED: Mapping[str, tuple[int, str]] = {
    "AccessDeniedException": (403, "Message"),
    "ExpiredTokenException": (403, "message"),
    "InternalFailure": (500, "message"),
    "InvalidSignatureException": (403, "message"),
    "MissingAuthenticationTokenException": (403, "message"),
    "NotImplementedException": (501, "message"),
    "RequestEntityTooLargeException": (413, "message"),
    "RequestTimeoutException": (408, "message"),
    "SerializationException": (400, "Message"),
    "ServiceUnavailable": (503, "message"),
    "ThrottlingException": (400, "message"),
    "UnknownOperationException": (404, "message"),
    "UnrecognizedClientException": (403, "message"),
    "ValidationException": (400, "message"),
}
"""Status and body spelling of errors no Lambda shape describes: FACTS.md section 2 (recorded answers), AWS's page of
common errors, and for SerializationException the bodies that users of Lambda have published."""


class ServiceError(Exception):
    """A refusal on its way to the caller: an AWS error code, AWS's own words, and members the exception's shape has.

    `with_type` overrules whether the body carries `Type`; None leaves it to the model. AWS leaves `Type` out of some
    InvalidParameterValueException bodies, such as those about concurrency limits (FACTS.md section 2).
    """

    def __init__(
        self,
        code: str,
        message: str | None,
        members: Mapping[str, Any] | None = None,
        *,
        with_type: bool | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.members: Mapping[str, Any] = members or {}
        self.with_type = with_type

    def response(self, request_id: str, service: Service | None = None) -> Response:
        """The error as an answer; see `render`."""
        return render(
            self.code, self.message, self.members, with_type=self.with_type, request_id=request_id, service=service
        )


def render(
    code: str,
    message: str | None,
    members: Mapping[str, Any] | None = None,
    *,
    request_id: str,
    with_type: bool | None = None,
    service: Service | None = None,
) -> Response:
    """The answer for an error; of the Lambda service unless another is given.

    Raises LookupError when neither the model nor `UNMODELLED` knows `code`, or the exception has no such member.
    """
    service = service or load("lambda")
    shape = service.error_shape(code)
    if service.protocol == "json":
        return _render_json(code, message, members or {}, request_id, shape)
    headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id, "x-amzn-ErrorType": code}
    if shape is None:
        status, spelling = _unmodelled(code)
        return Response(status, headers, msgspec.json.encode({spelling: message, **(members or {})}))
    body: dict[str, Any] = {}
    if "Type" in shape.members and with_type is not False:
        body["Type"] = "Service" if shape.server_fault else "User"
    body["Message" if "Message" in shape.members else "message"] = message
    for name, value in (members or {}).items():
        _place(shape, name, value, headers, body)
    return Response(shape.error_status or 400, headers, msgspec.json.encode(body))


def _render_json(
    code: str, message: str | None, members: Mapping[str, Any], request_id: str, shape: Shape | None
) -> Response:
    """AWS JSON names the error in the body; what the model gives no status is 400, or 500 for a fault."""
    headers = {"Content-Type": AWS_JSON, "x-amzn-RequestId": request_id}
    if shape is None:
        status, spelling = _unmodelled(code)
        return Response(status, headers, msgspec.json.encode({"__type": code, spelling: message, **members}))
    body: dict[str, Any] = {"__type": code, "message": message}
    for name, value in members.items():
        _place(shape, name, value, headers, body)
    return Response(shape.error_status or (500 if shape.server_fault else 400), headers, msgspec.json.encode(body))


def _unmodelled(code: str) -> tuple[int, str]:
    try:
        return UNMODELLED[code]
    except KeyError:
        raise LookupError(f"error code {code!r} is neither in the service model nor in UNMODELLED: add it") from None


def _place(shape: Shape, name: str, value: Any, headers: dict[str, str], body: dict[str, Any]) -> None:
    member = shape.members.get(name)
    if member is None:
        raise LookupError(f"{shape.name} has no member {name!r}; it has {', '.join(shape.members)}")
    if value is None:
        return
    if member.place == "header":
        headers[member.wire_name] = str(value)
    else:
        body[member.wire_name] = value
