"""Resource policies: who else may use a function, one of its versions, or one of its aliases.

The policy of a function as a whole is kept under $LATEST, which has none of its own (TRAPS.md row 15).
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.policy_document import (
    LIMIT,
    VERSIONS,
    checked_document,
    grants_public_access,
    statement_of,
)
from relambda.actors.domain.qualifiers import dropped, is_version, known
from relambda.actors.domain.refusals import Refusal, check_revision, conflict, invalid, not_found
from relambda.actors.domain.state import FunctionState, function

_ALIAS = re.compile(r"[a-zA-Z0-9-_]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPermission(Command):
    """Add a statement; `request` has AddPermission's own members. `qualifier` None is the function as a whole."""

    qualifier: str | None
    request: Json
    revision_id: str
    expected_revision_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePermission(Command):
    """Take a statement out of a policy."""

    qualifier: str | None
    statement_id: str
    revision_id: str
    expected_revision_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutResourcePolicy(Command):
    """Replace a whole policy; `document` is what was in the request's JSON, whatever that is."""

    qualifier: str | None
    document: Any
    revision_id: str
    expected_revision_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteResourcePolicy(Command):
    """Remove a whole policy."""

    qualifier: str | None
    expected_revision_id: str | None = None


@event("PermissionAdded")
@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionAdded(Event):
    """A policy has one more statement."""

    qualifier: str
    statement: Json
    revision_id: str


@event("PermissionRemoved")
@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionRemoved(Event):
    """A policy has one statement less; without a statement it is gone."""

    qualifier: str
    statement_id: str
    revision_id: str


@event("ResourcePolicyPut")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePolicyPut(Event):
    """The policy is this document."""

    qualifier: str
    document: Json
    revision_id: str


