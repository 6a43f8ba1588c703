"""What one resource refers to stays there while that is decided, and what is referred to is not deleted.

A function's event and the deletion of what it refers to are events of two streams. They are therefore put in a row:
whoever adds a reference, and whoever deletes something that may have some, holds a lock from the look at the views to
the end of the command. Commands end when their rows are durable, so the next one sees them. One process has the
cloud, so one lock is enough.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from relambda.actors.domain import capacity_providers, code_signing
from relambda.actors.domain.configuration import Json
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.references import PROVIDED_VERSIONS, SIGNED_FUNCTIONS, provider_arn
from relambda.actors.domain.refusals import Refusal
from relambda.api.call import Call

_in_a_row = threading.Lock()
WAIT_SECONDS = 30.0


@contextmanager
def in_a_row() -> Iterator[None]:
    """Hold references still until the block ends. Raises Refusal when others take too long."""
    if not _in_a_row.acquire(timeout=WAIT_SECONDS):
        raise Refusal(
            "ServiceException", f"Other changes of references took more than {WAIT_SECONDS:.0f} s; try again."
        )
    try:
        yield
    finally:
        _in_a_row.release()


@contextmanager
def referring(call: Call, given: Json, *, adding: bool = True) -> Iterator[None]:
    """Check what a function's request, or configuration, refers to; it is there until the block ends.

    `adding` tells that there will be one more version of the function. Raises Refusal.
    """
    signed_by, provided_by = given.get("CodeSigningConfigArn"), provider_arn(given)
    if not signed_by and not provided_by:
        yield
        return
    with in_a_row():
        if signed_by:
            check_signing(call, signed_by)
        if provided_by:
            check_provider(call, provided_by, adding=adding)
        yield


def check_signing(call: Call, arn: str) -> None:
    """Refuse a code-signing configuration that the caller does not have."""
    name = named(call, code_signing.code_signing.kind, arn)
    if name is None or call.cloud.views.document("code_signing_configs", name.key) is None:
        raise code_signing.no_config_to_attach(arn)


def check_provider(call: Call, arn: str, *, adding: bool) -> None:
    """Refuse a capacity provider that the caller does not have, or that cannot take one more version."""
    name = named(call, capacity_providers.capacity_provider.kind, arn)
    views = call.cloud.views
    provider = None if name is None else views.document("capacity_providers", name.key)
    versions = count(call, PROVIDED_VERSIONS, name) if adding and name is not None else 0
    capacity_providers.check_use(arn, provider, versions)


def named(call: Call, kind: str, text: str) -> ResourceName | None:
    """The caller's resource of a kind that a name or an ARN means; None for an ARN of another account or region."""
    name = ResourceName(kind, call.scope.account, call.scope.region, text.rpartition(":")[2])
    return name if text in {name.name, name.arn()} else None


def count(call: Call, table: str, resource: ResourceName) -> int:
    """How many refer to a resource."""
    return call.cloud.store.count(table, resource.row_key(""))


def is_used(call: Call, resource: ResourceName) -> bool:
    """Whether anything refers to a resource."""
    table = SIGNED_FUNCTIONS if resource.kind == code_signing.code_signing.kind else PROVIDED_VERSIONS
    return count(call, table, resource) > 0
