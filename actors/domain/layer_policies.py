"""Policies of layer versions: which other accounts may use one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.layers import LayerState, layer
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.policies import written
from relambda.actors.domain.policy_document import LIMIT, VERSIONS, principal_of
from relambda.actors.domain.qualifiers import dropped
from relambda.actors.domain.refusals import Refusal, check_revision, conflict, invalid, not_found


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLayerPermission(Command):
    """Add a statement to a version's policy; `request` has AddLayerVersionPermission's own members."""

    version: int
    request: Json
    revision_id: str
    expected_revision_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLayerPermission(Command):
    """Take a statement out of a version's policy."""

    version: int
    statement_id: str
    revision_id: str
    expected_revision_id: str | None = None


@event("LayerPermissionAdded")
@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPermissionAdded(Event):
    """A version's policy has one more statement."""

    version: int
    statement: Json
    revision_id: str


@event("LayerPermissionRemoved")
@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPermissionRemoved(Event):
    """A version's policy has one statement less; without a statement it is gone."""

    version: int
    statement_id: str
    revision_id: str


def no_version(name: ResourceName, number: int) -> Refusal:
    """There is no such version to have a policy."""
    return not_found(f"Layer version {name.arn(str(number))} does not exist.")


def document(statements: Iterable[Json]) -> dict[str, Any]:
    """The policy of these statements."""
    return {"Version": VERSIONS[0], "Id": "default", "Statement": list(statements)}


def admits(policy: Json | None, account: str) -> bool:
    """Whether a version's policy lets an account use it.

    No organization is known here, so a statement for all accounts of one is for all accounts.
    """
    statements: list[Json] = policy["Statement"] if policy else []
    principals = [statement["Principal"] for statement in statements]
    return any(who == "*" or who["AWS"].split(":")[4] == account for who in principals)


@layer.decides(AddLayerPermission)
def add_permission(state: LayerState, command: AddLayerPermission) -> Iterable[Event]:
    """One more statement, whose Sid is new."""
    policy = _policy(state, command.resource, command.version)
    statement = _statement(command.resource.arn(str(command.version)), command.resource.region, command.request)
    check_revision(command.expected_revision_id, policy.get("RevisionId", ""), "GetLayerPolicy")
    if any(other["Sid"] == statement["Sid"] for other in policy["Statement"]):
        raise conflict(
            f"The statement id ({statement['Sid']}) provided already exists. Please provide a new statement id, or "
            "remove the existing statement."
        )
    size = len(written(document([*policy["Statement"], statement])).encode())
    if size > LIMIT:
        raise Refusal(
            "PolicyLengthExceededException", f"The final policy size ({size}) is bigger than the limit ({LIMIT})."
        )
    yield LayerPermissionAdded(
        at_ms=command.at_ms, version=command.version, statement=statement, revision_id=command.revision_id
    )


def _statement(arn: str, region: str, request: Json) -> dict[str, Any]:
    """In AWS's order of members, which is the order of the text that callers read."""
    organization = request.get("OrganizationId")
    if organization and request["Principal"] != "*":
        raise invalid("An OrganizationId needs the principal *: the statement is for all accounts of the organization.")
    return {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": principal_of(request["Principal"], region),
        "Action": request["Action"],
        "Resource": arn,
        **({"Condition": {"StringEquals": {"aws:PrincipalOrgID": organization}}} if organization else {}),
    }


@layer.decides(RemoveLayerPermission)
def remove_permission(state: LayerState, command: RemoveLayerPermission) -> Iterable[Event]:
    """The end of a statement that is there."""
    policy = _policy(state, command.resource, command.version)
    if not policy["Statement"]:
        raise not_found("No policy is associated with the given resource.")
    if all(statement["Sid"] != command.statement_id for statement in policy["Statement"]):
        raise not_found(f"Statement {command.statement_id} is not found in resource policy.")
    check_revision(command.expected_revision_id, policy["RevisionId"], "GetLayerPolicy")
    yield LayerPermissionRemoved(
        at_ms=command.at_ms,
        version=command.version,
        statement_id=command.statement_id,
        revision_id=command.revision_id,
    )


def _policy(state: LayerState, name: ResourceName, number: int) -> Json:
    if str(number) not in state.versions:
        raise no_version(name, number)
    return state.policies.get(str(number), {"Statement": []})


@layer.evolves(LayerPermissionAdded)
def permission_added(state: LayerState, event: LayerPermissionAdded) -> LayerState:
    """The statement is the policy's last one."""
    held = state.policies.get(str(event.version), {"Statement": []})
    return _with(state, event.version, [*held["Statement"], event.statement], event.revision_id)


@layer.evolves(LayerPermissionRemoved)
def permission_removed(state: LayerState, event: LayerPermissionRemoved) -> LayerState:
    """The statement is gone, and with the last one the policy."""
    held: list[Json] = state.policies[str(event.version)]["Statement"]
    left = [statement for statement in held if statement["Sid"] != event.statement_id]
    if not left:
        return replace(state, policies=dropped(state.policies, str(event.version)))
    return _with(state, event.version, left, event.revision_id)


def _with(state: LayerState, version: int, statements: list[Json], revision_id: str) -> LayerState:
    policy = {"RevisionId": revision_id, "Statement": statements}
    return replace(state, policies={**state.policies, str(version): policy})
