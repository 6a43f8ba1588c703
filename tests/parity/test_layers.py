"""Layers and their policies as an SDK sees them."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest

ARN = "arn:aws:lambda:us-east-1:111111111111:layer"
ROLE = "arn:aws:iam::111111111111:role/parity"
OTHER = "222222222222"


@pytest.fixture
def publish(aws: Any, fresh: Callable[..., str], make_zip: Callable[..., bytes]) -> Callable[..., Any]:
    """Publishes versions of layers, with a small zip unless another one is given."""

    def publishing(name: str | None = None, zipped: bytes | None = None, **given: Any) -> Any:
        content = {"ZipFile": zipped or make_zip("x = 1\n", "python/shared.py")}
        return aws.publish_layer_version(LayerName=name or fresh("layer"), Content=content, **given)

    return publishing


def without(answer: Any, *members: str) -> dict[str, Any]:
    return {member: value for member, value in answer.items() if member not in {"ResponseMetadata", *members}}


@pytest.mark.proves("PublishLayerVersion", "GetLayerVersion", "GetLayerVersionByArn")
def test_published_read_and_downloaded(
    aws: Any, publish: Callable[..., Any], fresh: Callable[..., str], make_zip: Callable[..., bytes]
) -> None:
    """Given a zip, when published, then answer, reads by name and ARN agree, and its address serves these bytes."""
    name, zipped = fresh("layer"), make_zip("y = 2\n", "python/y.py")
    runtimes, license_info = ["python3.12", "python3.11"], {"LicenseInfo": "MIT"}
    made = publish(
        name,
        zipped,
        Description="shared",
        CompatibleRuntimes=runtimes,
        CompatibleArchitectures=["arm64"],
        **license_info,
    )
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    content = made["Content"]
    assert content["CodeSize"] == len(zipped)
    assert content["CodeSha256"] == b64encode(hashlib.sha256(zipped).digest()).decode()
    assert made["CreatedDate"].endswith("+0000")
    assert without(made, "Content", "CreatedDate") == {
        "LayerArn": f"{ARN}:{name}",
        "LayerVersionArn": f"{ARN}:{name}:1",
        "Description": "shared",
        "Version": 1,
        "CompatibleRuntimes": ["python3.12", "python3.11"],
        "CompatibleArchitectures": ["arm64"],
        "LicenseInfo": "MIT",
    }
    read = aws.get_layer_version(LayerName=name, VersionNumber=1)
    assert without(read) == without(made)
    assert without(aws.get_layer_version(LayerName=f"{ARN}:{name}", VersionNumber=1)) == without(made)
    assert without(aws.get_layer_version_by_arn(Arn=f"{ARN}:{name}:1")) == without(made)
    with urlopen(read["Content"]["Location"], timeout=30) as answer:
        assert answer.read() == zipped


@pytest.mark.proves("PublishLayerVersion")
def test_absent_and_empty_members(aws: Any, publish: Callable[..., Any]) -> None:
    """Given no optional members, then only Description is there; given empty lists, then they are echoed."""
    assert without(publish(), "Content", "CreatedDate", "LayerArn", "LayerVersionArn") == {
        "Description": "",
        "Version": 1,
    }
    made = publish(CompatibleRuntimes=[], CompatibleArchitectures=[])
    assert (made["CompatibleRuntimes"], made["CompatibleArchitectures"]) == ([], [])


@pytest.mark.proves("PublishLayerVersion")
def test_what_is_no_content(
    aws: Any, publish: Callable[..., Any], refused: Callable[..., Any], position: Callable[[], int]
) -> None:
    """Given no source, no zip or unknown runtimes, then AWS's refusals, and no event."""
    before = position()
    assert refused(aws.publish_layer_version, LayerName="none", Content={}).code == "InvalidParameterValueException"
    answer = refused(aws.publish_layer_version, LayerName="none", Content={"ZipFile": b"no zip"})
    assert answer.told == (
        400,
        "InvalidParameterValueException",
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    )
    answer = refused(publish, CompatibleRuntimes=["invalidruntime"], CompatibleArchitectures=["invalidarch"])
    assert answer.code == "ValidationException"
    assert answer.message.startswith("2 validation errors detected: Value '[invalidruntime]' at 'compatibleRuntimes'")
    answer = refused(aws.publish_layer_version, LayerName="none", Content={"S3Bucket": "none", "S3Key": "none"})
    assert answer.code == "InvalidParameterValueException"
    assert position() == before


