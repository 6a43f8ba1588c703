"""Recursive loop detection as an SDK sees it."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

ARN = "arn:aws:lambda:us-east-1:111111111111:function"


@pytest.mark.proves("GetFunctionRecursionConfig", "PutFunctionRecursionConfig")
def test_terminate_until_it_is_allowed(aws: Any, make_function: Callable[..., Any]) -> None:
    """Given a new function, then it is Terminate; when Allow is put, then it is Allow."""
    make_function("loops")
    assert aws.get_function_recursion_config(FunctionName="loops")["RecursiveLoop"] == "Terminate"
    assert aws.put_function_recursion_config(FunctionName="loops", RecursiveLoop="Allow")["RecursiveLoop"] == "Allow"
    assert aws.get_function_recursion_config(FunctionName=f"{ARN}:loops")["RecursiveLoop"] == "Allow"


@pytest.mark.proves("PutFunctionRecursionConfig")
def test_another_word(aws: Any) -> None:
    """Given an unknown word, then the validation error has AWS's order of words."""
    with pytest.raises(ClientError) as refused:
        aws.put_function_recursion_config(FunctionName="loops-nobody", RecursiveLoop="InvalidValue")
    assert refused.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "1 validation error detected: Value 'InvalidValue' at 'recursiveLoop' failed to satisfy "
        "constraint: Member must satisfy enum value set: [Terminate, Allow]",
    }


@pytest.mark.proves("GetFunctionRecursionConfig", "PutFunctionRecursionConfig")
def test_the_function_is_not_there(aws: Any) -> None:
    """Given no function, then both say that it is not found; a qualified name is a validation error."""
    for call, more in (
        (aws.get_function_recursion_config, {}),
        (aws.put_function_recursion_config, {"RecursiveLoop": "Allow"}),
    ):
        with pytest.raises(aws.exceptions.ResourceNotFoundException) as refused:
            call(FunctionName="loops-nobody", **more)
        assert refused.value.response["Error"]["Message"] == f"Function not found: {ARN}:loops-nobody"
        with pytest.raises(ClientError, match="ValidationException"):
            call(FunctionName="loops-nobody:1", **more)
