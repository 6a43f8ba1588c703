"""Layers as an SDK sees them."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest

ARN = "arn:aws:lambda:us-east-1:111111111111:layer"


def without(answer: Any, *members: str) -> dict[str, Any]:
    return {member: value for member, value in answer.items() if member not in {"ResponseMetadata", *members}}


@pytest.mark.proves("PublishLayerVersion", "GetLayerVersion", "GetLayerVersionByArn")
def test_published_read_and_downloaded(
    aws: Any, publish_layer: Callable[..., Any], fresh: Callable[..., str], make_zip: Callable[..., bytes]
) -> None:
    """Given a zip, when published, then answer, reads by name and ARN agree, and its address serves these bytes."""
    name, zipped = fresh("layer"), make_zip("y = 2\n", "python/y.py")
    runtimes, license_info = ["python3.12", "python3.11"], {"LicenseInfo": "MIT"}
    made = publish_layer(
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
def test_absent_and_empty_members(aws: Any, publish_layer: Callable[..., Any]) -> None:
    """Given no optional members, then only Description is there; given empty lists, then they are echoed."""
    assert without(publish_layer(), "Content", "CreatedDate", "LayerArn", "LayerVersionArn") == {
        "Description": "",
        "Version": 1,
    }
    made = publish_layer(CompatibleRuntimes=[], CompatibleArchitectures=[])
    assert (made["CompatibleRuntimes"], made["CompatibleArchitectures"]) == ([], [])


@pytest.mark.proves("PublishLayerVersion")
def test_what_is_no_content(
    aws: Any, publish_layer: Callable[..., Any], refused: Callable[..., Any], position: Callable[[], int]
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
    answer = refused(publish_layer, CompatibleRuntimes=["invalidruntime"], CompatibleArchitectures=["invalidarch"])
    assert answer.code == "ValidationException"
    assert answer.message.startswith("2 validation errors detected: Value '[invalidruntime]' at 'compatibleRuntimes'")
    answer = refused(aws.publish_layer_version, LayerName="none", Content={"S3Bucket": "none", "S3Key": "none"})
    assert answer.code == "InvalidParameterValueException"
    assert position() == before


@pytest.mark.proves("DeleteLayerVersion", "ListLayerVersions", "PublishLayerVersion")
def test_numbers_go_on(aws: Any, publish_layer: Callable[..., Any], fresh: Callable[..., str]) -> None:
    """Given three versions, when the last is deleted twice, then 204 twice, and the next one has number 4."""
    name = fresh("layer")
    for _ in range(3):
        publish_layer(name)
    for _ in range(2):
        deleted = aws.delete_layer_version(LayerName=name, VersionNumber=3)
        assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert publish_layer(name)["Version"] == 4
    listed = aws.list_layer_versions(LayerName=name)["LayerVersions"]
    assert [version["Version"] for version in listed] == [4, 2, 1]
    assert without(listed[0], "CreatedDate") == {"LayerVersionArn": f"{ARN}:{name}:4", "Version": 4, "Description": ""}
    aws.delete_layer_version(LayerName=fresh("nobody"), VersionNumber=1)
    assert aws.list_layer_versions(LayerName=fresh("nobody"))["LayerVersions"] == []


@pytest.mark.proves("GetLayerVersion", "GetLayerVersionByArn", "DeleteLayerVersion")
def test_what_is_not_there(aws: Any, publish_layer: Callable[..., Any], refused: Callable[..., Any]) -> None:
    """Given one version, when others are read, then not found; numbers below 1 have their own words."""
    name = publish_layer()["LayerArn"].rpartition(":")[2]
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
    aws = other_aws("171717171717", "eu-west-1")
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
    aws, content = other_aws("171717171717", "eu-west-2"), {"ZipFile": make_zip()}
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


@pytest.mark.proves("PublishLayerVersion")
def test_content_in_s3(
    aws: Any, s3: Any, refused: Any, fresh: Callable[..., str], make_zip: Callable[..., bytes]
) -> None:
    """Given a zip in S3, when published by bucket and key, then it is the content; what is not there is refused."""
    s3.objects["/layers/some.zip"] = zipped = make_zip("z = 3\n", "python/z.py")
    made = aws.publish_layer_version(LayerName=fresh("layer"), Content={"S3Bucket": "layers", "S3Key": "some.zip"})
    with urlopen(made["Content"]["Location"], timeout=30) as answer:
        assert answer.read() == zipped
    answer = refused(
        aws.publish_layer_version, LayerName=fresh("layer"), Content={"S3Bucket": "layers", "S3Key": "gone"}
    )
    assert answer.message == (
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."
    )


@pytest.mark.proves("GetAccountSettings", "PublishLayerVersion")
def test_layers_are_code_of_the_account(other_aws: Callable[..., Any], make_zip: Callable[..., bytes]) -> None:
    """Given an account with two layer versions, then its total code size is theirs."""
    aws, zipped = other_aws("181818181818"), make_zip()
    for _ in range(2):
        aws.publish_layer_version(LayerName="counted", Content={"ZipFile": zipped})
    assert aws.get_account_settings()["AccountUsage"]["TotalCodeSize"] == 2 * len(zipped)