@pytest.mark.proves("DeleteLayerVersion", "ListLayerVersions", "PublishLayerVersion")
def test_numbers_go_on(aws: Any, publish: Callable[..., Any], fresh: Callable[..., str]) -> None:
    """Given three versions, when the last is deleted twice, then 204 twice, and the next one has number 4."""
    name = fresh("layer")
    for _ in range(3):
        publish(name)
    for _ in range(2):
        deleted = aws.delete_layer_version(LayerName=name, VersionNumber=3)
        assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert publish(name)["Version"] == 4
    listed = aws.list_layer_versions(LayerName=name)["LayerVersions"]
    assert [version["Version"] for version in listed] == [4, 2, 1]
    assert without(listed[0], "CreatedDate") == {"LayerVersionArn": f"{ARN}:{name}:4", "Version": 4, "Description": ""}
    aws.delete_layer_version(LayerName=fresh("nobody"), VersionNumber=1)
    assert aws.list_layer_versions(LayerName=fresh("nobody"))["LayerVersions"] == []


@pytest.mark.proves("GetLayerVersion", "GetLayerVersionByArn", "DeleteLayerVersion")
def test_what_is_not_there(aws: Any, publish: Callable[..., Any], refused: Callable[..., Any]) -> None:
    """Given one version, when others are read, then not found; numbers below 1 have their own words."""
    name = publish()["LayerArn"].rpartition(":")[2]
    gone = (404, "ResourceNotFoundException", "The resource you requested does not exist.")
    for which in ({"LayerName": name, "VersionNumber": 2}, {"LayerName": "nobody-at-all", "VersionNumber": 1}):
        assert refused(aws.get_layer_version, **which).told == gone
    assert refused(aws.get_layer_version_by_arn, Arn=f"{ARN}:{name}:7").told == gone
    for number in (0, -1):
        answer = refused(aws.get_layer_version, LayerName=name, VersionNumber=number)
        assert answer.told == (400, "InvalidParameterValueException", "Layer Version Cannot be less than 1")
    answer = refused(aws.get_layer_version_by_arn, Arn=f"{ARN}:{name}")
    assert answer.code == "ValidationException"
    assert answer.message.startswith(f"1 validation error detected: Value '{ARN}:{name}' at 'arn' failed to satisfy")


@pytest.mark.proves("ListLayers", "ListLayerVersions")
def test_filters(other_aws: Callable[..., Any], make_zip: Callable[..., bytes], fresh: Callable[..., str]) -> None:
    """Given versions for several runtimes and architectures, then filters find the newest of each layer that fits."""
    aws = other_aws("333333333333", "eu-west-1")
    first, second, content = "a" + fresh(), "b" + fresh(), {"ZipFile": make_zip()}
    for name, runtimes, architectures in (
        (first, ["python3.11"], ["x86_64"]),
        (first, ["python3.12"], ["x86_64", "arm64"]),
        (second, ["nodejs22.x"], ["arm64"]),
    ):
        aws.publish_layer_version(
            LayerName=name, Content=content, CompatibleRuntimes=runtimes, CompatibleArchitectures=architectures
        )

    def found(**filters: str) -> list[tuple[str, int]]:
        layers = aws.list_layers(**filters)["Layers"]
        return [(each["LayerName"], each["LatestMatchingVersion"]["Version"]) for each in layers]

    assert found() == [(first, 2), (second, 1)]
    assert found(CompatibleRuntime="python3.11") == [(first, 1)]
    assert found(CompatibleArchitecture="arm64") == [(first, 2), (second, 1)]
    assert found(CompatibleRuntime="python3.11", CompatibleArchitecture="arm64") == []
    versions = aws.list_layer_versions(LayerName=first, CompatibleArchitecture="x86_64")["LayerVersions"]
    assert [version["Version"] for version in versions] == [2, 1]
    versions = aws.list_layer_versions(LayerName=first, CompatibleRuntime="python3.12")["LayerVersions"]
    assert [version["Version"] for version in versions] == [2]
    aws.delete_layer_version(LayerName=second, VersionNumber=1)
    assert found() == [(first, 2)]


