"""Policies of layer versions as an SDK sees them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

ARN = "arn:aws:lambda:us-east-1:111111111111:layer"
OTHER = "222222222222"


@pytest.mark.proves("AddLayerVersionPermission", "GetLayerVersionPolicy", "RemoveLayerVersionPermission")
def test_a_policy_comes_and_goes(aws: Any, publish_layer: Callable[..., Any], refused: Callable[..., Any]) -> None:
    """Given a version, when statements are added and removed, then the policy has them, in AWS's order of members."""
    name = publish_layer()["LayerArn"].rpartition(":")[2]
    which: dict[str, Any] = {"LayerName": name, "VersionNumber": 1}
    action = {"Action": "lambda:GetLayerVersion"}
    none = (404, "ResourceNotFoundException", "No policy is associated with the given resource.")
    assert refused(aws.get_layer_version_policy, **which).told == none
    first = aws.add_layer_version_permission(StatementId="s1", Principal="*", **action, **which)
    assert first["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert first["Statement"] == (
        f'{{"Sid":"s1","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"{ARN}:{name}:1"}}'
    )
    second = aws.add_layer_version_permission(
        StatementId="s2", Principal=OTHER, RevisionId=first["RevisionId"], **action, **which
    )
    assert json.loads(second["Statement"])["Principal"] == {"AWS": f"arn:aws:iam::{OTHER}:root"}
    third = aws.add_layer_version_permission(
        StatementId="s3", Principal="*", OrganizationId="o-0123456789", **action, **which
    )
    assert json.loads(third["Statement"])["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-0123456789"}}
    policy = aws.get_layer_version_policy(**which)
    assert policy["RevisionId"] == third["RevisionId"] != first["RevisionId"]
    document = json.loads(policy["Policy"])
    assert list(document) == ["Version", "Id", "Statement"]
    assert (document["Version"], document["Id"]) == ("2012-10-17", "default")
    assert document["Statement"] == [json.loads(each["Statement"]) for each in (first, second, third)]
    removed = aws.remove_layer_version_permission(StatementId="s1", RevisionId=policy["RevisionId"], **which)
    assert removed["ResponseMetadata"]["HTTPStatusCode"] == 204
    for statement in ("s2", "s3"):
        aws.remove_layer_version_permission(StatementId=statement, **which)
    assert refused(aws.get_layer_version_policy, **which).told == none


@pytest.mark.proves("AddLayerVersionPermission", "GetLayerVersionPolicy", "RemoveLayerVersionPermission")
def test_policies_refuse(
    aws: Any, publish_layer: Callable[..., Any], refused: Callable[..., Any], position: Callable[[], int]
) -> None:
    """Given a policy, when asked for what it cannot do, then AWS's refusals, and no event."""
    name = publish_layer()["LayerArn"].rpartition(":")[2]
    which: dict[str, Any] = {"LayerName": name, "VersionNumber": 1}
    grant: dict[str, Any] = {"StatementId": "s1", "Principal": "*", "Action": "lambda:GetLayerVersion"}
    aws.add_layer_version_permission(**grant, **which)
    before = position()
    assert refused(aws.add_layer_version_permission, **{**grant, "Action": "*"}, **which).told == (
        400,
        "ValidationException",
        (
            "1 validation error detected: Value '*' at 'action' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: lambda:GetLayerVersion"
        ),
    )
    assert refused(aws.add_layer_version_permission, **grant, **which).told == (
        409,
        "ResourceConflictException",
        (
            "The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing "
            "statement."
        ),
    )
    stale = (
        412,
        "PreconditionFailedException",
        (
            "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve "
            "the latest Revision Id"
        ),
    )
    another = {**grant, "StatementId": "s2"}
    assert refused(aws.add_layer_version_permission, RevisionId="wrong", **another, **which).told == stale
    assert refused(aws.remove_layer_version_permission, RevisionId="wrong", StatementId="s1", **which).told == stale
    answer = refused(aws.remove_layer_version_permission, StatementId="doesnotexist", **which)
    assert answer.told == (
        404,
        "ResourceNotFoundException",
        "Statement doesnotexist is not found in resource policy.",
    )
    for layer, number in ((name, 2), (f"{name}-doesnotexist", 1)):
        gone = {"LayerName": layer, "VersionNumber": number}
        words = f"Layer version {ARN}:{layer}:{number} does not exist."
        for answer in (
            refused(aws.add_layer_version_permission, **grant, **gone),
            refused(aws.get_layer_version_policy, **gone),
            refused(aws.remove_layer_version_permission, StatementId="s1", **gone),
        ):
            assert answer.told == (404, "ResourceNotFoundException", words)
    answer = refused(
        aws.add_layer_version_permission, **{**another, "Principal": OTHER}, OrganizationId="o-0123456789", **which
    )
    assert answer.code == "InvalidParameterValueException"
    assert position() == before


@pytest.mark.proves("AddLayerVersionPermission")
def test_a_policy_has_a_limit(aws: Any, publish_layer: Callable[..., Any], refused: Callable[..., Any]) -> None:
    """Given a policy near 20 KB, when one more statement comes, then it is too long."""
    name = publish_layer()["LayerArn"].rpartition(":")[2]
    grant: dict[str, Any] = {"LayerName": name, "VersionNumber": 1, "Action": "lambda:GetLayerVersion"}

    def fill() -> None:
        for number in range(120):
            aws.add_layer_version_permission(StatementId=f"{number:0>100}", Principal=OTHER, **grant)

    answer = refused(fill)
    assert (answer.status, answer.code) == (400, "PolicyLengthExceededException")
