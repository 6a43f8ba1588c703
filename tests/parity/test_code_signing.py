"""Code-signing configurations as an SDK sees them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

PROFILE = "arn:aws:signer:us-east-1:111111111111:/signing-profiles/release/abcdefghij"
ROLE = "arn:aws:iam::111111111111:role/parity"
MISSING = "arn:aws:lambda:us-east-1:111111111111:code-signing-config:csc-00000000000000000"
FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function"
PUBLISHERS = {"SigningProfileVersionArns": [PROFILE]}


def create(client: Any, **given: Any) -> dict[str, Any]:
    made: dict[str, Any] = client.create_code_signing_config(AllowedPublishers=PUBLISHERS, **given)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    config: dict[str, Any] = made["CodeSigningConfig"]
    return config


@pytest.mark.proves(
    "CreateCodeSigningConfig", "GetCodeSigningConfig", "UpdateCodeSigningConfig", "DeleteCodeSigningConfig"
)
def test_a_configurations_life(aws: Any, refused: Callable[..., Any]) -> None:
    """Given nothing, when created, read, updated and deleted, then the answers agree, and it is gone."""
    made = create(aws, Description="releases", CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})
    arn = made["CodeSigningConfigArn"]
    assert arn == f"arn:aws:lambda:us-east-1:111111111111:code-signing-config:{made['CodeSigningConfigId']}"
    assert made["LastModified"].endswith("+0000")
    assert {member: made[member] for member in ("Description", "AllowedPublishers", "CodeSigningPolicies")} == {
        "Description": "releases",
        "AllowedPublishers": PUBLISHERS,
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"},
    }
    assert aws.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"] == made
    updated = aws.update_code_signing_config(CodeSigningConfigArn=arn, Description="all")["CodeSigningConfig"]
    assert updated == {**made, "Description": "all", "LastModified": updated["LastModified"]}
    assert updated["LastModified"] >= made["LastModified"]
    deleted = aws.delete_code_signing_config(CodeSigningConfigArn=arn)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(aws.get_code_signing_config, CodeSigningConfigArn=arn).status == 404


@pytest.mark.proves("CreateCodeSigningConfig")
def test_defaults(aws: Any) -> None:
    """Given the allowed publishers alone, then untrusted code is warned of."""
    made = create(aws)
    assert made["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
    assert made["Description"] == ""


@pytest.mark.proves(
    "GetCodeSigningConfig",
    "UpdateCodeSigningConfig",
    "DeleteCodeSigningConfig",
    "ListFunctionsByCodeSigningConfig",
)
def test_a_configuration_that_is_not_there(aws: Any, refused: Callable[..., Any]) -> None:
    """Given no configuration, then each operation says so in AWS's words, without a Type."""
    for call in (
        aws.get_code_signing_config,
        aws.update_code_signing_config,
        aws.delete_code_signing_config,
        aws.list_functions_by_code_signing_config,
    ):
        answer = refused(call, CodeSigningConfigArn=MISSING)
        words = f"The Lambda code signing configuration {MISSING} can not be found."
        assert answer.told == (404, "ResourceNotFoundException", words)
        assert answer.type is None
    answer = refused(aws.get_code_signing_config, CodeSigningConfigArn="arn:aws:lambda:us-east-1:1:nothing")
    assert answer.code == "ValidationException"


@pytest.mark.proves("ListCodeSigningConfigs")
def test_listing(other_aws: Callable[..., Any]) -> None:
    """Given three configurations in an account of its own, then they are listed, in pages too, and nowhere else."""
    aws = other_aws("191919191919")
    made = sorted(create(aws)["CodeSigningConfigArn"] for _ in range(3))
    assert (
        sorted(each["CodeSigningConfigArn"] for each in aws.list_code_signing_configs()["CodeSigningConfigs"]) == made
    )
    pages = list(aws.get_paginator("list_code_signing_configs").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["CodeSigningConfigs"]) for page in pages] == [2, 1]
    assert other_aws("191919191919", "eu-west-1").list_code_signing_configs()["CodeSigningConfigs"] == []


@pytest.mark.proves(
    "PutFunctionCodeSigningConfig",
    "GetFunctionCodeSigningConfig",
    "DeleteFunctionCodeSigningConfig",
    "ListFunctionsByCodeSigningConfig",
    "DeleteCodeSigningConfig",
)
def test_what_a_function_has(aws: Any, make_function: Callable[..., Any], refused: Callable[..., Any]) -> None:
    """Given a function, when it gets and loses a configuration, then both sides show it, and no used one is deleted."""
    name, arn = make_function()["FunctionName"], create(aws)["CodeSigningConfigArn"]
    assert "CodeSigningConfigArn" not in aws.get_function_code_signing_config(FunctionName=name)
    has = {"CodeSigningConfigArn": arn, "FunctionName": name}
    put = aws.put_function_code_signing_config(**has)
    assert {member: put[member] for member in has} == has
    read = aws.get_function_code_signing_config(FunctionName=f"{FUNCTION}:{name}")
    assert {member: read[member] for member in has} == has
    listed = aws.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)
    assert listed["FunctionArns"] == [f"{FUNCTION}:{name}"]
    assert refused(aws.delete_code_signing_config, CodeSigningConfigArn=arn).code == "ResourceConflictException"
    for _ in range(2):
        deleted = aws.delete_function_code_signing_config(FunctionName=name)
        assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert aws.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"] == []
    aws.delete_code_signing_config(CodeSigningConfigArn=arn)


