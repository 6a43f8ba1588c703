"""Reserved concurrency: put, get, delete."""

from relambda.actors.domain.concurrency_config import DeleteConcurrency, PutConcurrency
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import invalid, not_found
from relambda.api.call import Call, Output, operation
from relambda.api.capacity import share_of


def _function(call: Call) -> ResourceName:
    """The function, which concurrency belongs to as a whole. Raises Refusal for a version or alias."""
    function, qualifier = call.function()
    if qualifier is not None:
        raise invalid(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an unqualified function ARN."
        )
    return function


@operation("PutFunctionConcurrency")
def put_function_concurrency(call: Call) -> Output:
    """The reservation counts at once."""
    function, reserved = _function(call), call.given["ReservedConcurrentExecutions"]
    with share_of(call.cloud, function) as share:
        call.cloud.ask(PutConcurrency(resource=function, at_ms=call.now_ms(), reserved=reserved, share=share))
    return {"ReservedConcurrentExecutions": reserved}


@operation("GetFunctionConcurrency")
def get_function_concurrency(call: Call) -> Output:
    """The reservation; nothing when there is none."""
    function = _function(call)
    head = call.cloud.views.head(function)
    if head is None:
        raise not_found(f"Function not found: {function.arn()}")
    return {"ReservedConcurrentExecutions": head.reserved_concurrency}


@operation("DeleteFunctionConcurrency")
def delete_function_concurrency(call: Call) -> Output:
    """Answers the same whether there was one or not."""
    function = _function(call)
    call.cloud.ask(DeleteConcurrency(resource=function, at_ms=call.now_ms()))
    return None
