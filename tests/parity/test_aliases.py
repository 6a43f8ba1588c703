"""Aliases as an SDK sees them. Expected answers are AWS's recorded ones."""

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]
STALE = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)

OUT_OF_RANGE = (
    "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy "
    "constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must "
    "have value greater than or equal to 0.0, Member must not be null]"
)
NO_NUMBER = (
    "1 validation error detected: Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy "
    "constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must "
    "have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]"
)
DIGITS = (
    "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular "
    "expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"
)


def arn(name: str, qualifier: str = "") -> str:
    return f"arn:aws:lambda:us-east-1:111111111111:function:{name}" + (f":{qualifier}" if qualifier else "")


@pytest.fixture
def two_versions(aws: Any, make_function: Make, make_zip: Any, wait: Any) -> str:
    """The name of a function whose versions 1 and 2 answer by their number."""
    answer = "def handler(event, context):\n    return {}\n"
    name: str = make_function(Code={"ZipFile": make_zip(answer.format(1))}, Publish=True)["FunctionName"]
    aws.update_function_code(FunctionName=name, ZipFile=make_zip(answer.format(2)), Publish=True)
    wait("function_updated_v2", name)
    wait("published_version_active", name, Qualifier="2")
    return name


def members(answer: dict[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in answer.items() if member != "ResponseMetadata"}


@pytest.mark.proves("CreateAlias", "GetAlias", "UpdateAlias", "DeleteAlias")
def test_a_life(aws: Any, two_versions: str, refused: Any) -> None:
    """Given versions, then an alias is created, read, changed and deleted, with a revision of its own."""
    named = {"FunctionName": two_versions, "Name": "live"}
    latest = aws.get_function_configuration(FunctionName=two_versions)["RevisionId"]
    created = aws.create_alias(**named, FunctionVersion="1", Description="d")
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert members(created) == {
        "AliasArn": arn(two_versions, "live"),
        "Name": "live",
        "FunctionVersion": "1",
        "Description": "d",
        "RevisionId": created["RevisionId"],
    }
    assert members(aws.get_alias(**named)) == members(created)
    assert aws.get_function_configuration(FunctionName=two_versions)["RevisionId"] == latest
    updated = aws.update_alias(**named, FunctionVersion="2")
    assert (updated["FunctionVersion"], updated["Description"]) == ("2", "d")
    assert updated["RevisionId"] != created["RevisionId"]
    again = aws.update_alias(**named)
    assert again["RevisionId"] != updated["RevisionId"]
    for _ in range(2):
        assert aws.delete_alias(**named)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(aws.get_alias, **named).told == (
        404,
        "ResourceNotFoundException",
        f"Cannot find alias arn: {arn(two_versions, 'live')}",
    )
    assert refused(aws.get_function, FunctionName=two_versions, Qualifier="live").told == (
        404,
        "ResourceNotFoundException",
        f"Function not found: {arn(two_versions, 'live')}",
    )


@pytest.mark.proves("CreateAlias", "GetFunction", "GetFunctionConfiguration")
def test_a_function_by_its_alias(aws: Any, two_versions: str) -> None:
    """Given an alias, when the function is read by it, in any form of name, then the version, by the alias's ARN."""
    aws.create_alias(FunctionName=two_versions, Name="live", FunctionVersion="1")
    for given in (
        {"FunctionName": two_versions, "Qualifier": "live"},
        {"FunctionName": f"{two_versions}:live"},
        {"FunctionName": arn(two_versions, "live")},
        {"FunctionName": f"111111111111:function:{two_versions}:live", "Qualifier": "live"},
    ):
        for told in (aws.get_function(**given)["Configuration"], aws.get_function_configuration(**given)):
            assert (told["Version"], told["FunctionArn"]) == ("1", arn(two_versions, "live"))


@pytest.mark.proves("CreateAlias", "UpdateAlias")
def test_shares(aws: Any, two_versions: str) -> None:
    """Given an alias, when it shares with a version, then RoutingConfig tells; with no weights, it is gone."""
    named = {"FunctionName": two_versions, "Name": "live"}
    shared = {"AdditionalVersionWeights": {"2": 0.25}}
    assert aws.create_alias(**named, FunctionVersion="1", RoutingConfig=shared)["RoutingConfig"] == shared
    assert aws.update_alias(**named, Description="x")["RoutingConfig"] == shared
    assert "RoutingConfig" not in aws.update_alias(**named, RoutingConfig={"AdditionalVersionWeights": {}})


@pytest.mark.proves("CreateAlias", "Invoke")
@pytest.mark.parametrize(("weight", "runs"), [(1.0, {"2"}), (0.0, {"1"}), (0.5, {"1", "2"})])
def test_invokes_are_shared(aws: Any, two_versions: str, weight: float, runs: set[str]) -> None:
    """Given a share of all, none or half, when the alias is invoked 40 times, then the versions run that must."""
    routing = {"AdditionalVersionWeights": {"2": weight}}
    aws.create_alias(FunctionName=two_versions, Name="live", FunctionVersion="1", RoutingConfig=routing)
    answers = [aws.invoke(FunctionName=two_versions, Qualifier="live") for _ in range(40)]
    assert {answer["ExecutedVersion"] for answer in answers} == runs
    assert all(answer["Payload"].read().decode() == answer["ExecutedVersion"] for answer in answers)


@pytest.mark.proves("UpdateAlias", "Invoke")
def test_an_alias_moves(aws: Any, two_versions: str) -> None:
    """Given an alias, when it is pointed to another version, then the next invoke runs that."""
    named = {"FunctionName": two_versions, "Name": "live"}
    aws.create_alias(**named, FunctionVersion="1")
    assert aws.invoke(FunctionName=two_versions, Qualifier="live")["ExecutedVersion"] == "1"
    aws.update_alias(**named, FunctionVersion="2")
    assert aws.invoke(FunctionName=two_versions, Qualifier="live")["ExecutedVersion"] == "2"


@pytest.mark.proves("ListAliases")
def test_lists(aws: Any, two_versions: str, fresh: Any, refused: Any) -> None:
    """Given aliases, when listed, then by name, by pages, and by the version they invoke."""
    targets = {"a": "1", "b": "2", "c": "1", "d": "$LATEST"}
    for alias, version in reversed(targets.items()):
        aws.create_alias(FunctionName=two_versions, Name=alias, FunctionVersion=version)
    pages = aws.get_paginator("list_aliases").paginate(FunctionName=two_versions, PaginationConfig={"PageSize": 3})
    assert [[alias["Name"] for alias in page["Aliases"]] for page in pages] == [["a", "b", "c"], ["d"]]
    named = aws.list_aliases(FunctionName=two_versions, FunctionVersion="1")["Aliases"]
    assert [alias["AliasArn"] for alias in named] == [arn(two_versions, "a"), arn(two_versions, "c")]
    assert aws.list_aliases(FunctionName=two_versions, FunctionVersion="9")["Aliases"] == []
    missing = fresh()
    assert refused(aws.list_aliases, FunctionName=missing).told == (
        404,
        "ResourceNotFoundException",
        f"Function not found: {arn(missing)}",
    )


@pytest.mark.proves("ListAliases")
def test_a_page_survives_change(aws: Any, two_versions: str) -> None:
    """Given a page of a list, when items around it come and go, then the next page misses and repeats none."""
    for alias in "bdfh":
        aws.create_alias(FunctionName=two_versions, Name=alias, FunctionVersion="1")
    first = aws.list_aliases(FunctionName=two_versions, MaxItems=2)
    assert [alias["Name"] for alias in first["Aliases"]] == ["b", "d"]
    aws.create_alias(FunctionName=two_versions, Name="a", FunctionVersion="1")
    aws.delete_alias(FunctionName=two_versions, Name="d")
    aws.delete_alias(FunctionName=two_versions, Name="f")
    rest = aws.list_aliases(FunctionName=two_versions, MaxItems=2, Marker=first["NextMarker"])
    assert [alias["Name"] for alias in rest["Aliases"]] == ["h"]
    assert "NextMarker" not in rest


@pytest.mark.proves("CreateAlias", "UpdateAlias")
@pytest.mark.parametrize(
    ("version", "weights", "status", "code", "message"),
    [
        (
            "1",
            {"2": 0.5, "3": 0.1},
            400,
            "InvalidParameterValueException",
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
        ),
        (
            "1",
            {"2": 2.0},
            400,
            "ValidationException",
            OUT_OF_RANGE,
        ),
        (
            "1",
            {"$LATEST": 0.5},
            400,
            "ValidationException",
            NO_NUMBER,
        ),
        (
            "1",
            {"1": 0.5},
            400,
            "InvalidParameterValueException",
            "Invalid function version 1. Function version 1 is already included in routing configuration.",
        ),
        ("1", {"10": 0.5}, 404, "ResourceNotFoundException", "Function not found: {arn}:10"),
        ("10", {}, 404, "ResourceNotFoundException", "Function not found: {arn}:10"),
        (
            "$LATEST",
            {"1": 0.5},
            400,
            "InvalidParameterValueException",
            "$LATEST is not supported for an alias pointing to more than 1 version",
        ),
    ],
    ids=["two", "range", "key", "same", "unknown weight", "unknown", "latest"],
)
def test_targets_that_aws_refuses(
    aws: Any,
    two_versions: str,
    refused: Any,
    position: Callable[[], int],
    version: str,
    weights: dict[str, float],
    status: int,
    code: str,
    message: str,
) -> None:
    """Given versions, when an alias is created or pointed so, then AWS's answer, and no event."""
    aws.create_alias(FunctionName=two_versions, Name="old", FunctionVersion="2")
    given = {
        "FunctionName": two_versions,
        "FunctionVersion": version,
        "RoutingConfig": {"AdditionalVersionWeights": weights},
    }
    head = position()
    for call, name in ((aws.create_alias, "live"), (aws.update_alias, "old")):
        answer = refused(call, Name=name, **given)
        assert answer.told == (status, code, message.replace("{arn}", arn(two_versions)))
        untyped = code == "ValidationException" or version == "$LATEST"
        assert answer.type == (None if untyped else "User")
    assert position() == head


@pytest.mark.proves("CreateAlias", "UpdateAlias", "DeleteAlias")
def test_conflicts_and_what_is_missing(aws: Any, two_versions: str, refused: Any, fresh: Any) -> None:
    """Given an alias, then a second of its name, another revision, and what is not there, are answered as AWS does."""
    named = {"FunctionName": two_versions, "Name": "live"}
    revision = aws.create_alias(**named, FunctionVersion="1")["RevisionId"]
    assert refused(aws.create_alias, **named, FunctionVersion="2").told == (
        409,
        "ResourceConflictException",
        f"Alias already exists: {arn(two_versions, 'live')}",
    )
    assert refused(aws.update_alias, **named, RevisionId="wrong").told == (412, "PreconditionFailedException", STALE)
    assert aws.update_alias(**named, RevisionId=revision)["FunctionVersion"] == "1"
    assert refused(aws.update_alias, FunctionName=two_versions, Name="non-existent").told == (
        404,
        "ResourceNotFoundException",
        f"Alias not found: {arn(two_versions, 'non-existent')}",
    )
    missing = fresh()
    answer = refused(aws.create_alias, FunctionName=missing, Name="live", FunctionVersion="1")
    assert answer.told == (404, "ResourceNotFoundException", f"Function not found: {arn(missing, '1')}")
    assert refused(aws.delete_alias, FunctionName=missing, Name="live").status == 404


@pytest.mark.proves("CreateAlias")
def test_a_name_is_no_number(aws: Any, two_versions: str, refused: Any) -> None:
    """Given versions, when an alias has a number for a name, then the pattern refuses it."""
    answer = refused(aws.create_alias, FunctionName=two_versions, Name="2024", FunctionVersion="1")
    assert answer.told == (
        400,
        "ValidationException",
        DIGITS,
    )
