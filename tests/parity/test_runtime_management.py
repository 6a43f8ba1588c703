"""Runtime management as an SDK sees it."""

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]
ARN = "arn:aws:lambda:us-east-1:111111111111:function"
RUNTIME = "arn:aws:lambda:us-east-1::runtime:8eeff65f6809a3ce81507fe733fe09b835899b99481ba22fd75b5a7338290ec1"


def shown(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what the SDK puts to it."""
    return {member: value for member, value in answer.items() if member != "ResponseMetadata"}


@pytest.mark.proves("GetRuntimeManagementConfig", "PutRuntimeManagementConfig")
def test_auto_until_it_is_told_otherwise(aws: Any, make_function: Make) -> None:
    """Given a new function, then it is Auto without an ARN; Manual keeps one; FunctionUpdate has none again."""
    make_function("rtm-life")
    arn = f"{ARN}:rtm-life"
    assert shown(aws.get_runtime_management_config(FunctionName="rtm-life")) == {
        "UpdateRuntimeOn": "Auto",
        "FunctionArn": arn,
    }
    manual = {"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": RUNTIME}
    put = aws.put_runtime_management_config(FunctionName="rtm-life", **manual)
    assert shown(put) == {**manual, "FunctionArn": arn}
    assert shown(aws.get_runtime_management_config(FunctionName="rtm-life")) == {**manual, "FunctionArn": arn}
    put = aws.put_runtime_management_config(FunctionName="rtm-life", UpdateRuntimeOn="FunctionUpdate")
    assert shown(put) == {"UpdateRuntimeOn": "FunctionUpdate", "FunctionArn": arn}


@pytest.mark.proves("GetRuntimeManagementConfig", "PutRuntimeManagementConfig")
def test_each_version_has_its_own(aws: Any, make_function: Make) -> None:
    """Given a version, when it gets a mode, then $LATEST keeps its own, and the ARN is qualified."""
    make_function("rtm-version", Publish=True)
    put = aws.put_runtime_management_config(FunctionName="rtm-version", Qualifier="1", UpdateRuntimeOn="FunctionUpdate")
    assert put["FunctionArn"] == f"{ARN}:rtm-version:1"
    got = aws.get_runtime_management_config(FunctionName="rtm-version", Qualifier="1")
    assert got["UpdateRuntimeOn"] == "FunctionUpdate"
    assert aws.get_runtime_management_config(FunctionName="rtm-version")["UpdateRuntimeOn"] == "Auto"


@pytest.mark.proves("GetRuntimeManagementConfig", "PutRuntimeManagementConfig")
def test_what_is_refused(aws: Any, make_function: Make) -> None:
    """Given no such version, then it is not found; Manual without an ARN is an invalid parameter."""
    make_function("rtm-refused")
    for call, more in (
        (aws.get_runtime_management_config, {}),
        (aws.put_runtime_management_config, {"UpdateRuntimeOn": "Auto"}),
    ):
        with pytest.raises(aws.exceptions.ResourceNotFoundException) as refused:
            call(FunctionName="rtm-refused", Qualifier="7", **more)
        assert refused.value.response["Error"]["Message"] == f"Function not found: {ARN}:rtm-refused:7"
    with pytest.raises(aws.exceptions.InvalidParameterValueException):
        aws.put_runtime_management_config(FunctionName="rtm-refused", UpdateRuntimeOn="Manual")
