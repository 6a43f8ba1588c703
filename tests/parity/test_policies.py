"""Resource policies as an SDK sees them. Expected answers are AWS's recorded ones."""

import json
from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]
S3 = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
STALE = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetPolicy API to retrieve the latest Revision Id"
)
GONE = (404, "ResourceNotFoundException", "The resource you requested does not exist.")


def arn(name: str, qualifier: str = "") -> str:
    return f"arn:aws:lambda:us-east-1:111111111111:function:{name}" + (f":{qualifier}" if qualifier else "")


@pytest.mark.proves("AddPermission", "GetPolicy")
def test_a_statement_in_awss_order(aws: Any, make_function: Make) -> None:
    """Given a function, when a permission is added, then 201 with its statement, and the policy, letter by letter."""
    name = make_function()["FunctionName"]
    added = aws.add_permission(
        FunctionName=name, StatementId="s3", **S3, SourceArn="arn:aws:s3:::b", SourceAccount="222222222222"
    )
    assert added["ResponseMetadata"]["HTTPStatusCode"] == 201
    expected = (
        '{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction",'
        f'"Resource":"{arn(name)}",'
        '"Condition":{"StringEquals":{"AWS:SourceAccount":"222222222222"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}}'
    )
    assert added["Statement"] == expected
    policy = aws.get_policy(FunctionName=name)
    assert policy["Policy"] == f'{{"Version":"2012-10-17","Id":"default","Statement":[{expected}]}}'
    assert len(policy["RevisionId"]) == 36


