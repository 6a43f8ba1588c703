"""Functions as an SDK sees them: create, read, update, delete. Expected answers are AWS's recorded ones."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest

Make = Callable[..., Any]
ROLE = "arn:aws:iam::111111111111:role/any"


def arn(name: str, qualifier: str = "") -> str:
    return f"arn:aws:lambda:us-east-1:111111111111:function:{name}" + (f":{qualifier}" if qualifier else "")


def members(answer: dict[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in answer.items() if member != "ResponseMetadata"}


@pytest.mark.proves("CreateFunction", "GetFunction", "GetFunctionConfiguration")
def test_a_new_function(aws: Any, make_function: Make, function_zip: bytes, fresh: Any) -> None:
    """Given nothing, when created, then 201 and Pending with AWS's defaults; then Active and Successful."""
    name = fresh()
    created = make_function(name, Role=ROLE, Code={"ZipFile": function_zip})
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    digest = base64.b64encode(hashlib.sha256(function_zip).digest()).decode()
    pending = {
        "FunctionName": name,
        "FunctionArn": arn(name),
        "Runtime": "python3.11",
        "Role": ROLE,
        "Handler": "app.handler",
        "CodeSize": len(function_zip),
        "CodeSha256": digest,
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "LastModified": created["LastModified"],
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": created["RevisionId"],
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "RuntimeVersionConfig": created["RuntimeVersionConfig"],
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }
    assert members(created) == pending
    active = members(aws.get_function_configuration(FunctionName=name))
    assert active["RevisionId"] != created["RevisionId"]
    without = {member: value for member, value in pending.items() if not member.startswith("StateReason")}
    assert active == {
        **without,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "RevisionId": active["RevisionId"],
    }
    assert aws.get_function(FunctionName=name)["Configuration"] == active


@pytest.mark.proves("GetFunction")
def test_the_code_can_be_had(aws: Any, make_function: Make, function_zip: bytes) -> None:
    """Given a function, when its code is fetched from its Location, then it is the package that was given."""
    name = make_function(Code={"ZipFile": function_zip})["FunctionName"]
    found = aws.get_function(FunctionName=name)
    assert found["Code"]["RepositoryType"] == "S3"
    with urlopen(found["Code"]["Location"], timeout=30) as answer:
        assert answer.read() == function_zip
    assert not found.keys() & {"Tags", "Concurrency"}


@pytest.mark.proves("CreateFunction", "UpdateFunctionCode")
def test_code_in_s3(
    aws: Any, s3: Any, make_function: Make, make_zip: Any, request_of: Any, refused: Any, wait: Any
) -> None:
    """Given packages in S3, when created and updated by bucket and key, then they run; what is not there is refused."""
    for key in ("one", "two"):
        s3.objects[f"/packages/{key}"] = make_zip(f"def handler(event, context):\n    return '{key}'\n")
    name = make_function(Code={"S3Bucket": "packages", "S3Key": "one"})["FunctionName"]
    assert aws.invoke(FunctionName=name)["Payload"].read() == b'"one"'
    aws.update_function_code(FunctionName=name, S3Bucket="packages", S3Key="two")
    wait("function_updated_v2", name)
    assert aws.invoke(FunctionName=name)["Payload"].read() == b'"two"'
    answer = refused(aws.create_function, **request_of(Code={"S3Bucket": "packages", "S3Key": "gone"}))
    assert answer.told == (
        400,
        "InvalidParameterValueException",
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
    )


@pytest.mark.proves("CreateFunction", "GetFunction")
def test_an_image_function(aws: Any, request_of: Any, refused: Any) -> None:
    """Given an image, when a function is created of it, then no Runtime, Handler or Layers, and ECR for its code."""
    given = request_of(
        PackageType="Image",
        Runtime=None,
        Handler=None,
        Code={"ImageUri": "111111111111.dkr.ecr.us-east-1.amazonaws.com/app:1"},
        ImageConfig={"Command": ["app.handler"]},
    )
    created = aws.create_function(**given)
    assert not created.keys() & {"Runtime", "Handler", "Layers", "RuntimeVersionConfig"}
    assert created["ImageConfigResponse"] == {"ImageConfig": {"Command": ["app.handler"]}}
    code = aws.get_function(FunctionName=given["FunctionName"])["Code"]
    assert (code["RepositoryType"], code["ImageUri"]) == ("ECR", given["Code"]["ImageUri"])
    mixed = request_of(PackageType="Image", Code=given["Code"])
    assert refused(aws.create_function, **mixed).code == "InvalidParameterValueException"


