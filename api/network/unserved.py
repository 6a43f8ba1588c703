"""Answers for services that this cloud does not have, in the form that each service's clients read."""

from xml.sax.saxutils import escape

import msgspec

from relambda.api.wire.response import Response
from relambda.api.wire.service import SERVED

_ERROR = "<Error><Code>{code}</Code><Message>{message}</Message></Error>"
_FORMS = {
    "s3": "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>",
    "ec2": "<Response><Errors>" + _ERROR + "</Errors><RequestID>{request_id}</RequestID></Response>",
}
_QUERY = "<ErrorResponse>" + _ERROR + "<RequestId>{request_id}</RequestId></ErrorResponse>"
_REST_XML = frozenset({"cloudfront", "route53", "s3-outposts", "s3express"})


def unserved(service: str, content_type: str, request_id: str) -> Response:
    """501 that names the service, and the option with which its calls get an answer."""
    message = (
        f"This cloud answers {', '.join(sorted(SERVED))} and not {service}: start it with RELAMBDA_UPSTREAM_URL set to "
        "an endpoint that does, or give the caller an endpoint of its own for this service."
    )
    return failure(service, content_type, request_id, status=501, code="NotImplementedException", message=message)


def failure(service: str, content_type: str, request_id: str, *, status: int, code: str, message: str) -> Response:
    """An error as the SDKs' clients of a service read it: XML where its protocol is (REST-)XML or query, else JSON."""
    headers = {"x-amzn-RequestId": request_id, "x-amzn-ErrorType": code}
    form = _FORMS.get(service)
    if form is None and (service in _REST_XML or content_type.startswith("application/x-www-form-urlencoded")):
        form = _QUERY
    if form is None:
        body = msgspec.json.encode({"__type": code, "message": message})
        return Response(status, {**headers, "Content-Type": "application/json"}, body)
    text = form.format(code=escape(code), message=escape(message), request_id=escape(request_id))
    return Response(status, {**headers, "Content-Type": "text/xml"}, text.encode())
