"""Policies of layer versions: given a version, when statements come and go, then events or AWS's refusals."""

from typing import Any

import pytest

from relambda.actors.domain.decider import Command
from relambda.actors.domain.layer_policies import (
    AddLayerPermission,
    LayerPermissionAdded,
    LayerPermissionRemoved,
    RemoveLayerPermission,
    admits,
)
from relambda.actors.domain.layers import LayerState, LayerVersion, layer
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal

NAME = ResourceName("layer", "111111111111", "us-east-1", "shared")
ARN = "arn:aws:lambda:us-east-1:111111111111:layer:shared"
THERE = LayerState(versions={"1": LayerVersion(1, "00" * 32, 10, 1_000)}, last_version=1)


def add(sid: str = "s1", principal: str = "*", version: int = 1, **given: Any) -> AddLayerPermission:
    expected = given.pop("expected", None)
    request = {"StatementId": sid, "Principal": principal, "Action": "lambda:GetLayerVersion", **given}
    return AddLayerPermission(
        resource=NAME,
        at_ms=2_000,
        version=version,
        request=request,
        revision_id=f"r-{sid}",
        expected_revision_id=expected,
    )


def remove(sid: str, expected: str | None = None, version: int = 1) -> RemoveLayerPermission:
    return RemoveLayerPermission(
        resource=NAME,
        at_ms=3_000,
        version=version,
        statement_id=sid,
        revision_id=f"r-without-{sid}",
        expected_revision_id=expected,
    )


def after(*commands: Command) -> LayerState:
    state = THERE
    for command in commands:
        state = layer.fold(state, layer.decide(state, command))
    return state


def refusal(state: LayerState, command: Command) -> Refusal:
    with pytest.raises(Refusal) as refused:
        layer.decide(state, command)
    return refused.value


def test_a_statement_in_awss_order() -> None:
    """Given a version, when an organization is let in, then the statement's members are in AWS's order."""
    (event,) = layer.decide(THERE, add(OrganizationId="o-0123456789"))
    assert isinstance(event, LayerPermissionAdded)
    assert list(event.statement) == ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"]
    assert event.statement["Resource"] == f"{ARN}:1"
    assert event.statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-0123456789"}}


def test_an_account_is_its_root() -> None:
    """Given an account's number or its root, when it is let in, then the principal is its root."""
    for principal in ("222222222222", "arn:aws:iam::222222222222:root"):
        policy = after(add(principal=principal)).policies["1"]
        assert policy["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::222222222222:root"}


def test_every_change_has_a_new_revision() -> None:
    """Given two statements, when one is removed, then each step's revision is the command's; the last takes all."""
    assert after(add("s1")).policies["1"]["RevisionId"] == "r-s1"
    two = after(add("s1"), add("s2", expected="r-s1"))
    one = layer.fold(two, layer.decide(two, remove("s1", expected="r-s2")))
    assert [statement["Sid"] for statement in one.policies["1"]["Statement"]] == ["s2"]
    assert one.policies["1"]["RevisionId"] == "r-without-s1"
    (event,) = layer.decide(one, remove("s2"))
    assert event == LayerPermissionRemoved(at_ms=3_000, version=1, statement_id="s2", revision_id="r-without-s2")
    assert layer.evolve(one, event).policies == {}


def test_what_is_not_there() -> None:
    """Given no version, no policy or no such statement, then AWS's words for each."""
    gone = f"Layer version {ARN}:2 does not exist."
    assert refusal(THERE, add(version=2)).message == gone
    assert refusal(THERE, remove("s1", version=2)).message == gone
    assert refusal(THERE, remove("s1")).message == "No policy is associated with the given resource."
    refused = refusal(after(add("s1")), remove("s2"))
    assert (refused.code, refused.message) == (
        "ResourceNotFoundException",
        "Statement s2 is not found in resource policy.",
    )


def test_what_is_refused() -> None:
    """Given a statement, when its Sid comes again, a revision is stale or a principal unfit, then refusals."""
    one = after(add("s1"))
    assert refusal(one, add("s1")).code == "ResourceConflictException"
    for command in (add("s2", expected="stale"), remove("s1", expected="stale")):
        refused = refusal(one, command)
        assert refused.code == "PreconditionFailedException"
        assert "Call the GetLayerPolicy API" in refused.message
    refused = refusal(one, add("s2", principal="222222222222", OrganizationId="o-0123456789"))
    assert refused.code == "InvalidParameterValueException"


def test_whom_a_policy_admits() -> None:
    """Given policies, then an account is admitted by name, or with everyone, and not otherwise."""
    assert not admits(None, "222222222222")
    named = after(add(principal="222222222222")).policies["1"]
    assert admits(named, "222222222222")
    assert not admits(named, "333333333333")
    assert admits(after(add()).policies["1"], "333333333333")
