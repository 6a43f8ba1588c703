"""Configurations of asynchronous invocation as an SDK sees them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
ARN = "arn:aws:lambda:us-east-1:111111111111:function"
QUEUE = "arn:aws:sqs:us-east-1:111111111111:failed"
NOWHERE: dict[str, Any] = {"OnSuccess": {}, "OnFailure": {}}


def refused(call: Callable[..., Any], code: str, **given: Any) -> str:
    """The message of a refusal with this code."""
    with pytest.raises(ClientError) as refusal:
        call(**given)
    assert refusal.value.response["Error"]["Code"] == code
    return str(refusal.value.response["Error"]["Message"])


@pytest.mark.proves(
    "PutFunctionEventInvokeConfig",
    "UpdateFunctionEventInvokeConfig",
    "GetFunctionEventInvokeConfig",
    "DeleteFunctionEventInvokeConfig",
)
def test_put_replaces_and_update_merges(aws: Any, make_function: Make) -> None:
    """Given a function, then Put sets all, Update some, Get tells it, and Delete ends it once."""
    make_function("async-life")
    first = aws.put_function_event_invoke_config(
        FunctionName="async-life", MaximumRetryAttempts=2, MaximumEventAgeInSeconds=123
    )
    assert first["FunctionArn"] == f"{ARN}:async-life:$LATEST"
    assert first["DestinationConfig"] == NOWHERE
    assert isinstance(first["LastModified"], datetime)
    replaced = aws.put_function_event_invoke_config(
        FunctionName="async-life", DestinationConfig={"OnFailure": {"Destination": QUEUE}}
    )
    assert "MaximumRetryAttempts" not in replaced
    assert "MaximumEventAgeInSeconds" not in replaced
    merged = aws.update_function_event_invoke_config(FunctionName="async-life", MaximumRetryAttempts=0)
    assert merged["MaximumRetryAttempts"] == 0
    assert merged["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {"Destination": QUEUE}}
    got = aws.get_function_event_invoke_config(FunctionName="async-life", Qualifier="$LATEST")
    for answer in (merged, got):
        del answer["ResponseMetadata"]
    assert got == merged
    gone = aws.delete_function_event_invoke_config(FunctionName="async-life")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    message = f"The function {ARN}:async-life:$LATEST doesn't have an EventInvokeConfig"
    for call, more in (
        (aws.get_function_event_invoke_config, {}),
        (aws.delete_function_event_invoke_config, {}),
        (aws.update_function_event_invoke_config, {"MaximumRetryAttempts": 1}),
    ):
        assert refused(call, "ResourceNotFoundException", FunctionName="async-life", **more) == message


@pytest.mark.proves("ListFunctionEventInvokeConfigs", "DeleteAlias")
def test_each_qualifier_has_its_own(aws: Any, make_function: Make) -> None:
    """Given $LATEST, a version and an alias, then the list has all three, by pages too; one ends with its alias."""
    make_function("async-list", Publish=True)
    aws.create_alias(FunctionName="async-list", Name="live", FunctionVersion="1")
    qualifiers = ("$LATEST", "1", "live")
    for number, qualifier in enumerate(qualifiers):
        aws.put_function_event_invoke_config(
            FunctionName="async-list", Qualifier=qualifier, MaximumRetryAttempts=number
        )
    whole = aws.list_function_event_invoke_configs(FunctionName="async-list")["FunctionEventInvokeConfigs"]
    assert [config["FunctionArn"] for config in whole] == [f"{ARN}:async-list:{each}" for each in qualifiers]
    assert [config["MaximumRetryAttempts"] for config in whole] == [0, 1, 2]
    pages = aws.get_paginator("list_function_event_invoke_configs").paginate(
        FunctionName="async-list", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["FunctionEventInvokeConfigs"]) for page in pages] == [2, 1]
    aws.delete_alias(FunctionName="async-list", Name="live")
    assert refused(
        aws.get_function_event_invoke_config,
        "ResourceNotFoundException",
        FunctionName="async-list",
        Qualifier="live",
    ) == (f"The function {ARN}:async-list:live doesn't have an EventInvokeConfig")
    assert len(aws.list_function_event_invoke_configs(FunctionName="async-list")["FunctionEventInvokeConfigs"]) == 2


@pytest.mark.proves("PutFunctionEventInvokeConfig", "GetFunctionEventInvokeConfig", "ListFunctionEventInvokeConfigs")
def test_the_function_is_not_there(aws: Any, make_function: Make) -> None:
    """Given no function or version, then Put and List say that it does not exist, and Get that it has none."""
    make_function("async-missing")
    for given in (
        {"FunctionName": "async-nobody"},
        {"FunctionName": "async-missing", "Qualifier": "1221"},
        {"FunctionName": "async-missing", "Qualifier": "nowhere"},
    ):
        put = aws.put_function_event_invoke_config
        assert refused(put, "ResourceNotFoundException", MaximumRetryAttempts=1, **given) == (
            "The function doesn't exist."
        )
        arn = f"{ARN}:{given['FunctionName']}:{given.get('Qualifier', '$LATEST')}"
        assert refused(aws.get_function_event_invoke_config, "ResourceNotFoundException", **given) == (
            f"The function {arn} doesn't have an EventInvokeConfig"
        )
    listed = refused(aws.list_function_event_invoke_configs, "ResourceNotFoundException", FunctionName="async-nobody")
    assert listed == "The function doesn't exist."


@pytest.mark.proves("PutFunctionEventInvokeConfig")
def test_what_cannot_be_a_destination(aws: Any, make_function: Make) -> None:
    """Given no setting, itself, a function nobody has or a role as destination, then AWS's texts refuse each."""
    make_function("async-dest")
    own, gone = f"{ARN}:async-dest", f"{ARN}:doesnotexist"
    role = "arn:aws:iam:us-east-1:111111111111:function:async-dest"
    code, put = "InvalidParameterValueException", aws.put_function_event_invoke_config

    def message(destination: str) -> str:
        config = {"OnSuccess": {"Destination": destination}}
        return refused(put, code, FunctionName="async-dest", DestinationConfig=config)

    assert refused(put, code, FunctionName="async-dest") == (
        "You must specify at least one of error handling or destination setting."
    )
    assert message(own) == "You can't specify the function as a destination for itself."
    assert message(gone) == f"The destination ARN {gone} is invalid."
    assert message(role) == (
        f"The provided destination config DestinationConfig(onSuccess=OnSuccess(destination={role}), onFailure=null) "
        "is invalid."
    )
    bad = "arn:aws:_-/!lambda:us-east-1:111111111111:function:async-dest"
    assert refused(
        put,
        "ValidationException",
        FunctionName="async-dest",
        DestinationConfig={"OnFailure": {"Destination": bad}},
    ).startswith(f"1 validation error detected: Value '{bad}' at 'destinationConfig.onFailure.destination' failed")


