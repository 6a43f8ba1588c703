"""Runtime management: put, get."""

from typing import Any

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.refusals import not_found
from relambda.actors.domain.runtime_management import AUTOMATIC, PutRuntimeManagement
from relambda.actors.domain.state import FunctionState
from relambda.api.call import Call, Output, operation


def _shown(function: ResourceName, qualifier: str | None, config: Json) -> dict[str, Any]:
    """The ARN is qualified as the request was (Developer Guide, "Configuring Lambda runtime management settings")."""
    return {**config, "FunctionArn": function.arn(qualifier)}


@operation("PutRuntimeManagementConfig")
def put_runtime_management_config(call: Call) -> Output:
    """The mode of $LATEST or of a published version."""
    function, qualifier = call.function()
    version = qualifier or LATEST
    command = PutRuntimeManagement(
        resource=function,
        at_ms=call.now_ms(),
        version=version,
        update_runtime_on=call.given["UpdateRuntimeOn"],
        runtime_version_arn=call.given.get("RuntimeVersionArn"),
    )
    state: FunctionState = call.cloud.ask(command)
    return _shown(function, qualifier, state.runtime_management.get(version, AUTOMATIC))


@operation("GetRuntimeManagementConfig")
def get_runtime_management_config(call: Call) -> Output:
    """The mode, `Auto` until another is put."""
    function, qualifier = call.function()
    version, views = qualifier or LATEST, call.cloud.views
    if views.version(function, version) is None:
        raise not_found(f"Function not found: {function.arn(version)}")
    config = views.document("runtime_management", function.row_key(version))
    return _shown(function, qualifier, AUTOMATIC if config is None else config)
