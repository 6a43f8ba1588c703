"""The Falcon application: one sink for all of AWS's operations, a few routes of Relambda's own."""

import logging
import uuid
from typing import Any, TypeAlias

import falcon

from relambda.actors.domain.refusals import Refusal
from relambda.api import resources
from relambda.api.call import HANDLERS, Call
from relambda.api.cloud import Cloud
from relambda.api.control import add_control_routes
from relambda.api.network.addressee import addressee
from relambda.api.network.doorkeeper import Doorkeeper
from relambda.api.network.upstream import Upstream
from relambda.api.public_url import public_url
from relambda.api.wire.dialect import dialect_of
from relambda.api.wire.errors import ServiceError, render
from relambda.api.wire.model import Service, load
from relambda.api.wire.response import Response, Stream
from relambda.api.wire.service import SERVED, Head, read_head, read_input, write_output

_log = logging.getLogger(__name__)
App: TypeAlias = "falcon.App[falcon.Request, falcon.Response]"

MOST_OF_A_PAYLOAD = {"Invoke": 6_291_456, "InvokeWithResponseStream": 6_291_456, "InvokeAsync": 262_144}
"""Bytes of the body of operations that carry a payload (limits.tsv; API reference, InvokeAsync)."""

WITH_CODE = frozenset({"CreateFunction", "UpdateFunctionCode", "PublishLayerVersion"})
"""Operations whose bodies hold a package: the limit of CreateFunction is theirs."""
STALLED_SECONDS = 5.0
"""How long a client may leave a stream unread, beyond what its connection holds; less than a stop waits."""
MOST_OF_OTHERS = 8 * 1024 * 1024
"""Bytes of the body of all others: a checkpoint's result has 6 MiB, a batch of log events a megabyte, escaped more."""


def create_app(cloud: Cloud, doorkeeper: Doorkeeper) -> App:
    """Wire an open cloud to its routes, Relambda's own behind the doorkeeper."""
    resources.load()
    app: App = falcon.App()
    add_control_routes(app, cloud, doorkeeper)
    app.add_sink(Gate(cloud), prefix="/")
    return app


class Gate:
    """Where AWS's requests come in: route, read, parse, validate, answer; refusals are answered as AWS does."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._public_url = cloud, public_url(cloud.settings)
        self._upstream = Upstream(cloud.settings.upstream_url, cloud.cloud_id)

    def __call__(self, req: falcon.Request, resp: falcon.Response, **_: Any) -> None:
        """Answer one request."""
        request_id = str(uuid.uuid4())
        service = addressee(
            req.get_header("Authorization") or "",
            req.query_string,
            req.get_header("Host") or "",
            req.get_header("X-Amz-Target") or "",
        )
        if service in SERVED:
            answer = self._served(load(service), req, request_id)
        elif (refused := self._upstream.answer(req, resp, service, request_id)) is not None:
            answer = refused
        else:
            return
        resp.status = answer.status
        resp.set_headers(answer.headers)
        if answer.stream is None:
            resp.data = answer.body
        else:
            _stream(req, resp, answer.stream)

    def _served(self, service: Service, req: falcon.Request, request_id: str) -> Response:
        try:
            return self._answer(service, req, request_id)
        except Refusal as refusal:
            return _refused(service, refusal, request_id)
        except ServiceError as error:
            return error.response(request_id, service)
        except Exception as error:  # noqa: BLE001 - the caller gets an answer, the log the reason
            _log.exception("request %s failed: %s %s", request_id, req.method, req.path)
            message = f"{type(error).__name__}: {error} (see request {request_id} in the cloud's log)"
            return render(dialect_of(service.name).failure, message, request_id=request_id, service=service)

    def _answer(self, service: Service, req: falcon.Request, request_id: str) -> Response:
        raw_path, _, raw_query = req.env["RAW_URI"].partition("?")
        authorization, target = req.get_header("Authorization"), req.get_header("X-Amz-Target")
        head = read_head(service, req.method, raw_path, raw_query, authorization, target)
        body = self._body(req, head)
        given = read_input(head, req.headers, body)
        handler = HANDLERS.get((service.name, head.operation.name))
        if handler is None:
            return _unbuilt(head, request_id)
        call = Call(
            cloud=self._cloud,
            given=given,
            caller=head.caller,
            request_id=request_id,
            base_url=self._public_url or req.prefix,
            trace_id=req.get_header("X-Amzn-Trace-Id") or "",
        )
        output = handler(call)
        return output if isinstance(output, Response) else write_output(head, output, request_id)

    def _body(self, req: falcon.Request, head: Head) -> bytes:
        """The request's body, refused by its declared length before it is read. Raises ServiceError (413)."""
        name, most = head.operation.name, self._most(head)
        if (req.content_length or 0) > most:
            raise _too_large(name, most)
        body: bytes = req.bounded_stream.read() if req.content_length else _chunked(req, name, most)
        return body

    def _most(self, head: Head) -> int:
        """Bytes of an operation's body."""
        name = head.operation.name
        if head.service.name == "lambda" and name in WITH_CODE:
            return self._cloud.limits.create_function_request_size
        return MOST_OF_A_PAYLOAD.get(name, MOST_OF_OTHERS)


def _stream(req: falcon.Request, resp: falcon.Response, stream: Stream) -> None:
    """Send a body while it is made; a client that does not read ends it, so that no thread waits for it for ever."""
    resp.stream = stream
    if (connection := req.env.get("gunicorn.socket")) is not None:
        connection.settimeout(STALLED_SECONDS)


def _chunked(req: falcon.Request, name: str, most: int) -> bytes:
    """A body without a declared length, read up to the limit."""
    if req.get_header("Transfer-Encoding") is None:
        return b""
    body: bytes = req.stream.read(most + 1)
    if len(body) > most:
        raise _too_large(name, most)
    return body


def _too_large(name: str, most: int) -> ServiceError:
    operation = "InvokeFunction" if name == "Invoke" else name
    message = f"Request must be smaller than {most} bytes for the {operation} operation"
    return ServiceError("RequestEntityTooLargeException", message)


def _refused(service: Service, refusal: Refusal, request_id: str) -> Response:
    with_type = None if refusal.typed else False
    return render(
        refusal.code, refusal.message, refusal.members, with_type=with_type, request_id=request_id, service=service
    )


def _unbuilt(head: Head, request_id: str) -> Response:
    """501, so that no SDK tries again; AWS has no such answer."""
    message = f"Relambda does not answer the operation {head.operation.name} yet."
    return render("NotImplementedException", message, request_id=request_id, service=head.service)