@event("ResourcePolicyDeleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePolicyDeleted(Event):
    """There is no policy any more."""

    qualifier: str


def written(document: Json) -> str:
    """A policy or statement as the text that is answered: compact JSON."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def no_policy() -> Refusal:
    """There is no policy to read, and maybe no such function (TRAPS.md row 4)."""
    return not_found("The resource you requested does not exist.")


@function.decides(AddPermission)
def add_permission(state: FunctionState, command: AddPermission) -> Iterable[Event]:
    """One more statement, whose Sid is new."""
    _check_resource(command.resource, state, command.qualifier)
    statement = statement_of(command.request, command.resource.arn(command.qualifier), command.resource.region)
    key = command.qualifier or LATEST
    _check_policy_revision(state.policies.get(key), command.expected_revision_id)
    statements = _statements(state, key)
    sid = statement["Sid"]
    if any(other.get("Sid") == sid for other in statements):
        raise conflict(
            f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the "
            "existing statement."
        )
    _check_size(_with_statements(state, key, [*statements, statement]))
    yield PermissionAdded(at_ms=command.at_ms, qualifier=key, statement=statement, revision_id=command.revision_id)


@function.decides(RemovePermission)
def remove_permission(state: FunctionState, command: RemovePermission) -> Iterable[Event]:
    """The end of a statement that is there; three texts tell what is not (TRAPS.md row 4)."""
    if state.latest is None:
        raise not_found(f"No policy found for: {command.resource.arn(command.qualifier)}")
    key = _own_key(command.qualifier)
    policy = state.policies.get(key)
    if policy is None:
        raise not_found("No policy is associated with the given resource.")
    if all(statement.get("Sid") != command.statement_id for statement in _statements(state, key)):
        raise not_found(f"Statement {command.statement_id} is not found in resource policy.")
    _check_policy_revision(policy, command.expected_revision_id)
    yield PermissionRemoved(
        at_ms=command.at_ms, qualifier=key, statement_id=command.statement_id, revision_id=command.revision_id
    )


@function.decides(PutResourcePolicy)
def put_resource_policy(state: FunctionState, command: PutResourcePolicy) -> Iterable[Event]:
    """A document in the place of all statements; one that lets everyone in is refused.

    AddPermission takes such a statement (TRAPS.md row 15), so only documents are looked at.
    """
    _check_resource(command.resource, state, command.qualifier)
    key = command.qualifier or LATEST
    _check_policy_revision(state.policies.get(key), command.expected_revision_id, "GetResourcePolicy")
    document = checked_document(command.document, command.resource.arn(command.qualifier))
    _check_size(document)
    if grants_public_access(document["Statement"]):
        raise Refusal(
            "PublicPolicyException",
            "The resource-based policy you tried to add to the Lambda resource would grant public access to it, which "
            "isn't allowed.",
        )
    yield ResourcePolicyPut(at_ms=command.at_ms, qualifier=key, document=document, revision_id=command.revision_id)


@function.decides(DeleteResourcePolicy)
def delete_resource_policy(state: FunctionState, command: DeleteResourcePolicy) -> Iterable[Event]:
    """The end of a policy that is there."""
    key = _own_key(command.qualifier)
    policy = state.policies.get(key)
    if policy is None:
        raise no_policy()
    _check_policy_revision(policy, command.expected_revision_id, "GetResourcePolicy")
    yield ResourcePolicyDeleted(at_ms=command.at_ms, qualifier=key)


def _own_key(qualifier: str | None) -> str:
    """Where a policy is kept; one asked for by $LATEST is nowhere."""
    return "" if qualifier == LATEST else qualifier or LATEST


def _check_resource(resource: ResourceName, state: FunctionState, qualifier: str | None) -> None:
    """What is to have a policy must be there, and not be $LATEST. Raises Refusal."""
    if qualifier == LATEST:
        raise invalid("We currently do not support adding policies for $LATEST.")
    if state.latest is not None and (qualifier is None or known(state, qualifier)):
        return
    alias = state.latest is not None and qualifier and _ALIAS.fullmatch(qualifier) and not is_version(qualifier)
    text = "Cannot find alias arn" if alias else "Function not found"
    raise not_found(f"{text}: {resource.arn(qualifier)}")


def _check_policy_revision(policy: Json | None, expected: str | None, operation: str = "GetPolicy") -> None:
    check_revision(expected, policy["RevisionId"] if policy else "", operation)


def _statements(state: FunctionState, key: str) -> list[Json]:
    policy = state.policies.get(key)
    return list(policy["Policy"]["Statement"]) if policy else []


def _with_statements(state: FunctionState, key: str, statements: list[Json]) -> dict[str, Any]:
    policy = state.policies.get(key)
    document = policy["Policy"] if policy else {"Version": VERSIONS[0], "Id": "default"}
    return {**document, "Statement": statements}


def _check_size(document: Json) -> None:
    """The words are AWS's as users have published them."""
    size = len(written(document).encode())
    if size > LIMIT:
        raise Refusal(
            "PolicyLengthExceededException", f"The final policy size ({size}) is bigger than the limit ({LIMIT})."
        )


@function.evolves(PermissionAdded)
def permission_added(state: FunctionState, event: PermissionAdded) -> FunctionState:
    """The statement is the policy's last one."""
    statements = [*_statements(state, event.qualifier), event.statement]
    return _with(state, event.qualifier, _with_statements(state, event.qualifier, statements), event.revision_id)


@function.evolves(PermissionRemoved)
def permission_removed(state: FunctionState, event: PermissionRemoved) -> FunctionState:
    """The statement is gone, and the policy with its last one."""
    left = [each for each in _statements(state, event.qualifier) if each.get("Sid") != event.statement_id]
    if not left:
        return replace(state, policies=dropped(state.policies, event.qualifier))
    return _with(state, event.qualifier, _with_statements(state, event.qualifier, left), event.revision_id)


@function.evolves(ResourcePolicyPut)
def resource_policy_put(state: FunctionState, event: ResourcePolicyPut) -> FunctionState:
    """The document is the policy."""
    return _with(state, event.qualifier, event.document, event.revision_id)


@function.evolves(ResourcePolicyDeleted)
def resource_policy_deleted(state: FunctionState, event: ResourcePolicyDeleted) -> FunctionState:
    """The policy is gone."""
    return replace(state, policies=dropped(state.policies, event.qualifier))


def _with(state: FunctionState, qualifier: str, document: Json, revision_id: str) -> FunctionState:
    policy = {"RevisionId": revision_id, "Policy": document}
    return replace(state, policies={**state.policies, qualifier: policy})