@pytest.mark.proves("PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig")
def test_another_function_is_a_destination(aws: Any, make_function: Make) -> None:
    """Given another function, when it is to get records, then it is taken, unqualified and by its version."""
    make_function("async-source")
    make_function("async-target", Publish=True)
    target = f"{ARN}:async-target"
    put = aws.put_function_event_invoke_config(
        FunctionName="async-source", DestinationConfig={"OnSuccess": {"Destination": target}}
    )
    assert put["DestinationConfig"] == {"OnSuccess": {"Destination": target}, "OnFailure": {}}
    updated = aws.update_function_event_invoke_config(
        FunctionName="async-source", DestinationConfig={"OnFailure": {"Destination": f"{target}:1"}}
    )
    assert updated["DestinationConfig"] == {
        "OnSuccess": {"Destination": target},
        "OnFailure": {"Destination": f"{target}:1"},
    }


@pytest.mark.proves("PutFunctionEventInvokeConfig")
@pytest.mark.parametrize(
    ("settings", "path", "constraint"),
    [
        ({"MaximumRetryAttempts": 3}, "maximumRetryAttempts", "less than or equal to 2"),
        ({"MaximumEventAgeInSeconds": 59}, "maximumEventAgeInSeconds", "greater than or equal to 60"),
        ({"MaximumEventAgeInSeconds": 21601}, "maximumEventAgeInSeconds", "less than or equal to 21600"),
    ],
)
def test_bounds(raw_aws: Any, settings: dict[str, int], path: str, constraint: str) -> None:
    """Given a number past its bounds, then the validation error names it."""
    message = refused(
        raw_aws.put_function_event_invoke_config, "ValidationException", FunctionName="async-nobody", **settings
    )
    (value,) = settings.values()
    assert message == (
        f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: "
        f"Member must have value {constraint}"
    )
