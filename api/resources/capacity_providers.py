"""Capacity providers of managed instances: create, get, list, update, delete; and which versions have one."""

from typing import Any

from relambda.actors import codec
from relambda.actors.domain.capacity_providers import (
    MEMBERS,
    UPDATED_MEMBERS,
    CapacityProviderState,
    CreateCapacityProvider,
    DeleteCapacityProvider,
    UpdateCapacityProvider,
    capacity_provider,
    describe,
    no_provider,
)
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.references import PROVIDED_VERSIONS
from relambda.api.call import Call, Output, operation
from relambda.api.paging import page
from relambda.api.references import in_a_row, is_used, named
from relambda.api.resources.tags import taggable

taggable(capacity_provider.kind, lambda views, name: views.document("tags", name.stream))


def _named(call: Call) -> ResourceName:
    """The provider that the request names. Raises Refusal."""
    text: str = call.given["CapacityProviderName"]
    name = named(call, capacity_provider.kind, text)
    if name is None:
        raise no_provider(text)
    return name


def _existing(call: Call, name: ResourceName) -> dict[str, Any]:
    shown = call.cloud.views.document("capacity_providers", name.key)
    if shown is None:
        raise no_provider(name.arn())
    return dict(shown)


@operation("CreateCapacityProvider")
def create_capacity_provider(call: Call) -> Output:
    """Answers Pending; the provider is Active soon after."""
    name, given = _named(call), call.given
    with in_a_row():
        command = CreateCapacityProvider(
            resource=name,
            at_ms=call.now_ms(),
            config={member: given[member] for member in MEMBERS if given.get(member) is not None},
            tags=given.get("Tags") or {},
            others=call.cloud.views.count("capacity_providers", call.scope),
        )
        state: CapacityProviderState = call.cloud.ask(command)
    return {"CapacityProvider": describe(name, state)}


@operation("GetCapacityProvider")
def get_capacity_provider(call: Call) -> Output:
    """One provider."""
    return {"CapacityProvider": _existing(call, _named(call))}


@operation("ListCapacityProviders")
def list_capacity_providers(call: Call) -> Output:
    """All providers by name, or those in one state."""
    wanted = call.given.get("State")

    def decode(value: bytes) -> dict[str, Any] | None:
        provider = codec.document(value)
        return provider if wanted in {None, provider["State"]} else None

    items, marker = page(call.cloud.store, "capacity_providers", call.scope.prefix, call.given, decode)
    return {"CapacityProviders": items, "NextMarker": marker}


@operation("UpdateCapacityProvider")
def update_capacity_provider(call: Call) -> Output:
    """Members that are not given stay."""
    name, given = _named(call), call.given
    changes = {member: given[member] for member in UPDATED_MEMBERS if given.get(member) is not None}
    state: CapacityProviderState = call.cloud.ask(
        UpdateCapacityProvider(resource=name, at_ms=call.now_ms(), changes=changes)
    )
    return {"CapacityProvider": describe(name, state)}


@operation("DeleteCapacityProvider")
def delete_capacity_provider(call: Call) -> Output:
    """Answers Deleting; only what no function version has can be deleted."""
    name = _named(call)
    with in_a_row():
        command = DeleteCapacityProvider(resource=name, at_ms=call.now_ms(), used=is_used(call, name))
        state: CapacityProviderState = call.cloud.ask(command)
    return {"CapacityProvider": describe(name, state)}


@operation("ListFunctionVersionsByCapacityProvider")
def list_function_versions_by_capacity_provider(call: Call) -> Output:
    """Qualified ARNs by function name and version, each with its state."""
    name = _named(call)
    _existing(call, name)
    items, marker = page(call.cloud.store, PROVIDED_VERSIONS, name.row_key(""), call.given, codec.document)
    return {"CapacityProviderArn": name.arn(), "FunctionVersions": items, "NextMarker": marker}
