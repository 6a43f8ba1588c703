"""Scaling of managed-instances functions as an SDK sees it."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
ARN = "arn:aws:lambda:us-east-1:111111111111:function"
SETTLE_SECONDS = 20.0


def state_of(client: Any, name: str, *unlike: str) -> str:
    """The state of version 1 once it is none of these; asked for until then, or the bound is over."""
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        state = client.get_function_configuration(FunctionName=name, Qualifier="1")["State"]
        if state not in unlike or time.monotonic() > until:
            return str(state)


@pytest.mark.proves("GetFunctionScalingConfig", "PutFunctionScalingConfig")
def test_a_managed_version_scales(aws: Any, managed: Make) -> None:
    """Given a managed function's version, then three environments at least; bounds put are told, and 0 deactivate."""
    managed("scales", "scaling-managed")
    aws.publish_version(FunctionName="scaling-managed")
    given = {"FunctionName": "scaling-managed", "Qualifier": "1"}
    assert state_of(aws, "scaling-managed", "Pending") == "Active"
    default = aws.get_function_scaling_config(**given)
    assert default["FunctionArn"] == f"{ARN}:scaling-managed:1"
    assert default["AppliedFunctionScalingConfig"] == {"MinExecutionEnvironments": 3}
    bounds = {"MinExecutionEnvironments": 1, "MaxExecutionEnvironments": 4}
    put = aws.put_function_scaling_config(FunctionScalingConfig=bounds, **given)
    assert (put["ResponseMetadata"]["HTTPStatusCode"], put["FunctionState"]) == (202, "Active")
    got = aws.get_function_scaling_config(**given)
    assert got["AppliedFunctionScalingConfig"] == got["RequestedFunctionScalingConfig"] == bounds
    none = {"MinExecutionEnvironments": 0, "MaxExecutionEnvironments": 0}
    assert aws.put_function_scaling_config(FunctionScalingConfig=none, **given)["FunctionState"] == "Deactivated"
    assert state_of(aws, "scaling-managed", "Active") == "Deactivated"
    assert aws.put_function_scaling_config(**given)["FunctionState"] == "Active"
    with pytest.raises(aws.exceptions.InvalidParameterValueException):
        aws.put_function_scaling_config(
            FunctionScalingConfig={"MinExecutionEnvironments": 3, "MaxExecutionEnvironments": 2}, **given
        )
    aws.delete_function(FunctionName="scaling-managed")


@pytest.mark.proves("GetFunctionScalingConfig", "PutFunctionScalingConfig")
def test_ordinary_functions_have_none(aws: Any, make_function: Make) -> None:
    """Given a function without a capacity provider, then its scaling is denied, in the words AWS uses."""
    make_function("scaling-ordinary", Publish=True)
    for call, more in (
        (aws.get_function_scaling_config, {}),
        (aws.put_function_scaling_config, {"FunctionScalingConfig": {"MaxExecutionEnvironments": 2}}),
    ):
        with pytest.raises(ClientError) as refused:
            call(FunctionName="scaling-ordinary", Qualifier="1", **more)
        assert refused.value.response["Error"] == {
            "Code": "AccessDeniedException",
            "Message": "The function provided by the arn does not contain a capacity provider configuration",
        }


@pytest.mark.proves("GetFunctionScalingConfig", "PutFunctionScalingConfig")
def test_the_version_is_not_there(aws: Any, make_function: Make) -> None:
    """Given no such version, then it is not found; an alias, or no number, is a validation error."""
    make_function("scaling-missing")
    for call in (aws.get_function_scaling_config, aws.put_function_scaling_config):
        with pytest.raises(aws.exceptions.ResourceNotFoundException) as refused:
            call(FunctionName="scaling-missing", Qualifier="7")
        assert refused.value.response["Error"]["Message"] == f"Function not found: {ARN}:scaling-missing:7"
        with pytest.raises(ClientError, match="ValidationException"):
            call(FunctionName="scaling-missing", Qualifier="live")


@pytest.mark.proves("PutFunctionScalingConfig")
def test_bounds_of_the_bounds(aws: Any) -> None:
    """Given more than 15000 environments, then the validation error names the member."""
    with pytest.raises(ClientError) as refused:
        aws.put_function_scaling_config(
            FunctionName="scaling-nobody",
            Qualifier="1",
            FunctionScalingConfig={"MaxExecutionEnvironments": 15001},
        )
    assert refused.value.response["Error"]["Message"] == (
        "1 validation error detected: Value '15001' at 'functionScalingConfig.maxExecutionEnvironments' failed to "
        "satisfy constraint: Member must have value less than or equal to 15000"
    )
