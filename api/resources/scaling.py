"""Scaling of managed-instances functions: put, get."""

from relambda.actors.domain.scaling import DEFAULT, PutScalingConfig, scalable
from relambda.actors.domain.state import FunctionState
from relambda.api.call import Call, Output, operation


@operation("PutFunctionScalingConfig")
def put_function_scaling_config(call: Call) -> Output:
    """Answers the state that the version is in with this scaling."""
    function, _ = call.function()
    version = call.given["Qualifier"]
    config = call.given.get("FunctionScalingConfig")
    command = PutScalingConfig(resource=function, at_ms=call.now_ms(), version=version, config=config)
    state: FunctionState = call.cloud.ask(command)
    return {"FunctionState": state.versions[version].state.value}


@operation("GetFunctionScalingConfig")
def get_function_scaling_config(call: Call) -> Output:
    """What was asked for is in force at once here, so both configurations are the same."""
    function, _ = call.function()
    number, views = call.given["Qualifier"], call.cloud.views
    scalable(function, views.version(function, number), number)
    config = views.document("scaling", function.row_key(number)) or DEFAULT
    return {
        "FunctionArn": function.arn(number),
        "AppliedFunctionScalingConfig": config,
        "RequestedFunctionScalingConfig": config,
    }
