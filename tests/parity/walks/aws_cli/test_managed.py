"""The AWS CLI on capacity providers, on the scaling of what runs on them, and on durable executions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relambda.actors.domain.durable_names import token_of

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(420)]
Make = Callable[..., Any]


def test_capacity_providers(make_cli: Make, python_image: str) -> None:
    """Given a provider, when a function runs on it, then its versions are listed and scale; unused, it is deleted."""
    cli, which, named = make_cli("181818181811"), {"capacity_provider_name": "own"}, {"function_name": "managed"}
    place = {
        "vpc_config": "SubnetIds=subnet-1,SecurityGroupIds=sg-1",
        "permissions_config": f"CapacityProviderOperatorRoleArn={cli.role}",
    }
    made = cli("create-capacity-provider", **which, **place)["CapacityProvider"]
    assert made["State"] == "Pending"
    cli.becomes(lambda answer: answer["CapacityProvider"]["State"] == "Active", "get-capacity-provider", **which)
    scaling = {"MaxVCpuCount": 64, "ScalingMode": "Auto"}
    updated = cli("update-capacity-provider", **which, capacity_provider_scaling_config=scaling)["CapacityProvider"]
    assert updated["CapacityProviderScalingConfig"] == scaling
    assert len(cli("list-capacity-providers")["CapacityProviders"]) == 1
    config = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": made["CapacityProviderArn"]}}
    image = {"package_type": "Image", "code": f"ImageUri={python_image}", "role": cli.role}
    cli("create-function", **named, **image, capacity_provider_config=config)
    active = "ActiveNonInvocable"
    cli.becomes(lambda answer: answer["State"] == active, "get-function-configuration", **named)
    cli("publish-version", **named)
    cli.wait("published-version-active", **named, qualifier="1")
    versions = cli("list-function-versions-by-capacity-provider", **which)["FunctionVersions"]
    assert [each["State"] for each in versions] == [active, "Active"]
    bounds = {"MinExecutionEnvironments": 1, "MaxExecutionEnvironments": 2}
    cli("put-function-scaling-config", **named, qualifier="1", function_scaling_config=bounds)
    told = cli("get-function-scaling-config", **named, qualifier="1")
    assert told["RequestedFunctionScalingConfig"] == bounds
    assert cli.refused("delete-capacity-provider", **which) == "ResourceConflictException"
    cli("delete-function", **named)
    assert cli("delete-capacity-provider", **which)["CapacityProvider"]["State"] == "Deleting"


def test_durable_executions(make_cli: Make, make_function: Make, tmp_path: Path) -> None:
    """Given a durable function, when it is invoked, then its execution is told, checkpointed, called back, stopped."""
    cli, named = make_cli("181818181812"), {"function_name": "durable"}
    make_function(cli, "durable", durable_config="ExecutionTimeout=3600,RetentionPeriodInDays=1", publish=True)
    cli.wait("published-version-active", **named, qualifier="1")
    asynchronous = {"qualifier": "1", "invocation_type": "Event", "durable_execution_name": "order-1"}
    arn = cli("invoke", str(tmp_path / "out"), **named, **asynchronous, payload='{"n":1}')["DurableExecutionArn"]
    which = {"durable_execution_arn": arn}
    assert cli("get-durable-execution", **which)["Status"] == "RUNNING"
    listed = cli("list-durable-executions-by-function", **named)["DurableExecutions"]
    assert [each["DurableExecutionName"] for each in listed] == ["order-1"]
    updates = [
        {"Id": each, "Type": "CALLBACK", "Action": "START", "CallbackOptions": {"TimeoutSeconds": 3000}}
        for each in ("ok", "bad")
    ]
    token = token_of(arn.rpartition("/")[2], 0)  # what the service gives to the function alone
    token = cli("checkpoint-durable-execution", **which, checkpoint_token=token, updates=updates)["CheckpointToken"]
    operations = cli("get-durable-execution-state", **which, checkpoint_token=token)["Operations"]
    ok, bad = (each["CallbackDetails"]["CallbackId"] for each in operations if each["Type"] == "CALLBACK")
    cli("send-durable-execution-callback-heartbeat", callback_id=ok)
    cli("send-durable-execution-callback-success", callback_id=ok, result='"fine"')
    cli("send-durable-execution-callback-failure", callback_id=bad, error="ErrorType=Bad")
    cli("stop-durable-execution", **which)
    assert cli("get-durable-execution", **which)["Status"] == "STOPPED"
    events = [each["EventType"] for each in cli("get-durable-execution-history", **which)["Events"]]
    assert (events[0], events[-1]) == ("ExecutionStarted", "ExecutionStopped")
    assert {"CallbackSucceeded", "CallbackFailed"} < set(events)
