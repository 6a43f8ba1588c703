"""Libraries that people build functions with, from their registries, in functions as their guides show them."""

import base64
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.docker

POWERTOOLS = """
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_xray_sdk.core import patch_all, xray_recorder

patch_all()
logger = Logger(service="shop")
tracer = Tracer(service="shop")
metrics = Metrics(namespace="Shop", service="shop")


@tracer.capture_method
def take(order):
    tracer.put_annotation("order", order)
    return xray_recorder.current_subsegment().name


@metrics.log_metrics(capture_cold_start_metric=True)
@logger.inject_lambda_context(correlation_id_path="id")
@tracer.capture_lambda_handler
def handler(event, context):
    metrics.add_metric(name="Orders", unit=MetricUnit.Count, value=1)
    subsegment = take(event["order"])
    logger.info("took an order", order=event["order"])
    return {"subsegment": subsegment, "trace": xray_recorder.get_trace_entity().trace_id}
"""

MIDDY = """
import middy from "@middy/core";

const mark = {
  before: (request) => { request.event.before = request.context.functionName; },
  after: (request) => { request.response.after = true; },
  onError: (request) => {
    console.error("caught", request.error.message);
    request.response = { caught: request.error.message };
  },
};

export const handler = middy()
  .use(mark)
  .handler(async (event) => {
    if (event.fail) throw new Error(event.fail);
    return { before: event.before };
  });
"""


def packed(folder: Path, files: Mapping[str, str]) -> bytes:
    """A package of what a package manager installed into a folder, and of files beside it."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
        for name, text in files.items():
            archive.writestr(name, text)
    return body.getvalue()


@pytest.fixture(scope="module")
def powertools(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Powertools, its tracer and what they need; botocore is the runtime's."""
    folder = tmp_path_factory.mktemp("powertools")
    names = ["aws-lambda-powertools", "aws-xray-sdk", "wrapt", "jmespath", "typing_extensions"]
    install = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--root-user-action=ignore"]
    subprocess.run([*install, "--only-binary=:all:", "--target", str(folder), *names], check=True, timeout=120)
    for binary in folder.rglob("*.so"):
        binary.unlink()  # wrapt has one for each version of Python, and goes without
    return packed(folder, {"index.py": POWERTOOLS})


@pytest.fixture(scope="module")
def middy(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("middy")
    (folder / "package.json").write_text('{"private": true}')
    install = ["npm", "install", "--silent", "--ignore-scripts", "--prefer-offline", "@middy/core"]
    subprocess.run(install, cwd=folder, check=True, timeout=120)
    return packed(folder, {"index.mjs": MIDDY})


def documents(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The lines of an invocation's log that are JSON."""
    for line in base64.b64decode(answer["LogResult"]).decode().splitlines():
        if line.startswith("{"):
            yield json.loads(line)


@pytest.mark.parametrize("runtime", ["python3.11", "python3.13"])
def test_powertools_and_the_xray_sdk_work_unchanged(
    runtime: str, powertools: bytes, shared_cloud: Any, make_function: Any, call: Any
) -> None:
    """Given a function with logger, metrics and tracer, when it runs, then each finds what it needs."""
    client = shared_cloud.client()
    traced = {"TracingConfig": {"Mode": "Active"}}
    name = make_function(client, Runtime=runtime, Code={"ZipFile": powertools}, MemorySize=256, Timeout=30, **traced)

    result, answer = call(client, name, {"order": 7, "id": "c-1"}, LogType="Tail")

    assert result["subsegment"] == "## index.take"
    assert result["trace"].startswith("1-")
    said = list(documents(answer))
    (logged,) = (line for line in said if line.get("message") == "took an order")
    assert (logged["service"], logged["order"], logged["correlation_id"]) == ("shop", 7, "c-1")
    assert (logged["function_name"], logged["function_memory_size"], logged["cold_start"]) == (name, "256", True)
    assert logged["xray_trace_id"] == result["trace"]
    assert {metric for line in said if "_aws" in line for metric in ("Orders", "ColdStart") if metric in line} == {
        "Orders",
        "ColdStart",
    }


@pytest.mark.parametrize("runtime", ["nodejs20.x", "nodejs22.x", "nodejs24.x"])
def test_middy_works_unchanged(runtime: str, middy: bytes, shared_cloud: Any, make_function: Any, call: Any) -> None:
    """Given a handler wrapped by middy, when it answers and when it throws, then its middleware was there."""
    client = shared_cloud.client()
    name = make_function(client, Runtime=runtime, Code={"ZipFile": middy}, MemorySize=256, Timeout=30)
    assert call(client, name, {})[0] == {"before": name, "after": True}
    caught, answer = call(client, name, {"fail": "on purpose"}, LogType="Tail")
    assert caught == {"caught": "on purpose"}
    assert "caught on purpose" in base64.b64decode(answer["LogResult"]).decode()
