"""Exceptions by class, as boto3's clients have them, each with the status that the model gives it."""

import json
from collections.abc import Callable
from typing import Any
from zlib import crc32

import pytest

pytestmark = pytest.mark.docker
MISSING = "00000000-0000-0000-0000-000000000000"


def statement(world: Any, **given: Any) -> dict[str, Any]:
    """A resource policy for the function `walked`, with one statement."""
    own = f"arn:aws:lambda:us-east-1:{world.account}:function:walked"
    permit = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{world.account}:root"}, "Resource": own}
    document = {"Version": "2012-10-17", "Statement": [{**permit, "Action": "lambda:InvokeFunction", **given}]}
    return {"ResourceArn": own, "Policy": json.dumps(document, ensure_ascii=False)}


def a_missing_code_signing_config(world: Any) -> None:
    missing = f"arn:aws:lambda:us-east-1:{world.account}:code-signing-config:csc-00000000000000000"
    world.aws.put_function_code_signing_config(**world.function(), CodeSigningConfigArn=missing)


def an_execution_of_another_input(world: Any) -> None:
    world.execution("order", item=1)
    invocation = {"FunctionName": "durable", "Qualifier": "1", "InvocationType": "Event"}
    world.aws.invoke(**invocation, DurableExecutionName="order", Payload=b'{"item": 2}')


def a_chain_of_sixteen(world: Any) -> None:
    named = world.function()
    own = f"arn:aws:lambda:us-east-1:{world.account}:function:walked"
    lineage = f"Root=1-5759e988-bd862e3fe1be46a994272793;Lineage={crc32(own.encode()):08x}:16"

    def send_on(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["X-Amzn-Trace-Id"] = lineage

    world.aws.meta.events.register("before-call.lambda.Invoke", send_on)
    world.aws.invoke(**named)


def nothing_left_to_run_in(world: Any) -> None:
    named = world.function()
    world.aws.put_function_concurrency(**named, ReservedConcurrentExecutions=0)
    world.aws.invoke(**named)


def not_provisioned(world: Any) -> None:
    world.aws.get_provisioned_concurrency_config(**world.aliases("live"), Qualifier="live")


def too_long_a_policy(world: Any) -> None:
    world.function()
    long = {"StringEquals": {"aws:PrincipalTag/t": "値" * 7_000}}
    world.aws.put_resource_policy(**statement(world, Condition=long))


def a_public_policy(world: Any) -> None:
    world.function()
    world.aws.put_resource_policy(**statement(world, Principal="*"))


REFUSALS: dict[str, Callable[[Any], object]] = {
    "CodeSigningConfigNotFoundException": a_missing_code_signing_config,
    "DurableExecutionAlreadyStartedException": an_execution_of_another_input,
    "InvalidParameterValueException": lambda world: world.function(Runtime="python2.0"),
    "InvalidRequestContentException": lambda world: world.aws.invoke(**world.function(), Payload=b"{"),
    "PolicyLengthExceededException": too_long_a_policy,
    "PreconditionFailedException": lambda world: world.aws.publish_version(**world.function(), RevisionId=MISSING),
    "ProvisionedConcurrencyConfigNotFoundException": not_provisioned,
    "PublicPolicyException": a_public_policy,
    "RecursiveInvocationException": a_chain_of_sixteen,
    "ResourceConflictException": lambda world: (world.function(), world.function()),
    "ResourceNotFoundException": lambda world: world.aws.get_function(FunctionName="nobody"),
    "TooManyRequestsException": nothing_left_to_run_in,
}


@pytest.mark.parametrize("name", REFUSALS)
def test_an_exception(world: Any, name: str) -> None:
    """Given what AWS refuses, then boto3 raises the client's own class, with message, Type and the model's status."""
    with pytest.raises(getattr(world.aws.exceptions, name)) as refused:
        REFUSALS[name](world)
    answer = refused.value.response
    shape = world.aws.meta.service_model.shape_for(name)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == shape.metadata["error"]["httpStatusCode"]
    assert answer["Error"]["Code"] == name
    assert answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["RequestId"] == answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]