@pytest.mark.proves("CreateFunction", "GetFunctionConfiguration", "UpdateFunctionConfiguration")
def test_every_member_comes_back(aws: Any, make_function: Make, wait: Any) -> None:
    """Given a function created with all there is to configure, then it is told; and what an update leaves out stays."""
    given: dict[str, Any] = {
        "Description": "d",
        "Timeout": 20,
        "MemorySize": 256,
        "Environment": {"Variables": {"KEY": "v"}},
        "TracingConfig": {"Mode": "Active"},
        "EphemeralStorage": {"Size": 1024},
        "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:111111111111:dlq"},
        "KMSKeyArn": "arn:aws:kms:us-east-1:111111111111:key/00000000-0000-0000-0000-000000000000",
        "LoggingConfig": {
            "LogFormat": "JSON",
            "ApplicationLogLevel": "WARN",
            "SystemLogLevel": "INFO",
            "LogGroup": "/mine",
        },
        "FileSystemConfigs": [
            {
                "Arn": "arn:aws:elasticfilesystem:us-east-1:111111111111:access-point/fsap-00000000000000000",
                "LocalMountPath": "/mnt/data",
            }
        ],
    }
    name = make_function(**given)["FunctionName"]
    told = aws.get_function_configuration(FunctionName=name)
    assert {member: told[member] for member in given} == given
    aws.update_function_configuration(FunctionName=name, Handler="other.handler")
    wait("function_updated_v2", name)
    told = aws.get_function_configuration(FunctionName=name)
    assert {member: told[member] for member in given} == given
    removed = {"KMSKeyArn": "", "DeadLetterConfig": {"TargetArn": ""}, "FileSystemConfigs": []}
    updated = aws.update_function_configuration(FunctionName=name, **removed, Environment={"Variables": {}})
    assert not updated.keys() & removed.keys()
    assert updated["Environment"] == {"Variables": {}}


@pytest.mark.proves("CreateFunction")
def test_created_and_published_at_once(aws: Any, make_function: Make, wait: Any) -> None:
    """Given nothing, when created with Publish, then Version 1 with the unqualified ARN, and both become Active."""
    created = make_function(Publish=True)
    name = created["FunctionName"]
    assert (created["Version"], created["FunctionArn"]) == ("1", arn(name))
    wait("published_version_active", name, Qualifier="1")
    assert aws.get_function_configuration(FunctionName=name, Qualifier="1")["State"] == "Active"


@pytest.mark.proves("GetFunction", "GetFunctionConfiguration")
def test_names_in_all_forms(aws: Any, make_function: Make) -> None:
    """Given a function, when it is named by name, partial ARN or ARN, then it is found; $LATEST shows in the ARN."""
    name = make_function()["FunctionName"]
    for text in (name, f"111111111111:function:{name}", f"function:{name}", arn(name)):
        assert aws.get_function(FunctionName=text)["Configuration"]["FunctionArn"] == arn(name)
    for given in ({"FunctionName": name, "Qualifier": "$LATEST"}, {"FunctionName": f"{name}:$LATEST"}):
        assert aws.get_function_configuration(**given)["FunctionArn"] == arn(name, "$LATEST")


