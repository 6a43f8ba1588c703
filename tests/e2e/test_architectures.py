"""Functions for another architecture than this machine's, which has no emulator of it."""

import platform
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.docker

OWN, OTHER = ("arm64", "x86_64") if platform.machine() in {"aarch64", "arm64"} else ("x86_64", "arm64")
ROLE = "arn:aws:iam::111111111111:role/test"


def test_a_function_that_the_machine_cannot_run_says_so(shared_cloud: Any, zipped: Callable[[str], bytes]) -> None:
    """Given no emulator, when a function is for another architecture, then it is Failed, with what to do about it."""
    if list(Path("/proc/sys/fs/binfmt_misc").glob("qemu-*")):
        pytest.fail("this machine emulates others: run the suite where none is installed")
    aws = shared_cloud.client()
    name = f"f-{uuid.uuid4().hex[:12]}"
    code = {"ZipFile": zipped("def handler(event, context):\n    return event\n")}
    common = {"Role": ROLE, "Handler": "index.handler", "Runtime": "python3.11"}
    aws.create_function(FunctionName=name, Code=code, Architectures=[OTHER], **common)

    def configuration() -> Any:
        return aws.get_function_configuration(FunctionName=name)

    assert shared_cloud.comes_to(lambda: configuration()["State"] == "Failed")
    reason = configuration()["StateReason"]
    assert f"The function is for {OTHER}, and this machine runs {OWN} and has no emulator of {OTHER}" in reason
    assert "LAMBDA_IGNORE_ARCHITECTURE=1" in reason


def test_architectures_may_be_ignored(make_cloud: Any, make_function: Any, call: Callable[..., Any]) -> None:
    """Given LAMBDA_IGNORE_ARCHITECTURE, when a function is for another one, then it runs, and is said to be for it."""
    aws = make_cloud(LAMBDA_IGNORE_ARCHITECTURE="1").client()
    name = make_function(aws, Architectures=[OTHER])
    assert call(aws, name, {"k": 1})[0] == {"k": 1}
    assert aws.get_function_configuration(FunctionName=name)["Architectures"] == [OTHER]
