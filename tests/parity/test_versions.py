"""Versions as an SDK sees them: publishing, listing, deleting. Expected answers are AWS's recorded ones."""

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]
STALE = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)

NO_VERSION = (
    "1 validation error detected: Value 'invalid' at 'functionVersion' failed to satisfy constraint: Member must "
    "satisfy enum value set: [ALL]"
)


def arn(name: str, qualifier: str = "") -> str:
    return f"arn:aws:lambda:us-east-1:111111111111:function:{name}" + (f":{qualifier}" if qualifier else "")


@pytest.mark.proves("PublishVersion", "GetFunction")
def test_a_version_is_active_at_once(aws: Any, make_function: Make) -> None:
    """Given a function, when published, then 201: Active, Successful, its own ARN; $LATEST has a new revision."""
    name = make_function(Description="of the function")["FunctionName"]
    before = aws.get_function(FunctionName=name)["Configuration"]
    version = aws.publish_version(FunctionName=name, Description="first")
    assert version["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (version["Version"], version["FunctionArn"]) == ("1", arn(name, "1"))
    assert (version["State"], version["LastUpdateStatus"]) == ("Active", "Successful")
    assert version["Description"] == "first"
    after = aws.get_function(FunctionName=name)["Configuration"]
    assert after["Description"] == "of the function"
    assert after["RevisionId"] != before["RevisionId"]
    assert aws.get_function(FunctionName=name, Qualifier="1")["Configuration"]["FunctionArn"] == arn(name, "1")


@pytest.mark.proves("PublishVersion")
def test_unchanged_is_the_same_version(aws: Any, make_function: Make, position: Callable[[], int]) -> None:
    """Given a version, when published again with another description, then 201 and the same version, to the letter."""
    name = make_function()["FunctionName"]
    first = aws.publish_version(FunctionName=name, Description="first")
    head = position()
    again = aws.publish_version(FunctionName=name, Description="second")
    assert again["ResponseMetadata"]["HTTPStatusCode"] == 201
    first.pop("ResponseMetadata")
    again.pop("ResponseMetadata")
    assert again == first
    assert position() == head


@pytest.mark.proves("PublishVersion", "UpdateFunctionConfiguration")
def test_a_change_makes_the_next_version(aws: Any, make_function: Make, wait: Any) -> None:
    """Given a version, when the configuration changes, then the next version has it and the first has not."""
    name = make_function(Publish=True)["FunctionName"]
    aws.update_function_configuration(FunctionName=name, Timeout=9)
    wait("function_updated_v2", name)
    assert aws.publish_version(FunctionName=name)["Version"] == "2"
    assert aws.get_function_configuration(FunctionName=name, Qualifier="1")["Timeout"] == 3
    assert aws.get_function_configuration(FunctionName=name, Qualifier="2")["Timeout"] == 9


@pytest.mark.proves("PublishVersion", "UpdateFunctionCode")
def test_each_version_runs_its_own_code(aws: Any, make_function: Make, make_zip: Any, wait: Any) -> None:
    """Given two versions of other code, when each is invoked, then each answers by its own, and says which it is."""
    answer = "def handler(event, context):\n    return '{}'\n"
    name = make_function(Code={"ZipFile": make_zip(answer.format("one"))}, Publish=True)["FunctionName"]
    updated = aws.update_function_code(FunctionName=name, ZipFile=make_zip(answer.format("two")), Publish=True)
    assert (updated["Version"], updated["FunctionArn"], updated["State"]) == ("2", arn(name, "2"), "Pending")
    assert "LastUpdateStatus" not in updated
    wait("published_version_active", name, Qualifier="2")
    for qualifier, payload in (("1", b'"one"'), ("2", b'"two"')):
        invoked = aws.invoke(FunctionName=name, Qualifier=qualifier)
        assert (invoked["Payload"].read(), invoked["ExecutedVersion"]) == (payload, qualifier)


@pytest.mark.proves("PublishVersion")
def test_preconditions(aws: Any, make_function: Make, refused: Any, position: Callable[[], int]) -> None:
    """Given a function, when published by another revision or code, then refused; by its own, published."""
    name = make_function()["FunctionName"]
    now = aws.get_function_configuration(FunctionName=name)
    head = position()
    assert refused(aws.publish_version, FunctionName=name, RevisionId="wrong").told == (
        412,
        "PreconditionFailedException",
        STALE,
    )
    answer = refused(aws.publish_version, FunctionName=name, CodeSha256="somenonexistentsha256")
    assert (answer.status, answer.code, answer.type) == (400, "InvalidParameterValueException", "User")
    assert answer.message == (
        f"CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST ({now['CodeSha256']}). "
        "Please try again with the CodeSHA256 in $LATEST."
    )
    answer = refused(aws.publish_version, FunctionName=name, PublishTo="LATEST_PUBLISHED")
    assert answer.code == "InvalidParameterValueException"
    assert position() == head
    given = {"RevisionId": now["RevisionId"], "CodeSha256": now["CodeSha256"]}
    assert aws.publish_version(FunctionName=name, **given)["Version"] == "1"


@pytest.mark.proves("PublishVersion", "ListVersionsByFunction")
def test_of_no_function(aws: Any, fresh: Any, refused: Any) -> None:
    """Given no function, when published or listed, then 404 with its unqualified ARN."""
    name = fresh()
    for call in (aws.publish_version, aws.list_versions_by_function):
        assert refused(call, FunctionName=name).told == (
            404,
            "ResourceNotFoundException",
            f"Function not found: {arn(name)}",
        )


@pytest.mark.proves("ListVersionsByFunction")
def test_versions_are_listed_in_order(aws: Any, make_function: Make, wait: Any) -> None:
    """Given eleven versions, when listed by pages of 4, then $LATEST first, then by number, each by its own ARN."""
    name = make_function(Publish=True)["FunctionName"]
    for number in range(2, 12):
        aws.update_function_configuration(FunctionName=name, Timeout=number)
        wait("function_updated_v2", name)
        assert aws.publish_version(FunctionName=name)["Version"] == str(number)
    pages = aws.get_paginator("list_versions_by_function").paginate(FunctionName=name, PaginationConfig={"PageSize": 4})
    sizes, versions = [], []
    for page in pages:
        sizes.append(len(page["Versions"]))
        versions += page["Versions"]
    numbers = ["$LATEST", *(str(number) for number in range(1, 12))]
    assert sizes == [4, 4, 4]
    assert [version["Version"] for version in versions] == numbers
    assert [version["FunctionArn"] for version in versions] == [arn(name, number) for number in numbers]
    left_out = {"State", "LastUpdateStatus", "RuntimeVersionConfig"}
    assert not any(left_out & version.keys() for version in versions)


@pytest.mark.proves("ListFunctions")
def test_all_versions_of_all_functions(aws: Any, other_aws: Any, make_function: Make, refused: Any) -> None:
    """Given a function of two versions, when all are listed, then each by its own ARN, else $LATEST alone without."""
    client = other_aws("121212121212", "eu-west-1")
    role = "arn:aws:iam::121212121212:role/any"
    name = make_function(client=client, Role=role, Publish=True)["FunctionName"]
    own = f"arn:aws:lambda:eu-west-1:121212121212:function:{name}"
    every = client.list_functions(FunctionVersion="ALL")["Functions"]
    assert [each["FunctionArn"] for each in every] == [f"{own}:$LATEST", f"{own}:1"]
    (latest,) = client.list_functions()["Functions"]
    assert (latest["FunctionArn"], latest["Version"]) == (own, "$LATEST")
    assert client.list_functions(FunctionVersion="ALL", MasterRegion="us-east-1")["Functions"] == []
    assert refused(client.list_functions, MasterRegion="us-east-1").code == "InvalidParameterValueException"
    answer = refused(client.list_functions, FunctionVersion="invalid")
    assert answer.told == (
        400,
        "ValidationException",
        NO_VERSION,
    )


@pytest.mark.proves("DeleteFunction")
def test_a_version_is_deleted_by_itself(aws: Any, make_function: Make, refused: Any, wait: Any) -> None:
    """Given two versions, when one is deleted, twice, then 204 both times, and the other and $LATEST stay."""
    name = make_function(Publish=True)["FunctionName"]
    aws.update_function_configuration(FunctionName=name, Timeout=9)
    wait("function_updated_v2", name)
    aws.publish_version(FunctionName=name)
    for _ in range(2):
        gone = aws.delete_function(FunctionName=name, Qualifier="1")
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    left = aws.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in left] == ["$LATEST", "2"]
    assert refused(aws.get_function, FunctionName=name, Qualifier="1").told == (
        404,
        "ResourceNotFoundException",
        f"Function not found: {arn(name, '1')}",
    )


