"""The Telemetry API 2022-07-01 and the Logs API 2020-08-15: subscribing (runtime_apis.tsv)."""

from typing import Final

from relambda.actors.runtime_api.environment_routes import environment_of, read_body
from relambda.actors.runtime_api.extension_routes import IDENTIFIER, MAX_REQUEST_BYTES
from relambda.actors.runtime_api.reply import RefusalError, Reply, error_document
from relambda.actors.runtime_api.routes import Exchange, Route
from relambda.actors.telemetry.subscription import (
    Api,
    SubscriptionError,
    SubscriptionsClosedError,
    read_subscription,
)

_OK: Final = Reply(200, b'"OK"')


def _subscribe_telemetry(exchange: Exchange) -> Reply:
    return _subscribe(exchange, "Telemetry", "ValidationError")


def _subscribe_logs(exchange: Exchange) -> Reply:
    return _subscribe(exchange, "Logs", "Logs.ValidationError")


def _subscribe(exchange: Exchange, api: Api, invalid: str) -> Reply:
    session = environment_of(exchange)
    name = session.extension_name(exchange.generation, exchange.request.headers.get(IDENTIFIER, ""))
    body = read_body(exchange, MAX_REQUEST_BYTES)
    if session.telemetry is None:
        return Reply(202, error_document(f"{api}.NotSupported", f"{api} API is not supported"))
    try:
        session.subscribe(exchange.generation, read_subscription(api, name, body))
    except SubscriptionError as error:
        raise RefusalError(400, invalid, str(error)) from None
    except SubscriptionsClosedError:
        raise RefusalError(403, f"{api}.SubscriptionClosed", f"{api} API subscription is closed already") from None
    return _OK


TELEMETRY_ROUTES: Final = (
    Route("PUT", "/2022-07-01/telemetry", _subscribe_telemetry),
    Route("PUT", "/2022-07-01/telemetry/", _subscribe_telemetry),
    Route("PUT", "/2020-08-15/logs", _subscribe_logs),
    Route("PUT", "/2020-08-15/logs/", _subscribe_logs),
)
