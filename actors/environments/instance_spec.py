"""What an instance's container and its extensions are told of their function."""

import secrets
from typing import TYPE_CHECKING

from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.version import Version
from relambda.actors.engine.contract import SandboxSpec
from relambda.actors.environments.entrypoint import entrypoint_of, handler_arguments
from relambda.actors.runtime_api.session import ExecutionEnvironment

if TYPE_CHECKING:
    from relambda.actors.environments.instance import Instance


def execution_environment(resource: ResourceName, version: Version) -> ExecutionEnvironment:
    """What the extensions of an instance are told."""
    return ExecutionEnvironment(
        function_name=resource.name,
        function_version=version.version,
        handler=version.config.get("Handler", ""),
        account_id=resource.account,
        metadata_token=secrets.token_urlsafe(32),
        snap_start=version.snap_started,
    )


def sandbox_spec(instance: "Instance") -> SandboxSpec:
    """What the engine needs to start an instance's container. Raises EngineError."""
    room, version, resource = instance.room, instance.version, instance.resource
    api = f"{instance.token}:{room.runtime_api.address[1]}"
    spec = SandboxSpec(
        name=f"relambda-{resource.name[:40]}-{instance.id[:8]}",
        image=room.preparation.image(version),
        handler=handler_arguments(version),
        environment=_environment(instance, api),
        memory_mb=version.config["MemorySize"],
        runtime_host=instance.token,
        mounts=room.preparation.mounts(version),
        labels={"relambda.function": resource.arn(version.version)},
        entrypoint=entrypoint_of(version),
        working_directory=version.config.get("ImageConfig", {}).get("WorkingDirectory"),
        architecture=room.preparation.architecture(version),
        tmp_mb=version.config["EphemeralStorage"]["Size"],
    )
    return spec if instance.debugger is None else instance.debugger.dress(spec)


def _environment(instance: "Instance", api: str) -> dict[str, str]:
    version, stream = instance.version, instance.conversation.log.stream.name
    variables = instance.room.surroundings.variables(instance.resource, version, runtime_api=api, log_stream=stream)
    own = {"AWS_LAMBDA_METADATA_API": api, "AWS_LAMBDA_METADATA_TOKEN": instance.environment.metadata_token}
    if version.snap_started:
        own["AWS_LAMBDA_INITIALIZATION_TYPE"] = "snap-start"
    return {**variables, **own}
