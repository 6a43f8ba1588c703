"""Provisioned concurrency as an SDK sees it."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
Wait = Callable[..., None]
ARN = "arn:aws:lambda:us-east-1:111111111111:function"
SETTLE_SECONDS = 20.0


def numbers(config: dict[str, Any]) -> tuple[Any, ...]:
    """Requested, allocated, available, status."""
    kinds = ("Requested", "Allocated", "Available")
    return (*(config[f"{kind}ProvisionedConcurrentExecutions"] for kind in kinds), config["Status"])


def settled(client: Any, name: str, qualifier: str) -> dict[str, Any]:
    """The configuration once it is no longer in progress; asked for until then, or the bound is over."""
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        config = client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
        if config["Status"] != "IN_PROGRESS" or time.monotonic() > until:
            return dict(config)


def refused(call: Callable[..., Any], code: str, **given: Any) -> str:
    """The message of a refusal with this code."""
    with pytest.raises(ClientError) as refusal:
        call(**given)
    assert refusal.value.response["Error"]["Code"] == code
    return str(refusal.value.response["Error"]["Message"])


@pytest.mark.proves(
    "PutProvisionedConcurrencyConfig", "GetProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig"
)
def test_a_version_is_provisioned(aws: Any, make_function: Make) -> None:
    """Given a version, when 2 are asked for, then 202 with none of them yet, later READY; deleted twice, 204."""
    make_function("prov-life", Publish=True)
    put = aws.put_provisioned_concurrency_config(
        FunctionName="prov-life", Qualifier="1", ProvisionedConcurrentExecutions=2
    )
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert numbers(put) == (2, 0, 0, "IN_PROGRESS")
    assert put["LastModified"].endswith("+0000")
    ready = settled(aws, "prov-life", "1")
    assert numbers(ready) == (2, 2, 2, "READY")
    assert "StatusReason" not in ready
    for _ in range(2):
        gone = aws.delete_provisioned_concurrency_config(FunctionName="prov-life", Qualifier="1")
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    message = refused(
        aws.get_provisioned_concurrency_config,
        "ProvisionedConcurrencyConfigNotFoundException",
        FunctionName="prov-life",
        Qualifier="1",
    )
    assert message == "No Provisioned Concurrency Config found for this function"


@pytest.mark.proves("ListProvisionedConcurrencyConfigs")
def test_all_of_a_function_are_listed(aws: Any, make_function: Make, wait: Wait) -> None:
    """Given a provisioned version and alias, then the list has both with their ARNs, on one page or on two."""
    make_function("prov-list", Publish=True)
    aws.update_function_configuration(FunctionName="prov-list", Description="second")
    wait("function_updated_v2", "prov-list")
    aws.publish_version(FunctionName="prov-list")
    aws.create_alias(FunctionName="prov-list", Name="live", FunctionVersion="2")
    for qualifier in ("1", "live"):
        aws.put_provisioned_concurrency_config(
            FunctionName="prov-list", Qualifier=qualifier, ProvisionedConcurrentExecutions=1
        )
    whole = aws.list_provisioned_concurrency_configs(FunctionName="prov-list")
    arns = [config["FunctionArn"] for config in whole["ProvisionedConcurrencyConfigs"]]
    assert arns == [f"{ARN}:prov-list:1", f"{ARN}:prov-list:live"]
    assert "NextMarker" not in whole
    pages = aws.get_paginator("list_provisioned_concurrency_configs").paginate(
        FunctionName="prov-list", PaginationConfig={"PageSize": 1}
    )
    paged = [[config["FunctionArn"] for config in page["ProvisionedConcurrencyConfigs"]] for page in pages]
    assert paged == [[arn] for arn in arns]
    message = refused(aws.list_provisioned_concurrency_configs, "ResourceNotFoundException", FunctionName="prov-nobody")
    assert message == f"Function not found: {ARN}:prov-nobody"


@pytest.mark.proves("PutProvisionedConcurrencyConfig", "UpdateAlias", "DeleteAlias")
def test_an_alias_takes_it_along(aws: Any, make_function: Make, wait: Wait) -> None:
    """Given a provisioned alias, when it moves, then it is READY again and its versions have none; it ends with it."""
    make_function("prov-moves", Publish=True)
    aws.update_function_configuration(FunctionName="prov-moves", Description="second")
    wait("function_updated_v2", "prov-moves")
    aws.publish_version(FunctionName="prov-moves")
    aws.create_alias(FunctionName="prov-moves", Name="live", FunctionVersion="1")
    aws.put_provisioned_concurrency_config(
        FunctionName="prov-moves", Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    settled(aws, "prov-moves", "live")
    pointed = {"FunctionName": "prov-moves", "ProvisionedConcurrentExecutions": 1}
    put = aws.put_provisioned_concurrency_config
    message = "Version is pointed by a Provisioned Concurrency alias"
    assert refused(put, "ResourceConflictException", Qualifier="1", **pointed) == message
    aws.update_alias(FunctionName="prov-moves", Name="live", FunctionVersion="2")
    assert numbers(settled(aws, "prov-moves", "live")) == (1, 1, 1, "READY")
    assert refused(put, "ResourceConflictException", Qualifier="2", **pointed) == message
    refused(
        aws.get_provisioned_concurrency_config,
        "ProvisionedConcurrencyConfigNotFoundException",
        FunctionName="prov-moves",
        Qualifier="2",
    )
    aws.delete_alias(FunctionName="prov-moves", Name="live")
    assert (
        refused(
            aws.get_provisioned_concurrency_config,
            "ResourceNotFoundException",
            FunctionName="prov-moves",
            Qualifier="live",
        )
        == f"Cannot find alias arn: {ARN}:prov-moves:live"
    )
    assert aws.list_provisioned_concurrency_configs(FunctionName="prov-moves")["ProvisionedConcurrencyConfigs"] == []
    put(Qualifier="2", **pointed)
    aws.create_alias(FunctionName="prov-moves", Name="late", FunctionVersion="2")
    assert refused(put, "ResourceConflictException", Qualifier="late", **pointed) == (
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
    )


@pytest.mark.proves(
    "PutProvisionedConcurrencyConfig", "GetProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig"
)
@pytest.mark.parametrize(
    ("name", "qualifier", "message"),
    [
        ("doesnotexist", "noalias", f"Cannot find alias arn: {ARN}:doesnotexist:noalias"),
        ("doesnotexist", "1", f"Function not found: {ARN}:doesnotexist:1"),
        ("prov-exceptions", "noalias", f"Cannot find alias arn: {ARN}:prov-exceptions:noalias"),
        ("prov-exceptions", "7", f"Function not found: {ARN}:prov-exceptions:7"),
    ],
)
def test_what_is_not_there(aws: Any, make_function: Make, name: str, qualifier: str, message: str) -> None:
    """Given no such function, version or alias, then all operations tell it in AWS's two ways."""
    if name != "doesnotexist":
        name = f"{name}-{qualifier}"
        message = message.replace("prov-exceptions", name)
        make_function(name)
    given = {"FunctionName": name, "Qualifier": qualifier}
    for call, more in (
        (aws.get_provisioned_concurrency_config, {}),
        (aws.delete_provisioned_concurrency_config, {}),
        (aws.put_provisioned_concurrency_config, {"ProvisionedConcurrentExecutions": 1}),
    ):
        assert refused(call, "ResourceNotFoundException", **given, **more) == message


