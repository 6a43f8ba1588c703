"""The Runtime API 2018-06-01: what its paths do (AWS: "Using the Lambda runtime API"; runtime_apis.tsv)."""

import base64
import binascii
from functools import partial
from typing import Final

from relambda.actors.runtime_api.body import BodyTooLargeError
from relambda.actors.runtime_api.http_head import TruncatedRequestError
from relambda.actors.runtime_api.reply import ACCEPTED, RefusalError, Reply, error_document
from relambda.actors.runtime_api.routes import Exchange, Route
from relambda.actors.runtime_api.session import RuntimeFailure

LONGEST_RESPONSE: Final = 6_291_556
"""6 MiB and 100 bytes (limits.tsv, "sync response payload")."""
_ERROR_TYPE: Final = "lambda-runtime-function-error-type"
_ERROR_BODY: Final = "lambda-runtime-function-error-body"
_ERROR_CAUSE: Final = "lambda-runtime-function-xray-error-cause"
_RESPONSE_MODE: Final = "lambda-runtime-function-response-mode"
_TOO_LARGE: Final = "Function.ResponseSizeTooLarge"
_RESPONSE: Final = "InvocationResponse"
_ERROR_RESPONSE: Final = "InvocationErrorResponse"


def _ping(_exchange: Exchange) -> Reply:
    return Reply(200, b"pong", "text/plain; charset=utf-8")


def _next(exchange: Exchange) -> None:
    exchange.session.next(exchange.generation, exchange.connection)


def _respond(exchange: Exchange, longest: int) -> Reply:
    session, request_id = exchange.session, exchange.parameter
    session.expect_answer(exchange.generation, request_id, _RESPONSE)
    mode = exchange.request.headers.get(_RESPONSE_MODE, "")
    if mode and mode != "streaming":
        raise RefusalError(400, "InvalidFunctionResponseMode", "Invalid function response mode")
    payload = _read(exchange, longest)
    if failure := _mid_stream_failure(exchange.body.trailers):
        session.fail(exchange.generation, request_id, failure, _RESPONSE)
    else:
        session.respond(exchange.generation, request_id, payload)
    return ACCEPTED


def _mid_stream_failure(trailers: dict[str, str]) -> RuntimeFailure | None:
    """The error that a streaming function met behind its first byte (FACTS.md section 4)."""
    if not trailers.get(_ERROR_TYPE) and not trailers.get(_ERROR_BODY):
        return None
    error_type = trailers.get(_ERROR_TYPE, "")
    try:
        body = base64.b64decode(trailers.get(_ERROR_BODY, ""), validate=True)
    except binascii.Error:
        body = b""
    return RuntimeFailure(body or error_document(error_type, "The function failed while it streamed"), error_type)


def _fail(exchange: Exchange, longest: int) -> Reply:
    exchange.session.expect_answer(exchange.generation, exchange.parameter, _ERROR_RESPONSE)
    headers = exchange.request.headers
    failure = RuntimeFailure(_read(exchange, longest), headers.get(_ERROR_TYPE, ""), headers.get(_ERROR_CAUSE, ""))
    exchange.session.fail(exchange.generation, exchange.parameter, failure, _ERROR_RESPONSE)
    return ACCEPTED


def _read(exchange: Exchange, longest: int) -> bytes:
    """An answer's body. Too large a one ends the invocation, with an error for its caller.

    After one that broke off nothing follows but the runtime's end: its exit or the timeout tells the caller.
    """
    session = exchange.session
    begins = partial(session.answer_begins, exchange.generation) if session.hears_beginnings else None
    try:
        return exchange.body.read(longest, begins)
    except BodyTooLargeError:
        size = f"maximum allowed payload size ({longest} bytes)."
        error = error_document(_TOO_LARGE, f"Response payload size exceeded {size}")
        exchange.session.fail(exchange.generation, exchange.parameter, RuntimeFailure(error, _TOO_LARGE), _RESPONSE)
        raise RefusalError(413, "RequestEntityTooLarge", f"Exceeded {size}") from None
    except TruncatedRequestError:
        exchange.session.break_off(exchange.generation, exchange.parameter)
        raise


def _fail_init(exchange: Exchange, longest: int) -> Reply:
    exchange.session.expect_init_error(exchange.generation)
    error_type = exchange.request.headers.get(_ERROR_TYPE, "")
    try:
        body = exchange.body.read(longest)
    except BodyTooLargeError:
        message = f"Exceeded maximum allowed payload size ({longest} bytes)."
        raise RefusalError(413, "RequestEntityTooLarge", message) from None
    exchange.session.fail_init(exchange.generation, RuntimeFailure(body, error_type))
    return ACCEPTED


def invocation_routes(longest: int = LONGEST_RESPONSE) -> tuple[Route, ...]:
    """Its paths; an answer has `longest` bytes at most."""
    answering = "/2018-06-01/runtime/invocation/{id}"
    return (
        Route("GET", "/2018-06-01/ping", _ping),
        Route("GET", "/2018-06-01/runtime/invocation/next", _next),
        Route("POST", f"{answering}/response", partial(_respond, longest=longest)),
        Route("POST", f"{answering}/error", partial(_fail, longest=longest)),
        Route("POST", "/2018-06-01/runtime/init/error", partial(_fail_init, longest=longest)),
    )