@pytest.mark.proves("AddPermission")
@pytest.mark.parametrize(
    ("given", "principal", "condition"),
    [
        ({"Principal": "222222222222"}, {"AWS": "arn:aws:iam::222222222222:root"}, None),
        (
            {"Principal": "arn:aws:iam::222222222222:user/u"},
            {"AWS": "arn:aws:iam::222222222222:user/u"},
            None,
        ),
        (
            {"Principal": "*", "PrincipalOrgID": "o-1234567890"},
            "*",
            {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
        ),
        (
            {"Principal": "*", "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
            "*",
            {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
        ),
        (
            {"Principal": "*", "InvokedViaFunctionUrl": True},
            "*",
            {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
        ),
        (
            {"Principal": "alexa-appkit.amazon.com", "EventSourceToken": "amzn1.ask.skill"},
            {"Service": "alexa-appkit.amazon.com"},
            {"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill"}},
        ),
    ],
    ids=["account", "user", "organization", "url", "via url", "token"],
)
def test_who_may_and_when(
    aws: Any, make_function: Make, given: dict[str, Any], principal: Any, condition: dict[str, Any] | None
) -> None:
    """Given a function, when a permission of each kind is added, then principal and condition as AWS writes them."""
    name = make_function()["FunctionName"]
    added = aws.add_permission(FunctionName=name, StatementId="s", **{**S3, **given})
    statement = json.loads(added["Statement"])
    assert statement["Principal"] == principal
    assert statement.get("Condition") == condition


@pytest.mark.proves("AddPermission", "GetPolicy", "RemovePermission")
def test_each_qualifier_has_its_own(aws: Any, make_function: Make, wait: Any, refused: Any) -> None:
    """Given a version and an alias, then each has a policy of its own, which publishing neither copies nor changes."""
    name = make_function(Publish=True)["FunctionName"]
    aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for qualifier in ("1", "live"):
        assert refused(aws.get_policy, FunctionName=name, Qualifier=qualifier).told == GONE
        added = aws.add_permission(FunctionName=name, Qualifier=qualifier, StatementId=f"s-{qualifier}", **S3)
        assert json.loads(added["Statement"])["Resource"] == arn(name, qualifier)
    assert refused(aws.get_policy, FunctionName=name).told == GONE
    aws.add_permission(FunctionName=name, StatementId="whole", **S3)
    revision = aws.get_policy(FunctionName=name)["RevisionId"]
    aws.update_function_configuration(FunctionName=name, Timeout=9)
    wait("function_updated_v2", name)
    aws.publish_version(FunctionName=name)
    assert aws.get_policy(FunctionName=name)["RevisionId"] == revision
    assert refused(aws.get_policy, FunctionName=name, Qualifier="2").told == GONE
    aws.remove_permission(FunctionName=f"{name}:live", StatementId="s-live")
    assert refused(aws.get_policy, FunctionName=name, Qualifier="live").told == GONE
    assert "s-1" in aws.get_policy(FunctionName=arn(name, "1"))["Policy"]


@pytest.mark.proves("RemovePermission", "GetPolicy")
def test_statements_are_removed(aws: Any, make_function: Make, refused: Any) -> None:
    """Given two statements, when both are removed, then 204, a new revision, and at last no policy."""
    name = make_function()["FunctionName"]
    for statement in ("a", "b"):
        aws.add_permission(FunctionName=name, StatementId=statement, **S3)
    before = aws.get_policy(FunctionName=name)
    gone = aws.remove_permission(FunctionName=name, StatementId="a")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    after = aws.get_policy(FunctionName=name)
    assert [each["Sid"] for each in json.loads(after["Policy"])["Statement"]] == ["b"]
    assert after["RevisionId"] != before["RevisionId"]
    answer = refused(aws.remove_permission, FunctionName=name, StatementId="non-existent")
    assert answer.told == (
        404,
        "ResourceNotFoundException",
        "Statement non-existent is not found in resource policy.",
    )
    aws.remove_permission(FunctionName=name, StatementId="b")
    assert refused(aws.get_policy, FunctionName=name).told == GONE
    answer = refused(aws.remove_permission, FunctionName=name, StatementId="b")
    assert answer.told == (404, "ResourceNotFoundException", "No policy is associated with the given resource.")


@pytest.mark.proves("AddPermission", "RemovePermission")
def test_changes_bound_to_a_revision(aws: Any, make_function: Make, refused: Any) -> None:
    """Given a policy, when changed by another revision, then 412 names GetPolicy; by its own, it is changed."""
    name = make_function()["FunctionName"]
    aws.add_permission(FunctionName=name, StatementId="a", **S3)
    wrong = "00000000-0000-0000-0000-000000000000"
    expected = (412, "PreconditionFailedException", STALE)
    assert refused(aws.add_permission, FunctionName=name, StatementId="b", RevisionId=wrong, **S3).told == expected
    assert refused(aws.remove_permission, FunctionName=name, StatementId="a", RevisionId=wrong).told == expected
    revision = aws.get_policy(FunctionName=name)["RevisionId"]
    aws.add_permission(FunctionName=name, StatementId="b", RevisionId=revision, **S3)
    revision = aws.get_policy(FunctionName=name)["RevisionId"]
    aws.remove_permission(FunctionName=name, StatementId="a", RevisionId=revision)


@pytest.mark.proves("AddPermission")
@pytest.mark.parametrize(
    ("given", "status", "code", "message"),
    [
        (
            {"StatementId": "example.com"},
            400,
            "ValidationException",
            (
                "1 validation error detected: Value 'example.com' at 'statementId' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"
            ),
        ),
        (
            {"Qualifier": "$LATEST"},
            400,
            "InvalidParameterValueException",
            "We currently do not support adding policies for $LATEST.",
        ),
        (
            {"Principal": "invalid.nonaws.com"},
            400,
            "InvalidParameterValueException",
            "The provided principal was invalid. Please check the principal and try again.",
        ),
        (
            {"FunctionUrlAuthType": "NONE"},
            400,
            "InvalidParameterValueException",
            "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action",
        ),
        (
            {"Qualifier": "alias-doesnotexist"},
            404,
            "ResourceNotFoundException",
            "Cannot find alias arn: {arn}:alias-doesnotexist",
        ),
        ({"Qualifier": "42"}, 404, "ResourceNotFoundException", "Function not found: {arn}:42"),
        (
            {"Qualifier": "valid-with-$-but-doesnotexist"},
            404,
            "ResourceNotFoundException",
            "Function not found: {arn}:valid-with-$-but-doesnotexist",
        ),
        (
            {"Qualifier": "invalid-qualifier-with-?-char"},
            400,
            "ValidationException",
            (
                "1 validation error detected: Value 'invalid-qualifier-with-?-char' at 'qualifier' failed to satisfy "
                "constraint: Member must satisfy regular expression pattern: \\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
            ),
        ),
        (
            {"StatementId": "taken"},
            409,
            "ResourceConflictException",
            (
                "The statement id (taken) provided already exists. Please provide a new statement id, or remove the "
                "existing statement."
            ),
        ),
    ],
    ids=["id", "latest", "principal", "url", "alias", "version", "odd", "pattern", "taken"],
)
def test_permissions_that_aws_refuses(
    raw_aws: Any,
    make_function: Make,
    refused: Any,
    position: Callable[[], int],
    given: dict[str, Any],
    status: int,
    code: str,
    message: str,
) -> None:
    """Given a function with a statement, when a permission is added so, then AWS's answer, and no event."""
    name = make_function()["FunctionName"]
    raw_aws.add_permission(FunctionName=name, StatementId="taken", **S3)
    head = position()
    answer = refused(raw_aws.add_permission, **{"FunctionName": name, "StatementId": "s", **S3, **given})
    assert answer.told == (status, code, message.replace("{arn}", arn(name)))
    assert answer.type == (None if code == "ValidationException" else "User")
    assert position() == head


@pytest.mark.proves("AddPermission", "RemovePermission", "GetPolicy")
def test_of_no_function(aws: Any, fresh: Any, refused: Any) -> None:
    """Given no function, then each operation has AWS's own words for that."""
    name = fresh()
    assert refused(aws.add_permission, FunctionName=name, StatementId="s", **S3).told == (
        404,
        "ResourceNotFoundException",
        f"Function not found: {arn(name)}",
    )
    assert refused(aws.remove_permission, FunctionName=name, StatementId="s").told == (
        404,
        "ResourceNotFoundException",
        f"No policy found for: {arn(name)}",
    )
    assert refused(aws.get_policy, FunctionName=name).told == GONE


@pytest.mark.proves("AddPermission")
def test_a_policy_has_a_limit(aws: Any, make_function: Make, refused: Any) -> None:
    """Given a policy near 20 KB, when a statement takes it above, then it is refused with both sizes."""
    name = make_function()["FunctionName"]
    source = "arn:aws:s3:::" + "b" * 4_700
    for number in range(4):
        aws.add_permission(FunctionName=name, StatementId=f"s{number}", **S3, SourceArn=source)
    size = len(aws.get_policy(FunctionName=name)["Policy"])
    answer = refused(aws.add_permission, FunctionName=name, StatementId="s4", **S3, SourceArn=source)
    one = len(
        json.dumps(json.loads(aws.get_policy(FunctionName=name)["Policy"])["Statement"][0], separators=(",", ":"))
    )
    assert answer.told == (
        400,
        "PolicyLengthExceededException",
        f"The final policy size ({size + one + 1}) is bigger than the limit (20480).",
    )