@pytest.mark.proves("ListLayers", "ListLayerVersions")
def test_unknown_filters(aws: Any, refused: Callable[..., Any]) -> None:
    """Given unknown words, then validation errors that list AWS's own."""
    answer = refused(aws.list_layers, CompatibleRuntime="runtimedoesnotexist")
    assert answer.message.startswith(
        "1 validation error detected: Value 'runtimedoesnotexist' at 'compatibleRuntime' failed to satisfy constraint: "
        "Member must satisfy enum value set: [ruby3.5, ruby2.6, dotnetcore1.0,"
    )
    answer = refused(aws.list_layer_versions, LayerName="x", CompatibleArchitecture="archdoesnotexist")
    assert answer.told == (
        400,
        "ValidationException",
        (
            "1 validation error detected: Value 'archdoesnotexist' at 'compatibleArchitecture' failed to satisfy "
            "constraint: Member must satisfy enum value set: [x86_64, arm64]"
        ),
    )


@pytest.mark.proves("ListLayers", "ListLayerVersions")
def test_pages(other_aws: Callable[..., Any], make_zip: Callable[..., bytes]) -> None:
    """Given more than a page, then the SDK's paginators find all, filtered or not."""
    aws, content = other_aws("333333333333", "eu-west-2"), {"ZipFile": make_zip()}
    for name in ("l1", "l2", "l3"):
        for _ in range(3):
            aws.publish_layer_version(LayerName=name, Content=content, CompatibleRuntimes=["python3.12"])
    for filters in ({}, {"CompatibleRuntime": "python3.12"}):
        pages = list(aws.get_paginator("list_layers").paginate(PaginationConfig={"PageSize": 2}, **filters))
        assert [[layer["LayerName"] for layer in page["Layers"]] for page in pages] == [["l1", "l2"], ["l3"]]
        versions = aws.get_paginator("list_layer_versions").paginate(
            LayerName="l2", PaginationConfig={"PageSize": 2}, **filters
        )
        assert [[each["Version"] for each in page["LayerVersions"]] for page in versions] == [[3, 2], [1]]


@pytest.mark.proves("AddLayerVersionPermission", "GetLayerVersionPolicy", "RemoveLayerVersionPermission")
def test_a_policy_comes_and_goes(aws: Any, publish: Callable[..., Any], refused: Callable[..., Any]) -> None:
    """Given a version, when statements are added and removed, then the policy has them, in AWS's order of members."""
    name = publish()["LayerArn"].rpartition(":")[2]
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
    aws: Any, publish: Callable[..., Any], refused: Callable[..., Any], position: Callable[[], int]
) -> None:
    """Given a policy, when asked for what it cannot do, then AWS's refusals, and no event."""
    name = publish()["LayerArn"].rpartition(":")[2]
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
            "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the "
            "latest Revision Id"
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
def test_a_policy_has_a_limit(aws: Any, publish: Callable[..., Any], refused: Callable[..., Any]) -> None:
    """Given a policy near 20 KB, when one more statement comes, then it is too long."""
    name = publish()["LayerArn"].rpartition(":")[2]
    grant: dict[str, Any] = {"LayerName": name, "VersionNumber": 1, "Action": "lambda:GetLayerVersion"}

    def fill() -> None:
        for number in range(120):
            aws.add_layer_version_permission(StatementId=f"{number:0>100}", Principal=OTHER, **grant)

    answer = refused(fill)
    assert (answer.status, answer.code) == (400, "PolicyLengthExceededException")


