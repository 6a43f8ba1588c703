"""Tags: add, remove, list, on whatever kind of resource an ARN names.

A kind takes part with one line here, by its reader, and one in the domain (`relambda.actors.domain.tags.taggable`):

    taggable("event-source-mapping", lambda views, name: views.row(…).tags)
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import invalid, not_found
from relambda.actors.domain.tags import AddTags, RemoveTags, no_such_resource
from relambda.api.call import Call, Output, operation
from relambda.api.views import Views
from relambda.api.wire.errors import ServiceError

Reader: TypeAlias = Callable[[Views, ResourceName], Mapping[str, str] | None]
"""The tags of a resource, None when there is no such resource."""

_KINDS: dict[str, Reader] = {}


def taggable(kind: str, tags_of: Reader) -> None:
    """Let the resources of a kind be tagged; `kind` is the word in their ARNs, and of their streams."""
    _KINDS[kind] = tags_of


def _function_tags(views: Views, function: ResourceName) -> Mapping[str, str] | None:
    head = views.head(function)
    return None if head is None else head.tags


taggable("function", _function_tags)


def _resource(call: Call) -> ResourceName:
    """The resource that `Resource`, an ARN, names. Raises Refusal, ServiceError."""
    arn: str = call.given["Resource"]
    _, _, _, region, account, kind, name, *qualifier = arn.split(":")
    if qualifier:
        raise invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
    if region != call.scope.region:
        raise not_found(f"Functions from '{region}' are not reachable in this region ('{call.scope.region}')")
    if account != call.scope.account:
        raise ServiceError("AccessDeniedException", None)
    if kind not in _KINDS:
        raise no_such_resource(arn)
    return ResourceName(kind, account, region, name)


@operation("TagResource")
def tag_resource(call: Call) -> Output:
    """Answers nothing."""
    call.cloud.ask(AddTags(resource=_resource(call), at_ms=call.now_ms(), tags=call.given["Tags"]))
    return None


@operation("UntagResource")
def untag_resource(call: Call) -> Output:
    """Answers nothing, whether the keys were there or not."""
    call.cloud.ask(RemoveTags(resource=_resource(call), at_ms=call.now_ms(), keys=tuple(call.given["TagKeys"])))
    return None


@operation("ListTags")
def list_tags(call: Call) -> Output:
    """All tags of a resource; {} when it has none."""
    resource = _resource(call)
    tags = _KINDS[resource.kind](call.cloud.views, resource)
    if tags is None:
        raise no_such_resource(resource.arn())
    return {"Tags": dict(tags)}
