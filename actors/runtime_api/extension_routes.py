"""The Extensions API 2020-01-01: what its paths do (AWS: "Using the Lambda Extensions API"; runtime_apis.tsv)."""

import json
from typing import Any, Final

from relambda.actors.runtime_api.environment_routes import MAX_ERROR_BYTES, environment_of, read_body
from relambda.actors.runtime_api.extension_registry import ExtensionState, forbidden
from relambda.actors.runtime_api.reply import ACCEPTED, RefusalError, Reply
from relambda.actors.runtime_api.routes import Exchange, Route
from relambda.actors.runtime_api.session import RuntimeFailure

IDENTIFIER: Final = "lambda-extension-identifier"
MAX_REQUEST_BYTES: Final = 65_536
_ERROR_TYPE: Final = "lambda-extension-function-error-type"


def _register(exchange: Exchange) -> Reply:
    session, headers = environment_of(exchange), exchange.request.headers
    events = _events(read_body(exchange, MAX_REQUEST_BYTES))
    identifier = session.register(exchange.generation, headers.get("lambda-extension-name", ""), events)
    environment = session.environment
    document = {
        "functionName": environment.function_name,
        "functionVersion": environment.function_version,
        "handler": environment.handler,
    }
    if "accountId" in [feature.strip() for feature in headers.get("lambda-extension-accept-feature", "").split(",")]:
        document["accountId"] = environment.account_id
    body = json.dumps(document, separators=(",", ":")).encode()
    return Reply(200, body, headers=(("Lambda-Extension-Identifier", identifier),))


def _events(body: bytes) -> list[Any]:
    try:
        document = json.loads(body or b"null")
    except (ValueError, RecursionError):
        document = None
    events = document.get("events", []) if isinstance(document, dict) else None
    if not isinstance(events, list) or "configurationKeys" in document:
        raise RefusalError(403, "InvalidRequestFormat", 'The body must be JSON: {"events": ["INVOKE", "SHUTDOWN"]}')
    return events


def _next(exchange: Exchange) -> None:
    identifier = exchange.request.headers.get(IDENTIFIER, "")
    environment_of(exchange).next_event(exchange.generation, identifier, exchange.connection)


def _fail_init(exchange: Exchange) -> Reply:
    return _fail(exchange, ExtensionState.INIT_ERROR)


def _fail_exit(exchange: Exchange) -> Reply:
    return _fail(exchange, ExtensionState.EXIT_ERROR)


def _fail(exchange: Exchange, state: ExtensionState) -> Reply:
    session, headers = environment_of(exchange), exchange.request.headers
    identifier = headers.get(IDENTIFIER, "")
    session.extension_name(exchange.generation, identifier)
    error_type = headers.get(_ERROR_TYPE, "")
    if not error_type:
        raise forbidden("MissingHeader", "Lambda-Extension-Function-Error-Type not found")
    failure = RuntimeFailure(read_body(exchange, MAX_ERROR_BYTES), error_type)
    session.fail_extension(exchange.generation, identifier, state, failure)
    return ACCEPTED


EXTENSION_ROUTES: Final = (
    Route("POST", "/2020-01-01/extension/register", _register),
    Route("GET", "/2020-01-01/extension/event/next", _next),
    Route("POST", "/2020-01-01/extension/init/error", _fail_init),
    Route("POST", "/2020-01-01/extension/exit/error", _fail_exit),
)
