"""Every paginator of the installed boto3, over lists of three."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore import xform_name

pytestmark = pytest.mark.docker
Given = dict[str, Any]


def functions(world: Any) -> Given:
    for name in ("c", "a", "b"):
        world.function(name)
    return {}


def event_invoke_configs(world: Any) -> Given:
    named: Given = world.aliases("live", "next")
    for qualifier in ("$LATEST", "live", "next"):
        world.aws.put_function_event_invoke_config(**named, Qualifier=qualifier, MaximumRetryAttempts=0)
    return named


def function_urls(world: Any) -> Given:
    named: Given = world.aliases("live", "next")
    for qualifier in ({}, {"Qualifier": "live"}, {"Qualifier": "next"}):
        world.aws.create_function_url_config(**named, **qualifier, AuthType="NONE")
    return named


def provisioned(world: Any) -> Given:
    named: Given = world.versions(3)
    for qualifier in ("1", "2", "3"):
        which = {**named, "Qualifier": qualifier}
        world.aws.put_provisioned_concurrency_config(**which, ProvisionedConcurrentExecutions=1)
        world.until_so("get_provisioned_concurrency_config", lambda told: told["Status"] != "IN_PROGRESS", **which)
    return named


def mappings(world: Any) -> Given:
    named: Given = world.function()
    for name in ("c", "a", "b"):
        queue = f"arn:aws:sqs:us-east-1:{world.account}:{name}"
        world.aws.create_event_source_mapping(**named, EventSourceArn=queue, Enabled=False)
    return named


def code_signing_configs(world: Any) -> Given:
    for _ in range(3):
        world.code_signing_config()
    return {}


def signed_functions(world: Any) -> Given:
    which: Given = world.code_signing_config()
    for name in ("c", "a", "b"):
        world.function(name, **which)
    return which


def providers(world: Any) -> Given:
    for name in ("c", "a", "b"):
        world.provider(name)
    return {}


def managed_versions(world: Any) -> Given:
    config = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": world.provider("own")}}
    image = {"PackageType": "Image", "Code": {"ImageUri": world.image}, "Role": world.role}
    for name in ("c", "a", "b"):
        world.aws.create_function(FunctionName=name, CapacityProviderConfig=config, **image)
        world.until_so("get_function_configuration", lambda told: told["State"] != "Pending", FunctionName=name)
    return {"CapacityProviderName": "own"}


def layers(world: Any) -> Given:
    for name in ("c", "a", "b"):
        world.aws.publish_layer_version(LayerName=name, Content={"ZipFile": world.package})
    return {}


def layer_versions(world: Any) -> Given:
    for _ in range(3):
        world.aws.publish_layer_version(LayerName="shared", Content={"ZipFile": world.package})
    return {"LayerName": "shared"}


def executions(world: Any) -> Given:
    for name in ("order", "other", "third"):
        world.execution(name)
    return {"FunctionName": "durable"}


def execution_state(world: Any) -> Given:
    which = world.execution()
    return {**which, "CheckpointToken": world.checkpoint(which, 3)}


def execution_history(world: Any) -> Given:
    which: Given = world.execution()
    world.checkpoint(which, 3)
    world.aws.stop_durable_execution(**which)
    return which


LISTS: dict[str, Callable[[Any], Given]] = {
    "get_durable_execution_history": execution_history,
    "get_durable_execution_state": execution_state,
    "list_aliases": lambda world: dict(world.aliases("live", "next", "then")),
    "list_capacity_providers": providers,
    "list_code_signing_configs": code_signing_configs,
    "list_durable_executions_by_function": executions,
    "list_event_source_mappings": mappings,
    "list_function_event_invoke_configs": event_invoke_configs,
    "list_function_url_configs": function_urls,
    "list_function_versions_by_capacity_provider": managed_versions,
    "list_functions": functions,
    "list_functions_by_code_signing_config": signed_functions,
    "list_layer_versions": layer_versions,
    "list_layers": layers,
    "list_provisioned_concurrency_configs": provisioned,
    "list_versions_by_function": lambda world: dict(world.versions(2)),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_paginator(world: Any, name: str) -> None:
    """Given three or more, then pages of one, a list cut and gone on with, and the whole list are the same."""
    given = LISTS[name](world)
    paginator = world.aws.get_paginator(name)
    key = paginator.result_keys[0].expression
    whole = paginator.paginate(**given).build_full_result()[key]
    pages = [page[key] for page in paginator.paginate(**given, PaginationConfig={"PageSize": 1})]
    assert len(whole) >= 3
    assert pages == [[item] for item in whole]
    cut = paginator.paginate(**given, PaginationConfig={"MaxItems": 2, "PageSize": 1}).build_full_result()
    assert cut[key] == whole[:2]
    rest = paginator.paginate(**given, PaginationConfig={"StartingToken": cut["NextToken"]}).build_full_result()
    assert rest[key] == whole[2:]


def test_every_paginator_is_walked(aws: Any) -> None:
    """Given the installed model, then the table above has each of its paginators."""
    names = [xform_name(operation) for operation in aws.meta.service_model.operation_names]
    assert sorted(name for name in names if aws.can_paginate(name)) == list(LISTS)