@pytest.mark.proves("DeleteFunction")
def test_versions_that_stay(aws: Any, make_function: Make, refused: Any) -> None:
    """Given an alias, when its version, it, or $LATEST is deleted as a version, then AWS's refusals."""
    name = make_function(Publish=True)["FunctionName"]
    aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert refused(aws.delete_function, FunctionName=name, Qualifier="1").told == (
        409,
        "ResourceConflictException",
        "Unable to delete version because the following aliases reference it: [live]",
    )
    assert refused(aws.delete_function, FunctionName=name, Qualifier="live").told == (
        400,
        "InvalidParameterValueException",
        "Deletion of aliases is not currently supported.",
    )
    assert refused(aws.delete_function, FunctionName=name, Qualifier="$LATEST").told == (
        400,
        "InvalidParameterValueException",
        "$LATEST version cannot be deleted without deleting the function.",
    )


@pytest.mark.proves("CreateFunction", "PublishVersion")
def test_numbers_go_on(aws: Any, make_function: Make) -> None:
    """Given a published function that was deleted, when it is created and published anew, then that is version 2."""
    name = make_function(Publish=True)["FunctionName"]
    aws.delete_function(FunctionName=name)
    make_function(name)
    assert aws.publish_version(FunctionName=name)["Version"] == "2"


@pytest.mark.proves("PublishVersion")
def test_snap_start_versions_are_prepared(aws: Any, make_function: Make, wait: Any) -> None:
    """Given SnapStart, when published, then Pending and optimised, then Active; $LATEST is not optimised."""
    name = make_function(Runtime="python3.12", SnapStart={"ApplyOn": "PublishedVersions"})["FunctionName"]
    version = aws.publish_version(FunctionName=name)
    assert version["State"] == "Pending"
    assert version["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    wait("published_version_active", name, Qualifier="1")
    latest = aws.get_function_configuration(FunctionName=name)
    assert latest["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