@pytest.mark.proves("PutProvisionedConcurrencyConfig", "GetProvisionedConcurrencyConfig")
def test_latest_has_none(aws: Any, make_function: Make) -> None:
    """Given $LATEST, then Put and Get refuse it in different words."""
    make_function("prov-latest")
    given = {"FunctionName": "prov-latest", "Qualifier": "$LATEST"}
    code = "InvalidParameterValueException"
    assert refused(aws.get_provisioned_concurrency_config, code, **given) == (
        "The function resource provided must be an alias or a published version."
    )
    assert refused(aws.put_provisioned_concurrency_config, code, ProvisionedConcurrentExecutions=1, **given) == (
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    )


@pytest.mark.proves("PutProvisionedConcurrencyConfig", "PutFunctionConcurrency")
def test_it_and_the_reservation_fit_each_other(aws: Any, make_function: Make) -> None:
    """Given 2 provisioned, then 1 cannot be reserved; given 2 reserved, then 3 cannot be provisioned."""
    make_function("prov-overlap", Publish=True)
    aws.put_provisioned_concurrency_config(
        FunctionName="prov-overlap", Qualifier="1", ProvisionedConcurrentExecutions=2
    )
    with pytest.raises(aws.exceptions.InvalidParameterValueException) as low:
        aws.put_function_concurrency(FunctionName="prov-overlap", ReservedConcurrentExecutions=1)
    assert low.value.response["Error"]["Message"] == (
        " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2]."
    )
    assert "Type" not in low.value.response
    aws.put_function_concurrency(FunctionName="prov-overlap", ReservedConcurrentExecutions=2)
    with pytest.raises(aws.exceptions.InvalidParameterValueException) as high:
        aws.put_provisioned_concurrency_config(
            FunctionName="prov-overlap", Qualifier="1", ProvisionedConcurrentExecutions=3
        )
    assert high.value.response["Error"]["Message"] == (
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
    )
    assert high.value.response["Type"] == "User"


@pytest.mark.proves("PutProvisionedConcurrencyConfig", "GetAccountSettings")
def test_it_comes_out_of_the_account(other_aws: Callable[[str, str], Any], function_zip: bytes) -> None:
    """Given an account of 1000 with 100 that must stay, then 900 can be provisioned, and count as not unreserved."""
    client = other_aws("222222222222", "ca-central-1")
    client.create_function(
        FunctionName="much",
        Runtime="python3.11",
        Role="arn:aws:iam::222222222222:role/any",
        Handler="app.handler",
        Code={"ZipFile": function_zip},
        Publish=True,
    )
    given = {"FunctionName": "much", "Qualifier": "1"}
    for asked, message in (
        (1001, "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000]."),
        (
            901,
            (
                "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
                "its minimum value of [100]."
            ),
        ),
    ):
        with pytest.raises(client.exceptions.InvalidParameterValueException) as refusal:
            client.put_provisioned_concurrency_config(ProvisionedConcurrentExecutions=asked, **given)
        assert refusal.value.response["Error"]["Message"] == message
        assert "Type" not in refusal.value.response
    client.put_provisioned_concurrency_config(ProvisionedConcurrentExecutions=900, **given)
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 100


@pytest.mark.proves("PutProvisionedConcurrencyConfig")
def test_none_at_all_is_no_number(raw_aws: Any) -> None:
    """Given 0, then it is a validation error: that is what Delete is for."""
    message = refused(
        raw_aws.put_provisioned_concurrency_config,
        "ValidationException",
        FunctionName="prov-nobody",
        Qualifier="1",
        ProvisionedConcurrentExecutions=0,
    )
    assert message == (
        "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1"
    )
