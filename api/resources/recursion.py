"""Recursive loop detection: put, get."""

from relambda.actors.domain.recursion import PutRecursionConfig
from relambda.actors.domain.refusals import not_found
from relambda.api.call import Call, Output, operation


@operation("PutFunctionRecursionConfig")
def put_function_recursion_config(call: Call) -> Output:
    """The setting of the function as a whole."""
    function, _ = call.function()
    loop = call.given["RecursiveLoop"]
    call.cloud.ask(PutRecursionConfig(resource=function, at_ms=call.now_ms(), recursive_loop=loop))
    return {"RecursiveLoop": loop}


@operation("GetFunctionRecursionConfig")
def get_function_recursion_config(call: Call) -> Output:
    """The setting, `Terminate` until another is put."""
    function, _ = call.function()
    head = call.cloud.views.head(function)
    if head is None:
        raise not_found(f"Function not found: {function.arn()}")
    return {"RecursiveLoop": head.recursive_loop}
