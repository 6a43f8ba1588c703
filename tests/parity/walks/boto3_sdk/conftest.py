"""What boto3's walk has in its accounts: a client of each, and the resources that its tables ask for."""

import json
from collections.abc import Callable
from typing import Any
from zlib import crc32

import pytest

from relambda.actors.domain.durable_names import token_of

PLACE = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
PROFILE = "arn:aws:signer:us-east-1:111111111111:/signing-profiles/release/abcdefghij"
DURABLE = {"ExecutionTimeout": 3600, "RetentionPeriodInDays": 1}


class World:
    """One account, and what is made in it."""

    def __init__(self, client: Any, account: str, package: bytes, image: str) -> None:
        self.aws, self.account, self.package, self.image = client, account, package, image
        self.role = f"arn:aws:iam::{account}:role/walk"

    def function(self, name: str = "walked", **members: Any) -> dict[str, str]:
        """An Active function; the arguments that name it."""
        ordinary = {"Runtime": "python3.11", "Handler": "app.handler", "Code": {"ZipFile": self.package}}
        ordinary = {"Code": members.pop("Code")} if members.get("PackageType") == "Image" else ordinary
        self.aws.create_function(FunctionName=name, Role=self.role, **{**ordinary, **members})
        self.until("function_active_v2", name)
        return {"FunctionName": name}

    def until(self, waiter: str, name: str, **given: Any) -> None:
        """Wait with one of boto3's waiters, looking every 30 ms."""
        config = {"Delay": 0.03, "MaxAttempts": 2000}
        self.aws.get_waiter(waiter).wait(FunctionName=name, WaiterConfig=config, **given)

    def until_so(self, operation: str, holds: Callable[[Any], bool], **given: Any) -> None:
        """Ask, a round trip each time, until the answer is as it should be: what changes by itself breaks lists."""
        assert any(holds(getattr(self.aws, operation)(**given)) for _ in range(5_000))

    def versions(self, count: int) -> dict[str, str]:
        """A function with so many published versions, no two alike."""
        named = self.function()
        for number in range(count):
            self.aws.update_function_configuration(**named, Description=str(number))
            self.until("function_updated_v2", named["FunctionName"])
            self.aws.publish_version(**named)
        return named

    def aliases(self, *names: str) -> dict[str, str]:
        """A function with one version and these aliases of it."""
        named = self.function(Publish=True)
        for name in names:
            self.aws.create_alias(**named, Name=name, FunctionVersion="1")
        return named

    def code_signing_config(self) -> dict[str, str]:
        """A code-signing configuration; the argument that names it."""
        publishers = {"SigningProfileVersionArns": [PROFILE]}
        made = self.aws.create_code_signing_config(AllowedPublishers=publishers)["CodeSigningConfig"]
        return {"CodeSigningConfigArn": made["CodeSigningConfigArn"]}

    def provider(self, name: str) -> str:
        """An Active capacity provider's ARN."""
        operator = {"CapacityProviderOperatorRoleArn": self.role}
        made = self.aws.create_capacity_provider(CapacityProviderName=name, VpcConfig=PLACE, PermissionsConfig=operator)
        self.until_so(
            "get_capacity_provider",
            lambda told: told["CapacityProvider"]["State"] == "Active",
            CapacityProviderName=name,
        )
        return str(made["CapacityProvider"]["CapacityProviderArn"])

    def execution(self, name: str = "order", **event: Any) -> dict[str, str]:
        """A running durable execution of the function `durable`, which is made for the first; its ARN."""
        if name == "order":
            self.function("durable", DurableConfig=DURABLE, Publish=True)
            self.until("published_version_active", "durable", Qualifier="1")
        started = self.aws.invoke(
            FunctionName="durable",
            Qualifier="1",
            InvocationType="Event",
            DurableExecutionName=name,
            Payload=json.dumps(event),
        )
        return {"DurableExecutionArn": started["DurableExecutionArn"]}

    def checkpoint(self, which: dict[str, str], count: int) -> str:
        """Begin so many waits in an execution; the token of the next checkpoint."""
        waits = [
            {"Id": str(number), "Type": "WAIT", "Action": "START", "WaitOptions": {"WaitSeconds": 3000}}
            for number in range(count)
        ]
        first = token_of(which["DurableExecutionArn"].rpartition("/")[2], 0)  # only the function is told it
        taken = self.aws.checkpoint_durable_execution(**which, CheckpointToken=first, Updates=waits)
        return str(taken["CheckpointToken"])


@pytest.fixture
def world(
    other_aws: Callable[..., Any], request: pytest.FixtureRequest, function_zip: bytes, python_image: str
) -> World:
    """An account that no other test uses."""
    account = f"16{crc32(request.node.nodeid.encode()):010}"
    return World(other_aws(account), account, function_zip, python_image)
