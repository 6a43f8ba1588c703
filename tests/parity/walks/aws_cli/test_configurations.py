"""The AWS CLI on what a function has beside its code: policies, tags, concurrency, URLs, and the rest."""

import json
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(420)]
Make = Callable[..., Any]


def test_policies_and_tags(make_cli: Make, make_function: Make) -> None:
    """Given a function, when permissions and tags are added and removed, then policy and list tell so."""
    cli, named = make_cli("181818181806"), {"function_name": "permitted"}
    make_function(cli, "permitted")
    grant = {"statement_id": "s3", "action": "lambda:InvokeFunction", "principal": "s3.amazonaws.com"}
    statement = json.loads(cli("add-permission", **named, **grant)["Statement"])
    assert (statement["Principal"], statement["Resource"]) == (
        {"Service": "s3.amazonaws.com"},
        cli.arn("function:permitted"),
    )
    assert cli.refused("add-permission", **named, **grant) == "ResourceConflictException"
    assert json.loads(cli("get-policy", **named)["Policy"])["Statement"] == [statement]
    cli("remove-permission", **named, statement_id="s3")
    assert cli.refused("get-policy", **named) == "ResourceNotFoundException"
    resource = {"resource": cli.arn("function:permitted")}
    cli("tag-resource", **resource, tags="a=1,b=2")
    cli("untag-resource", **resource, tag_keys="a")
    assert cli("list-tags", **resource) == {"Tags": {"b": "2"}}


def test_concurrency(make_cli: Make, make_function: Make) -> None:
    """Given a version, when concurrency is reserved and provisioned, then the account's arithmetic and READY."""
    cli, named = make_cli("181818181807"), {"function_name": "concurrent"}
    make_function(cli, "concurrent", publish=True)
    cli.wait("published-version-active", **named, qualifier="1")
    cli("put-function-concurrency", **named, reserved_concurrent_executions=10)
    assert cli("get-function-concurrency", **named) == {"ReservedConcurrentExecutions": 10}
    limit = cli("get-account-settings")["AccountLimit"]
    assert limit["ConcurrentExecutions"] - limit["UnreservedConcurrentExecutions"] == 10
    first = {**named, "qualifier": "1"}
    put = cli("put-provisioned-concurrency-config", **first, provisioned_concurrent_executions=1)
    assert put["Status"] == "IN_PROGRESS"
    cli.becomes(lambda answer: answer["Status"] == "READY", "get-provisioned-concurrency-config", **first)
    listed = cli("list-provisioned-concurrency-configs", **named)["ProvisionedConcurrencyConfigs"]
    assert [each["FunctionArn"] for each in listed] == [cli.arn("function:concurrent:1")]
    cli("delete-provisioned-concurrency-config", **first)
    gone = cli.refused("get-provisioned-concurrency-config", **first)
    assert gone == "ProvisionedConcurrencyConfigNotFoundException"
    cli("delete-function-concurrency", **named)
    assert cli("get-function-concurrency", **named) == ""


def test_asynchronous_invocation_and_urls(make_cli: Make, make_function: Make) -> None:
    """Given a function, when its event invoke config and its URL come and go, then each command tells so."""
    cli, named = make_cli("181818181808"), {"function_name": "called"}
    make_function(cli, "called")
    cli("put-function-event-invoke-config", **named, maximum_retry_attempts=0)
    merged = cli("update-function-event-invoke-config", **named, maximum_event_age_in_seconds=60)
    assert cli("get-function-event-invoke-config", **named) == merged
    listed = cli("list-function-event-invoke-configs", **named)["FunctionEventInvokeConfigs"]
    assert listed == [merged]
    cli("delete-function-event-invoke-config", **named)
    assert cli.refused("get-function-event-invoke-config", **named) == "ResourceNotFoundException"
    made = cli("create-function-url-config", **named, auth_type="NONE", cors="AllowOrigins=*,MaxAge=60")
    cli("update-function-url-config", **named, invoke_mode="RESPONSE_STREAM")
    got = cli("get-function-url-config", **named)
    assert (got["FunctionUrl"], got["InvokeMode"]) == (made["FunctionUrl"], "RESPONSE_STREAM")
    assert cli("list-function-url-configs", **named)["FunctionUrlConfigs"] == [got]
    cli("delete-function-url-config", **named)
    assert cli.refused("get-function-url-config", **named) == "ResourceNotFoundException"


def test_recursion_and_runtime_management(make_cli: Make, make_function: Make) -> None:
    """Given a function, when recursion is allowed and its runtime is held, then both are told; AWS's enums refuse."""
    cli, named = make_cli("181818181809"), {"function_name": "looping"}
    make_function(cli, "looping")
    assert cli("get-function-recursion-config", **named) == {"RecursiveLoop": "Terminate"}
    cli("put-function-recursion-config", **named, recursive_loop="Allow")
    assert cli("get-function-recursion-config", **named) == {"RecursiveLoop": "Allow"}
    assert cli.refused("put-function-recursion-config", **named, recursive_loop="Maybe") == "ValidationException"
    cli("put-runtime-management-config", **named, update_runtime_on="FunctionUpdate")
    assert cli("get-runtime-management-config", **named)["UpdateRuntimeOn"] == "FunctionUpdate"


def test_event_source_mappings(make_cli: Make, make_function: Make) -> None:
    """Given queues, when they are mapped, then the mapping goes through its states, and lists have pages."""
    cli = make_cli("181818181810")
    make_function(cli, "mapped")
    queues = [f"arn:aws:sqs:us-east-1:{cli.account}:{name}" for name in ("one", "two")]
    made = cli("create-event-source-mapping", function_name="mapped", event_source_arn=queues[0])
    assert (made["State"], made["BatchSize"]) == ("Creating", 10)
    which = {"uuid": made["UUID"]}
    cli.becomes(lambda answer: answer["State"] == "Enabled", "get-event-source-mapping", **which)
    assert cli("update-event-source-mapping", **which, batch_size=5)["State"] == "Updating"
    again = cli.refused("create-event-source-mapping", function_name="mapped", event_source_arn=queues[0])
    assert again == "ResourceConflictException"
    cli("create-event-source-mapping", function_name="mapped", event_source_arn=queues[1], enabled=False)
    pages = cli.pages("list-event-source-mappings", "EventSourceMappings", size=1, function_name="mapped")
    assert sorted(each["EventSourceArn"] for page in pages for each in page) == queues
    assert cli("delete-event-source-mapping", **which)["State"] == "Deleting"
