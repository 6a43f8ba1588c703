"""Capacity providers, and functions of managed instances, as an SDK sees them."""

from collections.abc import Callable
from typing import Any

import pytest

ARN = "arn:aws:lambda:us-east-1:111111111111:capacity-provider"
FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function"
OPERATOR = "arn:aws:iam::111111111111:role/operator"
PLACE: dict[str, Any] = {
    "VpcConfig": {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
    "PermissionsConfig": {"CapacityProviderOperatorRoleArn": OPERATOR},
}


@pytest.mark.proves("CreateCapacityProvider", "GetCapacityProvider", "DeleteCapacityProvider")
def test_a_providers_life(aws: Any, providers: Any, refused: Callable[..., Any]) -> None:
    """Given nothing, when created, then Pending, soon Active; when deleted, then Deleting, soon gone."""
    made = providers("lives", InstanceRequirements={"Architectures": ["x86_64"]})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    provider = made["CapacityProvider"]
    assert provider["LastModified"].endswith("+0000")
    assert {**provider, "LastModified": ""} == {
        "CapacityProviderArn": f"{ARN}:lives",
        "State": "Pending",
        **PLACE,
        "InstanceRequirements": {"Architectures": ["x86_64"]},
        "LastModified": "",
    }
    for name in ("lives", f"{ARN}:lives"):
        read = aws.get_capacity_provider(CapacityProviderName=name)["CapacityProvider"]
        assert read == {**provider, "State": "Active"}
    deleted = providers.delete("lives")
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert deleted["CapacityProvider"]["State"] == "Deleting"
    answer = refused(aws.get_capacity_provider, CapacityProviderName="lives")
    assert answer.told == (404, "ResourceNotFoundException", f"Capacity provider not found: {ARN}:lives")
    providers("lives")


@pytest.mark.proves("UpdateCapacityProvider")
def test_updating(aws: Any, providers: Any) -> None:
    """Given a provider, when it is updated, then the members given are replaced, and all others stay."""
    provider = providers("grows", KmsKeyArn="arn:aws:kms:us-east-1:111111111111:key/k")["CapacityProvider"]
    scaling = {"MaxVCpuCount": 64, "ScalingMode": "Auto"}
    updated = aws.update_capacity_provider(CapacityProviderName="grows", CapacityProviderScalingConfig=scaling)
    assert updated["ResponseMetadata"]["HTTPStatusCode"] == 202
    shown = updated["CapacityProvider"]
    assert shown["CapacityProviderScalingConfig"] == scaling
    assert (shown["State"], shown["KmsKeyArn"]) == ("Active", provider["KmsKeyArn"])
    assert aws.get_capacity_provider(CapacityProviderName="grows")["CapacityProvider"] == shown


@pytest.mark.proves(
    "CreateCapacityProvider",
    "GetCapacityProvider",
    "UpdateCapacityProvider",
    "DeleteCapacityProvider",
    "ListFunctionVersionsByCapacityProvider",
)
def test_what_is_refused(aws: Any, providers: Any, refused: Callable[..., Any], position: Callable[[], int]) -> None:
    """Given a provider, when made again, made badly, or another one meant, then refusals, and no event."""
    providers("taken")
    before = position()
    answer = refused(aws.create_capacity_provider, CapacityProviderName="taken", **PLACE)
    assert (answer.status, answer.code) == (409, "ResourceConflictException")
    for bad in (
        {"CapacityProviderScalingConfig": {"ScalingMode": "Manual"}},
        {"InstanceRequirements": {"AllowedInstanceTypes": ["m7g.large"], "ExcludedInstanceTypes": ["m7i.large"]}},
        {"Tags": {f"k{number}": "v" for number in range(51)}},
    ):
        answer = refused(aws.create_capacity_provider, CapacityProviderName="bad", **PLACE, **bad)
        assert answer.code == "InvalidParameterValueException"
    for name in ("nobody", f"{ARN}:nobody"):
        for call in (
            aws.get_capacity_provider,
            aws.update_capacity_provider,
            aws.delete_capacity_provider,
            aws.list_function_versions_by_capacity_provider,
        ):
            told = (404, "ResourceNotFoundException", f"Capacity provider not found: {ARN}:nobody")
            assert refused(call, CapacityProviderName=name).told == told
    afar = "arn:aws:lambda:eu-west-1:111111111111:capacity-provider:taken"
    assert refused(aws.get_capacity_provider, CapacityProviderName=afar).status == 404
    assert position() == before


@pytest.mark.proves("ListCapacityProviders")
def test_listing(other_aws: Callable[..., Any], providers: Any) -> None:
    """Given three providers in an account of its own, then they are listed by name, in pages, and by state."""
    aws = other_aws("202020202020")
    make = providers.by(aws)
    for name in ("p2", "p1", "p3"):
        make(name)
    pages = list(aws.get_paginator("list_capacity_providers").paginate(PaginationConfig={"PageSize": 2}))
    listed = [[each["CapacityProviderArn"].rpartition(":")[2] for each in page["CapacityProviders"]] for page in pages]
    assert listed == [["p1", "p2"], ["p3"]]
    assert len(aws.list_capacity_providers(State="Active")["CapacityProviders"]) == 3
    assert aws.list_capacity_providers(State="Failed")["CapacityProviders"] == []


@pytest.mark.proves("TagResource", "UntagResource", "ListTags", "CreateCapacityProvider")
def test_tags(aws: Any, providers: Any, refused: Callable[..., Any]) -> None:
    """Given a provider with tags, when they are changed, then ListTags tells; without it, AWS's words."""
    arn = providers("tagged", Tags={"a": "1"})["CapacityProvider"]["CapacityProviderArn"]
    aws.tag_resource(Resource=arn, Tags={"b": "2"})
    aws.untag_resource(Resource=arn, TagKeys=["a"])
    assert aws.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    providers.delete("tagged")
    told = (404, "ResourceNotFoundException", f"Capacity provider not found: {arn}")
    assert refused(aws.list_tags, Resource=arn).told == told


@pytest.mark.proves(
    "CreateFunction", "PublishVersion", "ListFunctionVersionsByCapacityProvider", "DeleteCapacityProvider"
)
def test_functions_of_managed_instances(
    aws: Any, managed: Callable[..., Any], wait: Callable[..., Any], refused: Callable[..., Any]
) -> None:
    """Given a provider, when a function has it, then its defaults are others, its versions run, and it is in use."""
    made = managed("hosts", "managed")
    assert (made["MemorySize"], made["LoggingConfig"]["LogFormat"]) == (2048, "JSON")
    assert aws.get_function_configuration(FunctionName="managed")["State"] == "ActiveNonInvocable"
    assert aws.publish_version(FunctionName="managed")["State"] == "Pending"
    wait("published_version_active", "managed", Qualifier="1")
    listed = aws.list_function_versions_by_capacity_provider(CapacityProviderName="hosts")
    assert listed["CapacityProviderArn"] == f"{ARN}:hosts"
    assert listed["FunctionVersions"] == [
        {"FunctionArn": f"{FUNCTION}:managed:$LATEST", "State": "ActiveNonInvocable"},
        {"FunctionArn": f"{FUNCTION}:managed:1", "State": "Active"},
    ]
    pages = aws.get_paginator("list_function_versions_by_capacity_provider").paginate(
        CapacityProviderName="hosts", PaginationConfig={"PageSize": 1}
    )
    assert [len(page["FunctionVersions"]) for page in pages] == [1, 1]
    answer = refused(aws.delete_capacity_provider, CapacityProviderName="hosts")
    assert (answer.status, answer.code) == (409, "ResourceConflictException")
    aws.delete_function(FunctionName="managed")
    listed = aws.list_function_versions_by_capacity_provider(CapacityProviderName="hosts")
    assert listed["FunctionVersions"] == []


@pytest.mark.proves("CreateFunction")
def test_functions_that_a_provider_cannot_take(
    aws: Any, providers: Any, refused: Callable[..., Any], function_zip: bytes, position: Callable[[], int]
) -> None:
    """Given no provider, or a function that managed instances cannot run, then refusals, and no event."""
    providers("picky")
    before = position()

    def create(provider: str, **given: Any) -> Any:
        arn = f"{ARN}:{provider}"
        function: dict[str, Any] = {
            "FunctionName": "never-managed",
            "Role": OPERATOR,
            "Runtime": "python3.13",
            "Handler": "app.handler",
            "Code": {"ZipFile": function_zip},
            "CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": arn}},
        }
        return refused(aws.create_function, **{**function, **given})

    gone = (404, "ResourceNotFoundException", f"Capacity provider not found: {ARN}:nobody")
    assert create("nobody").told == gone
    for bad in (
        {"Runtime": "python3.12"},
        {"MemorySize": 1024},
        {"SnapStart": {"ApplyOn": "PublishedVersions"}},
    ):
        assert create("picky", **bad).code == "InvalidParameterValueException"
    assert position() == before
