"""A cloud's state as one file: what is exported here runs there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.slow]

FUNCTIONS = 100
AT_ONCE = 4


@pytest.mark.timeout(300)
def test_a_hundred_functions_travel(
    make_cloud: Any, make_function: Any, call: Callable[..., Any], tmp_path: Path
) -> None:
    """Given a cloud of 100 functions, when its snapshot is loaded into an empty one, then every function runs there."""
    # given
    here, pod = make_cloud(), tmp_path / "team.pod"
    names = [f"traveller-{number:03}" for number in range(FUNCTIONS)]
    aws = here.client()
    for name in names:
        source = f"def handler(event, context):\n    return [{name!r}, event, context.memory_limit_in_mb]\n"
        make_function(aws, source, FunctionName=name, MemorySize=192, Environment={"Variables": {"OWN": name}})
    aws.publish_version(FunctionName=names[0])
    aws.create_alias(FunctionName=names[0], Name="live", FunctionVersion="1")
    # when
    here.run("snapshot", "export", str(pod))
    here.stop()
    there = make_cloud(LAMBDA_KEEPALIVE_MS="0")
    there.run("snapshot", "import", str(pod))
    # then
    aws = there.client()
    pages = aws.get_paginator("list_functions").paginate()
    assert [each["FunctionName"] for page in pages for each in page["Functions"]] == names
    with ThreadPoolExecutor(AT_ONCE) as callers:
        answers = list(callers.map(lambda name: call(aws, name, {"n": 1})[0], names))
    assert answers == [[name, {"n": 1}, "192"] for name in names]
    answer = aws.invoke(FunctionName=f"{names[0]}:live", Payload=b"{}")
    assert answer["ExecutedVersion"] == "1"
