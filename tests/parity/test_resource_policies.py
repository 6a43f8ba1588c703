"""Whole resource policies as an SDK sees them: put, read, deleted as documents."""

import json
from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]
S3 = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
STALE = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetResourcePolicy API to retrieve the latest Revision Id"
)
GONE = (404, "ResourceNotFoundException", "The resource you requested does not exist.")


def arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:111111111111:function:{name}"


def document(resource: str, **given: Any) -> dict[str, Any]:
    statement = {
        "Sid": "mine",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
        "Action": "lambda:InvokeFunction",
        "Resource": resource,
        **given,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.proves("PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy")
def test_a_whole_policy(aws: Any, make_function: Make, refused: Any) -> None:
    """Given a permission, when a document is put, then it replaces it for all operations; deleted, there is none."""
    function = make_function(Publish=True)
    own, name = function["FunctionArn"], function["FunctionName"]
    aws.add_permission(FunctionName=name, StatementId="s3", **S3)
    given = json.dumps(document(own))
    put = aws.put_resource_policy(ResourceArn=own, Policy=given)
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 200
    for read in (put, aws.get_resource_policy(ResourceArn=own), aws.get_policy(FunctionName=name)):
        assert json.loads(read["Policy"]) == json.loads(given)
        assert read["RevisionId"] == put["RevisionId"]
    aws.put_resource_policy(ResourceArn=f"{own}:1", Policy=json.dumps(document(f"{own}:1")))
    gone = aws.delete_resource_policy(ResourceArn=own, RevisionId=put["RevisionId"])
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call in (aws.get_resource_policy, aws.delete_resource_policy):
        assert refused(call, ResourceArn=own).told == GONE
    assert json.loads(aws.get_resource_policy(ResourceArn=f"{own}:1")["Policy"]) == document(f"{own}:1")


@pytest.mark.proves("PutResourcePolicy", "DeleteResourcePolicy")
def test_whole_policies_bound_to_a_revision(aws: Any, make_function: Make, refused: Any) -> None:
    """Given a policy, when replaced or deleted by another revision, then 412 names GetResourcePolicy."""
    own = make_function()["FunctionArn"]
    given = {"ResourceArn": own, "Policy": json.dumps(document(own))}
    wrong = {"RevisionId": "00000000-0000-0000-0000-000000000000"}
    expected = (412, "PreconditionFailedException", STALE)
    assert refused(aws.put_resource_policy, **given, **wrong).told == expected
    revision = aws.put_resource_policy(**given)["RevisionId"]
    assert refused(aws.put_resource_policy, **given, **wrong).told == expected
    assert refused(aws.delete_resource_policy, ResourceArn=own, **wrong).told == expected
    assert aws.put_resource_policy(**given, RevisionId=revision)["RevisionId"] != revision


@pytest.mark.proves("PutResourcePolicy")
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Principal": "*"}, "PublicPolicyException"),
        ({"Principal": {"AWS": "*"}}, "PublicPolicyException"),
        ({"Resource": "arn:aws:lambda:us-east-1:111111111111:function:another"}, "InvalidParameterValueException"),
        ({"Action": "s3:GetObject"}, "InvalidParameterValueException"),
        ({"Principal": {"AWS": "nobody"}}, "InvalidParameterValueException"),
        ({"Effect": "Perhaps"}, "InvalidParameterValueException"),
    ],
)
def test_documents_that_are_refused(
    aws: Any, make_function: Make, refused: Any, position: Callable[[], int], given: dict[str, Any], code: str
) -> None:
    """Given a function, when a document that is public or no policy is put, then 400, and no event."""
    own = make_function()["FunctionArn"]
    head = position()
    answer = refused(aws.put_resource_policy, ResourceArn=own, Policy=json.dumps(document(own, **given)))
    assert (answer.status, answer.code, answer.type) == (400, code, "User")
    assert position() == head


@pytest.mark.proves("PutResourcePolicy")
@pytest.mark.parametrize("text", ["{", "[" * 10_000, '{"Statement": "\\ud800"}', "null", "1", '"text"'])
def test_texts_that_are_no_document(aws: Any, make_function: Make, refused: Any, text: str) -> None:
    """Given a function, when a text that is no JSON object is put, then InvalidParameterValueException."""
    answer = refused(aws.put_resource_policy, ResourceArn=make_function()["FunctionArn"], Policy=text)
    assert (answer.status, answer.code) == (400, "InvalidParameterValueException")


@pytest.mark.proves("PutResourcePolicy")
def test_a_document_above_the_limit(aws: Any, raw_aws: Any, make_function: Make, refused: Any) -> None:
    """Given a function, when a document of too many characters is put, then the shape says so; of bytes, the policy."""
    own = make_function()["FunctionArn"]
    condition = {"StringEquals": {"aws:PrincipalTag/t": "値" * 7_000}}
    text = json.dumps(document(own, Condition=condition), ensure_ascii=False)
    answer = refused(aws.put_resource_policy, ResourceArn=own, Policy=text)
    assert (answer.status, answer.code) == (400, "PolicyLengthExceededException")
    answer = refused(raw_aws.put_resource_policy, ResourceArn=own, Policy=text * 3)
    assert (answer.status, answer.code) == (400, "ValidationException")


@pytest.mark.proves("PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy")
def test_resources_that_are_not_there(aws: Any, fresh: Any, other_aws: Any, make_function: Make, refused: Any) -> None:
    """Given no such function or runtime, or another's, when its policy is asked for, then 404 or 403."""
    missing = arn(fresh())
    assert refused(aws.get_resource_policy, ResourceArn=missing).told == GONE
    assert refused(aws.delete_resource_policy, ResourceArn=missing).told == GONE
    answer = refused(aws.put_resource_policy, ResourceArn=missing, Policy=json.dumps(document(missing)))
    assert answer.told == (404, "ResourceNotFoundException", f"Function not found: {missing}")
    runtime = "arn:aws:lambda:us-east-1:111111111111:runtime/mine"
    assert refused(aws.get_resource_policy, ResourceArn=runtime).told == GONE
    own = make_function()["FunctionArn"]
    assert refused(other_aws("141414141414").get_resource_policy, ResourceArn=own).status == 403
    assert refused(other_aws(region="eu-west-1").get_resource_policy, ResourceArn=own).status == 404
    latest = {"ResourceArn": f"{own}:$LATEST"}
    answer = refused(aws.put_resource_policy, **latest, Policy=json.dumps(document(own)))
    assert answer.message == "We currently do not support adding policies for $LATEST."
    assert refused(aws.get_resource_policy, **latest).told == GONE
