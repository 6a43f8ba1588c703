"""The metadata endpoint 2026-01-15, and SnapStart's part of the Runtime API (runtime_apis.tsv)."""

import hmac
import json
from typing import Final

from relambda.actors.runtime_api.body import BodyTooLargeError
from relambda.actors.runtime_api.open_environment import OpenEnvironment
from relambda.actors.runtime_api.reply import ACCEPTED, RefusalError, Reply, not_found
from relambda.actors.runtime_api.routes import Exchange, Route
from relambda.actors.runtime_api.session import RuntimeFailure

MAX_ERROR_BYTES: Final = 1024 * 1024
_UNAUTHORIZED: Final = Reply(401, b"Unauthorized", "text/plain; charset=utf-8")
_CACHE: Final = ("Cache-Control", "private, max-age=43200, immutable")


def environment_of(exchange: Exchange) -> OpenEnvironment:
    """The environment that asks. Raises RefusalError for a session that is a runtime alone."""
    if isinstance(exchange.session, OpenEnvironment):
        return exchange.session
    raise not_found(exchange.request.path)


def read_body(exchange: Exchange, limit: int) -> bytes:
    """A request's body. Raises RefusalError past the limit of bytes, and what reading it raises."""
    try:
        return exchange.body.read(limit)
    except BodyTooLargeError:
        message = f"Exceeded maximum allowed payload size ({limit} bytes)."
        raise RefusalError(413, "RequestEntityTooLarge", message) from None


def _metadata(exchange: Exchange) -> Reply:
    environment = environment_of(exchange).environment
    wanted = f"Bearer {environment.metadata_token}".encode()
    if not hmac.compare_digest(exchange.request.headers.get("authorization", "").encode(), wanted):
        return _UNAUTHORIZED
    document = {"AvailabilityZoneID": environment.availability_zone_id}
    return Reply(200, json.dumps(document, separators=(",", ":")).encode(), headers=(_CACHE,))


def _restore_next(exchange: Exchange) -> None:
    _snap_start(exchange).restore_next(exchange.generation, exchange.connection)


def _fail_restore(exchange: Exchange) -> Reply:
    session = _snap_start(exchange)
    session.expect_restore_error(exchange.generation)
    error_type = exchange.request.headers.get("lambda-runtime-function-error-type", "")
    session.fail_restore(exchange.generation, RuntimeFailure(read_body(exchange, MAX_ERROR_BYTES), error_type))
    return ACCEPTED


def _snap_start(exchange: Exchange) -> OpenEnvironment:
    session = environment_of(exchange)
    if not session.environment.snap_start:
        raise not_found(exchange.request.path)
    return session


ENVIRONMENT_ROUTES: Final = (
    Route("GET", "/2026-01-15/metadata/execution-environment", _metadata),
    Route("GET", "/2018-06-01/runtime/restore/next", _restore_next),
    Route("POST", "/2018-06-01/runtime/restore/error", _fail_restore),
)