@pytest.mark.proves("GetLayerVersion", "AddLayerVersionPermission", "CreateFunction")
def test_another_account(
    aws: Any, other_aws: Callable[..., Any], publish: Callable[..., Any], refused: Callable[..., Any]
) -> None:
    """Given another account, when a layer is shared with it, then it sees and uses it, and not before."""
    made, theirs = publish(), other_aws(OTHER)
    arn, function = made["LayerVersionArn"], {"Role": ROLE, "Handler": "app.handler", "Runtime": "python3.11"}
    create = {**function, "FunctionName": "borrows", "Layers": [arn], "Code": {"ZipFile": _content(made)}}
    assert (refused(theirs.get_layer_version_by_arn, Arn=arn).status) == 403
    answer = refused(theirs.create_function, **create)
    assert (answer.status, answer.code) == (403, "AccessDeniedException")
    assert f"lambda:GetLayerVersion on resource: {arn} because no resource-based policy" in str(answer.message)
    aws.add_layer_version_permission(
        LayerName=made["LayerArn"],
        VersionNumber=1,
        StatementId="share",
        Principal=OTHER,
        Action="lambda:GetLayerVersion",
    )
    assert theirs.get_layer_version_by_arn(Arn=arn)["LayerVersionArn"] == arn
    assert theirs.create_function(**create)["Layers"] == [{"Arn": arn, "CodeSize": made["Content"]["CodeSize"]}]
    theirs.delete_function(FunctionName="borrows")
    assert refused(theirs.delete_layer_version, LayerName=made["LayerArn"], VersionNumber=1).status == 403


def _content(made: Any) -> bytes:
    with urlopen(made["Content"]["Location"], timeout=30) as answer:
        content: bytes = answer.read()
    return content


@pytest.mark.proves("CreateFunction", "UpdateFunctionConfiguration")
def test_layers_of_a_function(
    aws: Any, make_function: Callable[..., Any], publish: Callable[..., Any], wait: Callable[..., Any]
) -> None:
    """Given layers, when a function has them, then it shows them in order; an empty list takes them away."""
    one, two = publish(), publish()
    shown = [{"Arn": each["LayerVersionArn"], "CodeSize": each["Content"]["CodeSize"]} for each in (two, one)]
    made = make_function(Layers=[each["Arn"] for each in shown])
    assert made["Layers"] == shown
    name = made["FunctionName"]
    aws.delete_layer_version(LayerName=two["LayerArn"], VersionNumber=1)
    assert aws.get_function(FunctionName=name)["Configuration"]["Layers"] == shown
    assert "Layers" not in aws.update_function_configuration(FunctionName=name, Layers=[])
    wait("function_updated_v2", name)
    answer = aws.update_function_configuration(FunctionName=name, Layers=[one["LayerVersionArn"]])
    assert answer["Layers"] == shown[1:]


@pytest.mark.proves("CreateFunction", "UpdateFunctionConfiguration")
def test_layers_that_a_function_cannot_have(
    aws: Any,
    other_aws: Callable[..., Any],
    make_function: Callable[..., Any],
    publish: Callable[..., Any],
    refused: Callable[..., Any],
    position: Callable[[], int],
    make_zip: Callable[..., bytes],
) -> None:
    """Given layers that do not go together, or are not there, then AWS's refusals, and no event."""
    function = make_function()["FunctionName"]
    layers = [publish()["LayerArn"] for _ in range(6)]
    other = other_aws(region="eu-central-1").publish_layer_version(LayerName="afar", Content={"ZipFile": make_zip()})[
        "LayerVersionArn"
    ]
    before, twice = position(), "Two different versions of the same layer are not allowed to be referenced in the same"
    for arns, words in (
        ([f"{layer}:1" for layer in layers], "Cannot reference more than 5 layers."),
        ([f"{layers[0]}:9"], f"Layer version {layers[0]}:9 does not exist."),
        ([f"{ARN}:doesnotexist:1"], f"Layer version {ARN}:doesnotexist:1 does not exist."),
        (
            [other],
            "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.",
        ),
        (
            [f"{layers[0]}:1", f"{layers[0]}:2"],
            f"{twice} function. {layers[0]}:1 and {layers[0]}:2 are versions of the same layer.",
        ),
        (
            [f"{layers[0]}:1", f"{layers[0]}:1"],
            f"{twice} function. {layers[0]}:1 and {layers[0]}:1 are versions of the same layer.",
        ),
    ):
        told = (400, "InvalidParameterValueException", words)
        assert refused(aws.update_function_configuration, FunctionName=function, Layers=arns).told == told
        create: dict[str, Any] = {
            "FunctionName": "never-made",
            "Role": ROLE,
            "Handler": "app.handler",
            "Runtime": "python3.11",
            "Code": {"ZipFile": make_zip()},
        }
        assert refused(aws.create_function, **create, Layers=arns).told == told
    answer = refused(aws.update_function_configuration, FunctionName=function, Layers=[layers[0]])
    assert answer.code == "ValidationException"
    assert position() == before
