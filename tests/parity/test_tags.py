"""Tags as an SDK sees them. Expected answers are AWS's recorded ones."""

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]
NOT_HERE = "Tags on function aliases and versions are not supported. Please specify a function ARN."


@pytest.mark.proves("TagResource", "ListTags", "UntagResource", "GetFunction", "CreateFunction")
def test_tags_come_and_go(aws: Any, make_function: Make) -> None:
    """Given a tagged function, when tags are added and removed, then 204, and both reads tell what there is."""
    function = make_function(Tags={"a": "1", "b": "2"})
    arn, name = function["FunctionArn"], function["FunctionName"]
    assert aws.list_tags(Resource=arn)["Tags"] == {"a": "1", "b": "2"}
    added = aws.tag_resource(Resource=arn, Tags={"b": "3", "c": ""})
    assert added["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert aws.get_function(FunctionName=name)["Tags"] == {"a": "1", "b": "3", "c": ""}
    removed = aws.untag_resource(Resource=arn, TagKeys=["a", "b", "c", "unknown"])
    assert removed["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert aws.list_tags(Resource=arn)["Tags"] == {}
    assert "Tags" not in aws.get_function(FunctionName=name)


@pytest.mark.proves("TagResource", "CreateFunction")
def test_fifty_and_no_more(aws: Any, make_function: Make, refused: Any, fresh: Any, function_zip: bytes) -> None:
    """Given 50 tags, when one more is added, or a function created with 51, then refused, and nothing is changed."""
    arn = make_function()["FunctionArn"]
    tags = {f"k{number}": "v" for number in range(50)}
    aws.tag_resource(Resource=arn, Tags=tags)
    expected = (400, "InvalidParameterValueException", "Number of tags exceeds resource tag limit.")
    assert refused(aws.tag_resource, Resource=arn, Tags={"one": "more"}).told == expected
    assert aws.list_tags(Resource=arn)["Tags"] == tags
    answer = refused(
        aws.create_function,
        FunctionName=fresh(),
        Runtime="python3.11",
        Role="arn:aws:iam::111111111111:role/any",
        Handler="app.handler",
        Code={"ZipFile": function_zip},
        Tags={**tags, "one": "more"},
    )
    assert answer.told == expected


@pytest.mark.proves("TagResource", "UntagResource", "ListTags")
def test_functions_alone(aws: Any, make_function: Make, refused: Any) -> None:
    """Given a function, when a version or alias of it is tagged, untagged or read, then AWS's refusal."""
    arn = make_function(Publish=True)["FunctionArn"]
    for qualifier in ("1", "$LATEST", "live"):
        for call, given in (
            (aws.tag_resource, {"Tags": {"a": "1"}}),
            (aws.untag_resource, {"TagKeys": ["a"]}),
            (aws.list_tags, {}),
        ):
            answer = refused(call, Resource=f"{arn}:{qualifier}", **given)
            assert answer.told == (400, "InvalidParameterValueException", NOT_HERE)


@pytest.mark.proves("TagResource", "UntagResource", "ListTags")
@pytest.mark.parametrize(
    ("resource", "noun"),
    [
        ("function:never-created", "Function"),
        ("event-source-mapping:c6a6fcd7-0000-0000-0000-000000000000", "Event source mapping"),
        ("capacity-provider:never-created", "Capacity provider"),
    ],
)
def test_what_is_not_there(aws: Any, refused: Any, resource: str, noun: str) -> None:
    """Given no such resource, when it is tagged, untagged or read, then 404 in the words of its kind."""
    arn = f"arn:aws:lambda:us-east-1:111111111111:{resource}"
    for call, given in (
        (aws.tag_resource, {"Tags": {"a": "1"}}),
        (aws.untag_resource, {"TagKeys": ["a"]}),
        (aws.list_tags, {}),
    ):
        answer = refused(call, Resource=arn, **given)
        assert answer.told == (404, "ResourceNotFoundException", f"{noun} not found: {arn}")


@pytest.mark.proves("TagResource", "UntagResource", "ListTags")
def test_whose_it_is(aws: Any, other_aws: Any, make_function: Make, refused: Any) -> None:
    """Given a function, when tagged from another account or region, then 403 without a message, and 404."""
    arn = make_function()["FunctionArn"]
    answer = refused(other_aws("131313131313").tag_resource, Resource=arn, Tags={"a": "1"})
    assert (answer.status, answer.code) == (403, "AccessDeniedException")
    answer = refused(other_aws(region="eu-west-1").list_tags, Resource=arn)
    assert answer.told == (
        404,
        "ResourceNotFoundException",
        "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')",
    )


@pytest.mark.proves("TagResource", "UntagResource", "ListTags")
def test_requests_of_no_sense(aws: Any, raw_aws: Any, make_function: Make, refused: Any) -> None:
    """Given a function, when tagged with nothing, untagged without keys, or named by no ARN, then AWS's words."""
    arn = make_function()["FunctionArn"]
    assert refused(aws.tag_resource, Resource=arn, Tags={}).told == (
        400,
        "InvalidParameterValueException",
        "An error occurred and the request cannot be processed.",
    )
    assert refused(raw_aws.untag_resource, Resource=arn, TagKeys=[]).told == (
        400,
        "ValidationException",
        "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null",
    )
    for resource in ("arn:aws:something", f"{arn[: arn.index('function')]}foobar:x"):
        answer = refused(aws.list_tags, Resource=resource)
        assert (answer.status, answer.code) == (400, "ValidationException")
        assert (answer.message or "").startswith(
            f"1 validation error detected: Value '{resource}' at 'resource' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*):lambda:"
        )