@pytest.mark.proves("UpdateFunctionCode")
def test_other_code(aws: Any, make_function: Make, make_zip: Any, wait: Any) -> None:
    """Given a function, when its code is updated, then InProgress with AWS's reason, then Successful, and it runs."""
    name = make_function()["FunctionName"]
    before = aws.get_function_configuration(FunctionName=name)
    package = make_zip("def handler(event, context):\n    return 'new'\n")
    updated = aws.update_function_code(FunctionName=name, ZipFile=package)
    assert updated["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
    assert updated["LastUpdateStatusReason"] == "The function is being created."
    assert updated["LastUpdateStatusReasonCode"] == "Creating"
    assert updated["CodeSha256"] == base64.b64encode(hashlib.sha256(package).digest()).decode()
    wait("function_updated_v2", name)
    after = aws.get_function_configuration(FunctionName=name)
    assert (after["LastUpdateStatus"], after["FunctionArn"]) == ("Successful", arn(name))
    assert not after.keys() & {"LastUpdateStatusReason", "LastUpdateStatusReasonCode"}
    assert len({before["RevisionId"], updated["RevisionId"], after["RevisionId"]}) == 3
    assert aws.invoke(FunctionName=name)["Payload"].read() == b'"new"'


@pytest.mark.proves("UpdateFunctionCode")
def test_a_dry_run(aws: Any, make_function: Make, make_zip: Any, position: Callable[[], int]) -> None:
    """Given a function, when its code is updated as a dry run, then 200 and nothing is changed."""
    name = make_function()["FunctionName"]
    before = members(aws.get_function_configuration(FunctionName=name))
    head = position()
    aws.update_function_code(FunctionName=name, ZipFile=make_zip("x = 1\n"), DryRun=True)
    assert members(aws.get_function_configuration(FunctionName=name)) == before
    assert position() == head


@pytest.mark.proves("UpdateFunctionConfiguration")
def test_an_update_of_nothing(aws: Any, make_function: Make, wait: Any) -> None:
    """Given a function, when nothing is configured, then its revision changes, twice, as for any update."""
    name = make_function()["FunctionName"]
    before = aws.get_function_configuration(FunctionName=name)["RevisionId"]
    during = aws.update_function_configuration(FunctionName=name, RevisionId=before)["RevisionId"]
    wait("function_updated_v2", name)
    after = aws.get_function_configuration(FunctionName=name)["RevisionId"]
    assert len({before, during, after}) == 3


@pytest.mark.proves("ListFunctions")
def test_lists(other_aws: Any, make_function: Make) -> None:
    """Given 60 functions of an account, when listed, then 50 a page at most, by name, without states, each once."""
    client = other_aws("161616161616")
    names = [f"f{number:02}" for number in range(60)]
    for name in reversed(names):
        make_function(name, client=client, Role="arn:aws:iam::161616161616:role/any")
    pages = list(client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 100}))
    assert [len(page["Functions"]) for page in pages] == [50, 10]
    listed = [function for page in pages for function in page["Functions"]]
    assert [function["FunctionName"] for function in listed] == names
    left_out = {"State", "StateReason", "LastUpdateStatus", "RuntimeVersionConfig"}
    assert not any(left_out & function.keys() for function in listed)
    assert [each["FunctionName"] for each in client.list_functions(MaxItems=2)["Functions"]] == names[:2]


@pytest.mark.proves("DeleteFunction")
def test_the_end(aws: Any, make_function: Make, refused: Any) -> None:
    """Given a function with a version and an alias, when deleted, then 204, and nothing of it is left."""
    name = make_function(Publish=True, Tags={"a": "1"})["FunctionName"]
    aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert aws.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call, given in (
        (aws.get_function, {}),
        (aws.get_function, {"Qualifier": "1"}),
        (aws.get_alias, {"Name": "live"}),
        (aws.list_versions_by_function, {}),
        (aws.delete_function, {}),
        (aws.invoke, {}),
    ):
        assert refused(call, FunctionName=name, **given).status == 404
    make_function(name)
    assert "Tags" not in aws.get_function(FunctionName=name)


@pytest.mark.proves("CreateFunction", "GetFunction", "UpdateFunctionCode")
def test_the_sdks_own_waiters(aws: Any, request_of: Any, wait: Any) -> None:
    """Given a function, then each of the SDK's waiters for functions ends."""
    given = request_of(Publish=True)
    aws.create_function(**given)
    name = given["FunctionName"]
    for waiter in ("function_exists", "function_active", "function_active_v2", "function_updated"):
        wait(waiter, name)
    aws.update_function_code(FunctionName=name, ZipFile=given["Code"]["ZipFile"])
    wait("function_updated_v2", name)
    wait("published_version_active", name, Qualifier="1")