@pytest.mark.proves("CreateFunction", "ListFunctionsByCodeSigningConfig", "DeleteFunction")
def test_functions_created_with_one(aws: Any, make_function: Callable[..., Any], fresh: Callable[..., str]) -> None:
    """Given functions created with a configuration, then they are listed in pages, until they are deleted."""
    arn, names = create(aws)["CodeSigningConfigArn"], sorted(fresh("signed") for _ in range(3))
    for name in names:
        make_function(name, CodeSigningConfigArn=arn)
    pages = aws.get_paginator("list_functions_by_code_signing_config").paginate(
        CodeSigningConfigArn=arn, PaginationConfig={"PageSize": 2}
    )
    listed = [page["FunctionArns"] for page in pages]
    assert listed == [[f"{FUNCTION}:{name}" for name in names[:2]], [f"{FUNCTION}:{names[2]}"]]
    for name in names:
        aws.delete_function(FunctionName=name)
    assert aws.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"] == []


@pytest.mark.proves(
    "PutFunctionCodeSigningConfig", "GetFunctionCodeSigningConfig", "DeleteFunctionCodeSigningConfig", "CreateFunction"
)
def test_what_functions_are_refused(
    aws: Any,
    make_function: Callable[..., Any],
    refused: Callable[..., Any],
    python_image: str,
    function_zip: bytes,
    position: Callable[[], int],
) -> None:
    """Given no function, no configuration, or an image, then AWS's refusals, and no event."""
    arn = create(aws)["CodeSigningConfigArn"]
    name = make_function()["FunctionName"]
    image = make_function(PackageType="Image", Code={"ImageUri": python_image})["FunctionName"]
    before, nobody = position(), f"Function not found: {FUNCTION}:csc-test-doesnotexist"
    for call, given in (
        (aws.put_function_code_signing_config, {"CodeSigningConfigArn": arn}),
        (aws.get_function_code_signing_config, {}),
        (aws.delete_function_code_signing_config, {}),
    ):
        answer = refused(call, FunctionName="csc-test-doesnotexist", **given)
        assert (answer.told, answer.type) == ((404, "ResourceNotFoundException", nobody), "User")
        answer = refused(call, FunctionName=image, **given)
        words = "Code signing is not supported for functions created with container images."
        assert answer.told == (400, "InvalidParameterValueException", words)
    words = (
        "The code signing configuration cannot be found. "
        f"Check that the provided configuration is not deleted: {MISSING}."
    )
    answer = refused(aws.put_function_code_signing_config, FunctionName=name, CodeSigningConfigArn=MISSING)
    assert (answer.told, answer.type) == ((404, "CodeSigningConfigNotFoundException", words), "User")
    answer = refused(
        aws.create_function,
        FunctionName="never-signed",
        Role=ROLE,
        Runtime="python3.11",
        Handler="app.handler",
        Code={"ZipFile": function_zip},
        CodeSigningConfigArn=MISSING,
    )
    assert answer.told == (404, "CodeSigningConfigNotFoundException", words)
    assert position() == before


@pytest.mark.proves("TagResource", "UntagResource", "ListTags", "CreateCodeSigningConfig")
def test_tags(aws: Any, refused: Callable[..., Any]) -> None:
    """Given a configuration with tags, when they are changed, then ListTags tells; gone with it."""
    arn = create(aws, Tags={"a": "1"})["CodeSigningConfigArn"]
    aws.tag_resource(Resource=arn, Tags={"b": "2"})
    aws.untag_resource(Resource=arn, TagKeys=["a"])
    assert aws.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    aws.delete_code_signing_config(CodeSigningConfigArn=arn)
    assert refused(aws.list_tags, Resource=arn).code == "ResourceNotFoundException"


@pytest.mark.proves("PutFunctionCodeSigningConfig", "DeleteCodeSigningConfig")
def test_nothing_is_deleted_while_a_function_gets_it(aws: Any, make_function: Callable[..., Any]) -> None:
    """Given configurations, when each is put and deleted at once, then exactly one of the two is refused."""
    name = make_function()["FunctionName"]

    def succeeds(call: Callable[..., Any], **given: Any) -> bool:
        try:
            call(**given)
        except (aws.exceptions.CodeSigningConfigNotFoundException, aws.exceptions.ResourceConflictException):
            return False
        return True

    with ThreadPoolExecutor(2) as at_once:
        for _ in range(20):
            arn = create(aws)["CodeSigningConfigArn"]
            put = at_once.submit(
                succeeds, aws.put_function_code_signing_config, FunctionName=name, CodeSigningConfigArn=arn
            )
            deleted = at_once.submit(succeeds, aws.delete_code_signing_config, CodeSigningConfigArn=arn)
            assert put.result(30) != deleted.result(30)
