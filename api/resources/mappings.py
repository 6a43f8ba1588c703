"""Event source mappings: create, get, list, update, delete.

Sources are known by the form of their ARNs; whether a queue or stream is there is never asked.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from relambda.actors import codec
from relambda.actors.domain.mapping_sources import identities
from relambda.actors.domain.mappings import (
    CreateMapping,
    DeleteMapping,
    MappingState,
    Target,
    UpdateMapping,
    describe,
    missing,
    source_key,
)
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.refusals import Refusal
from relambda.api.call import Call, Output, operation
from relambda.api.paging import page
from relambda.api.resources.tags import taggable

MOST_LISTED = 100
"""Mappings in one answer at most, whatever is asked for (API reference, ListEventSourceMappings)."""
WAIT_SECONDS = 30.0
_in_a_row = threading.Lock()

taggable("event-source-mapping", lambda views, name: views.document("mapping_tags", name.key))


def _mapping(call: Call, uuid: str) -> ResourceName:
    return ResourceName("event-source-mapping", call.scope.account, call.scope.region, uuid)


def _target(call: Call) -> Target:
    function, qualifier = call.function()
    views, number = call.cloud.views, qualifier or LATEST
    version = views.version(function, number)
    if version is None and (alias := views.alias(function, number)) is not None:
        version = views.version(function, alias["FunctionVersion"])
    isolated = version is not None and "TenancyConfig" in version.config
    return Target(function.arn(qualifier), exists=version is not None, tenant_isolated=isolated)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two mappings are two streams: whoever claims a source and function looks and commands while no other does.

    A command ends when its rows are durable, so the next one sees them. Raises Refusal when others take too long.
    """
    if not _in_a_row.acquire(timeout=WAIT_SECONDS):
        raise Refusal("ServiceException", f"Other mappings took more than {WAIT_SECONDS:.0f} s to change; try again.")
    try:
        yield
    finally:
        _in_a_row.release()


def _taken_by(call: Call, claimed: dict[str, Any], uuid: str) -> str | None:
    """The UUID of another mapping of the same source and function."""
    for identity in identities(claimed):
        row = call.cloud.views.document("mapping_sources", source_key(call.scope, identity))
        if row is not None and row["UUID"] != uuid:
            return str(row["UUID"])
    return None


@operation("CreateEventSourceMapping")
def create_event_source_mapping(call: Call) -> Output:
    """Answers Creating, or Disabled when that is asked for."""
    resource, target = _mapping(call, call.cloud.new_id()), _target(call)
    with _one_at_a_time():
        command = CreateMapping(
            resource=resource,
            at_ms=call.now_ms(),
            request=call.given,
            target=target,
            taken_by=_taken_by(call, {**call.given, "FunctionArn": target.arn}, resource.name),
            tags=call.given.get("Tags") or {},
        )
        state: MappingState = call.cloud.ask(command)
    return describe(resource, state)


@operation("GetEventSourceMapping")
def get_event_source_mapping(call: Call) -> Output:
    """The mapping as it is now."""
    return _existing(call)


def _existing(call: Call) -> dict[str, Any]:
    document = call.cloud.views.document("mappings", _mapping(call, call.given["UUID"]).key)
    if document is None:
        raise missing()
    return dict(document)


@operation("ListEventSourceMappings")
def list_event_source_mappings(call: Call) -> Output:
    """Mappings by UUID, of one source or of one function as it was named, or all."""
    source = call.given.get("EventSourceArn")
    function_arn = _named(call) if call.given.get("FunctionName") else None

    def listed(value: bytes) -> dict[str, Any] | None:
        document = codec.document(value)
        if source not in {None, document.get("EventSourceArn")} or function_arn not in {None, document["FunctionArn"]}:
            return None
        return document

    items, marker = page(call.cloud.store, "mappings", call.scope.prefix, call.given, listed, MOST_LISTED)
    return {"EventSourceMappings": items, "NextMarker": marker}


def _named(call: Call) -> str:
    function, qualifier = call.function()
    return function.arn(qualifier)


@operation("UpdateEventSourceMapping")
def update_event_source_mapping(call: Call) -> Output:
    """Members that are given; the others stay."""
    resource = _mapping(call, call.given["UUID"])
    with _one_at_a_time():
        former = _existing(call)
        target = _target(call) if call.given.get("FunctionName") else None
        claimed = former if target is None else {**former, "FunctionArn": target.arn}
        command = UpdateMapping(
            resource=resource,
            at_ms=call.now_ms(),
            request=call.given,
            target=target,
            taken_by=_taken_by(call, claimed, resource.name),
        )
        state: MappingState = call.cloud.ask(command)
    return describe(resource, state)


@operation("DeleteEventSourceMapping")
def delete_event_source_mapping(call: Call) -> Output:
    """Answers Deleting; it is gone soon after."""
    resource = _mapping(call, call.given["UUID"])
    _existing(call)
    state: MappingState = call.cloud.ask(DeleteMapping(resource=resource, at_ms=call.now_ms()))
    return describe(resource, state)
