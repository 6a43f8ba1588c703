"""What was under way when a cloud died goes on when it starts again."""

import os
import signal
from typing import Any, Protocol

import boto3
import pytest

from relambda.api.cloud_file import CloudFile

pytestmark = pytest.mark.docker
LOOKS = 5_000
LONG_MS, SHORT_MS = "600000", "0"


class Clouds(Protocol):
    def directory(self, name: str = "state") -> Any: ...
    def start(self, name: str = "state", **environ: str) -> dict[str, Any]: ...


def client(url: str) -> Any:
    return boto3.session.Session().client(
        "lambda",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="111111111111",
        aws_secret_access_key="cli",
    )


def test_a_pending_capacity_provider_becomes_active_after_a_crash(clouds: Clouds) -> None:
    """Given a provider that is held Pending, when the cloud is killed and started again, then it becomes Active.

    Code-signing configurations and their tags are as they were.
    """
    started = clouds.start(RELAMBDA_STATE_TRANSITION_MS=LONG_MS)
    aws = client(started["url"])
    aws.create_capacity_provider(
        CapacityProviderName="interrupted",
        VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": []},
        PermissionsConfig={"CapacityProviderOperatorRoleArn": "arn:aws:iam::111111111111:role/operator"},
    )
    publishers = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:111111111111:/signing-profiles/p/v"]}
    config = aws.create_code_signing_config(AllowedPublishers=publishers, Tags={"a": "1"})["CodeSigningConfig"]
    assert _state(aws) == "Pending"
    aws.close()
    found = CloudFile.read(clouds.directory())
    assert found is not None
    for process in (found.master, found.worker):
        os.kill(process.pid, signal.SIGKILL)
    aws = client(clouds.start(RELAMBDA_STATE_TRANSITION_MS=SHORT_MS)["url"])
    assert any(_state(aws) == "Active" for _ in range(LOOKS))
    arn = config["CodeSigningConfigArn"]
    assert aws.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"] == config
    assert aws.list_tags(Resource=arn)["Tags"] == {"a": "1"}
    aws.close()


def _state(aws: Any) -> str:
    provider = aws.get_capacity_provider(CapacityProviderName="interrupted")["CapacityProvider"]
    return str(provider["State"])
