"""Traces: recorded by the cloud and by X-Ray's own SDK in functions, read back through X-Ray's own API."""

import io
import json
import re
import subprocess
import sys
import zipfile
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

pytestmark = pytest.mark.docker

TRACED = """
import os

from aws_xray_sdk.core import xray_recorder


def handler(event, context):
    with xray_recorder.in_subsegment("work") as work:
        work.put_annotation("customer", event["customer"])
    return os.environ["_X_AMZN_TRACE_ID"]
"""
HEADER = "import os\n\ndef handler(event, context):\n    return os.environ.get('_X_AMZN_TRACE_ID')\n"
ROOT, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
XRAY_SDK = ("aws-xray-sdk", "wrapt")


@pytest.fixture(scope="session")
def traced_zip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A package with X-Ray's SDK in it, as `pip install --target` makes it."""
    folder = tmp_path_factory.mktemp("xray")
    where = ("--target", str(folder), "--no-deps", "--only-binary", ":all:", "--python-version", "3.11")
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", *where, *XRAY_SDK]
    subprocess.run(command, check=True, timeout=120)
    (folder / "index.py").write_text(TRACED)
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for path in sorted(Path(folder).rglob("*")):
            archive.write(path, path.relative_to(folder))
    return body.getvalue()


@pytest.fixture
def xray(shared_cloud: Any) -> Callable[..., Any]:
    """Makes X-Ray clients of the cloud."""

    def client(account: str = "111111111111") -> Any:
        return boto3.client(
            "xray",
            endpoint_url=shared_cloud.url,
            region_name="us-east-1",
            aws_access_key_id=account,
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    return client


def documents(client: Any, trace: str) -> dict[str, dict[str, Any]]:
    """The documents of a trace, by name and origin."""
    (found,) = client.batch_get_traces(TraceIds=[trace])["Traces"]
    read = [json.loads(segment["Document"]) for segment in found["Segments"]]
    return {each.get("origin") or each["name"]: each for each in read}


def test_a_function_with_the_sdk(
    shared_cloud: Any, make_function: Any, call: Any, xray: Callable[..., Any], traced_zip: bytes
) -> None:
    """Given active tracing, when invoked, then the service's, the function's and the SDK's segments make one tree."""
    aws, began = shared_cloud.client(), datetime.now(UTC)
    active = {"Mode": "Active"}
    name = make_function(aws, Code={"ZipFile": traced_zip}, TracingConfig=active, MemorySize=256, Timeout=30)
    header, answer = call(aws, name, {"customer": "me"}, LogType="Tail")
    root = re.match(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=1", header)
    assert root is not None
    client = xray()
    assert shared_cloud.comes_to(lambda: "work" in documents(client, root[1]))
    tree = documents(client, root[1])

    service, function, work = tree["AWS::Lambda"], tree["AWS::Lambda::Function"], tree["work"]
    assert [each["name"] for each in function["subsegments"]] == ["Initialization", "Invocation", "Overhead"]
    assert function["parent_id"] == service["id"]
    assert work["parent_id"] == function["subsegments"][1]["id"] == root[2]
    assert service["aws"]["request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert service["start_time"] <= function["subsegments"][1]["start_time"] <= service["end_time"]
    (summary,) = [
        each
        for page in client.get_paginator("get_trace_summaries").paginate(
            StartTime=began - timedelta(seconds=2), EndTime=datetime.now(UTC) + timedelta(seconds=2)
        )
        for each in page["TraceSummaries"]
        if each["Id"] == root[1]
    ]
    assert summary["Annotations"]["customer"][0]["AnnotationValue"] == {"StringValue": "me"}
    assert not summary["HasFault"]
    assert xray("222222222222").batch_get_traces(TraceIds=[root[1]])["UnprocessedTraceIds"] == [root[1]]
    log = b64decode(answer["LogResult"]).decode()
    assert f"XRAY TraceId: {root[1]}\tSegmentId: {function['id']}\tSampled: true" in log


def header_of(aws: Any, name: str, header: str) -> str:
    """The header that a function gets when its caller sends one."""

    def add(request: Any, **_: Any) -> None:
        request.headers["X-Amzn-Trace-Id"] = header

    aws.meta.events.register("before-send.lambda.Invoke", add)
    try:
        return str(json.load(aws.invoke(FunctionName=name)["Payload"]))
    finally:
        aws.meta.events.unregister("before-send.lambda.Invoke", add)


def test_the_callers_header_counts(shared_cloud: Any, make_function: Any, xray: Callable[..., Any]) -> None:
    """Given a header, then the function gets its root; sampled, the cloud's segments go below the caller's."""
    aws = shared_cloud.client()
    name = make_function(aws, HEADER)

    assert header_of(aws, name, f"Root={ROOT};Parent={PARENT};Sampled=0").startswith(
        f"Root={ROOT};Parent={PARENT};Sampled=0"
    )
    got = header_of(aws, name, f"Root={ROOT};Parent={PARENT};Sampled=1")
    assert got.startswith(f"Root={ROOT};Parent=")
    assert PARENT not in got
    assert documents(xray(), ROOT)["AWS::Lambda"]["parent_id"] == PARENT


@pytest.mark.parametrize(
    ("header", "mode"),
    [
        ("garbage", "PassThrough"),
        ("Sampled=1", "PassThrough"),
        (f"Root={ROOT}", "PassThrough"),
        (f"Root={ROOT};Sampled=0", "Active"),
        (f"Root=nonsense;Parent={PARENT};Sampled=1", "Active"),
        ("Self=1-67891234-12456789abcdef012345678a;CalledFrom=app", "Active"),
    ],
)
def test_a_function_gets_a_whole_header(
    shared_cloud: Any, make_function: Any, xray: Callable[..., Any], header: str, mode: str
) -> None:
    """Given a header that lacks something, then the function's has all; a trace that begins here has no parent."""
    aws = shared_cloud.client()
    name = make_function(aws, HEADER, TracingConfig={"Mode": mode})
    got = header_of(aws, name, header)
    root = re.match(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24});Parent=[0-9a-f]{16};Sampled=([01])(;|$)", got)

    assert root is not None, got
    assert (root[1] == ROOT) is (ROOT in header)
    assert header == "garbage" or all(part in got for part in header.split(";") if part.startswith(("Self", "Called")))
    is_recorded = "Sampled=1" in header or ("Sampled" not in header and mode == "Active")
    assert (root[2] == "1") is is_recorded
    if is_recorded:
        assert "parent_id" not in documents(xray(), root[1])["AWS::Lambda"]


def test_nothing_is_recorded_unasked(shared_cloud: Any, make_function: Any, call: Any, xray: Any) -> None:
    """Given a function that passes traces through, when invoked without a header, then it gets one, not sampled."""
    aws = shared_cloud.client()
    header, _ = call(aws, make_function(aws, HEADER))
    root = header.partition(";")[0].removeprefix("Root=")

    assert re.match(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=", header)
    assert xray().batch_get_traces(TraceIds=[root])["UnprocessedTraceIds"] == [root]


def test_segments_of_ones_own(xray: Callable[..., Any]) -> None:
    """Given segments that a program puts, then they are there; what is none is told, one by one."""
    client = xray("333333333333")
    now = datetime.now(UTC).timestamp()
    trace = f"1-{int(now):08x}-{'0' * 24}"
    good = {"name": "own", "id": "a" * 16, "trace_id": trace, "start_time": now, "end_time": now + 1, "error": True}
    told = client.put_trace_segments(TraceSegmentDocuments=[json.dumps(good), "{}", "["])

    assert [each["ErrorCode"] for each in told["UnprocessedTraceSegments"]] == ["MissingId", "ParseError"]
    (found,) = client.batch_get_traces(TraceIds=[trace])["Traces"]
    assert found["Duration"] == pytest.approx(1.0)
    (summary,) = client.get_trace_summaries(StartTime=now - 1, EndTime=now + 1)["TraceSummaries"]
    assert (summary["Id"], summary["HasError"], summary["EntryPoint"]["Name"]) == (trace, True, "own")


def put(client: Any, trace: str, start: float, **members: Any) -> None:
    """Put a segment of two seconds."""
    own = {"name": "own", "id": "a" * 16, "trace_id": trace, "start_time": start, "end_time": start + 2, **members}
    assert client.put_trace_segments(TraceSegmentDocuments=[json.dumps(own)])["UnprocessedTraceSegments"] == []


def test_filters_find_what_a_function_did(
    shared_cloud: Any, make_function: Any, call: Any, traced_zip: bytes, xray: Callable[..., Any]
) -> None:
    """Given the trace of a function that X-Ray's SDK annotates, then filters on it find it, and others do not."""
    aws, client, began = shared_cloud.client(), xray(), datetime.now(UTC)
    active = {"Mode": "Active"}
    name = make_function(aws, Code={"ZipFile": traced_zip}, TracingConfig=active, MemorySize=256, Timeout=30)
    header, _ = call(aws, name, {"customer": name})
    trace = header.partition(";")[0].removeprefix("Root=")
    assert shared_cloud.comes_to(lambda: "work" in documents(client, trace))

    def found(expression: str) -> bool:
        times = {"StartTime": began - timedelta(seconds=2), "EndTime": datetime.now(UTC) + timedelta(seconds=2)}
        pages = client.get_paginator("get_trace_summaries").paginate(**times, FilterExpression=expression)
        return trace in {each["Id"] for page in pages for each in page["TraceSummaries"]}

    function = f'id(name: "{name}", type: "AWS::Lambda::Function")'
    assert found(f'annotation.customer = "{name}" ok !partial duration < 100')
    assert found(f"service({function}) {{ ok AND annotation[customer] }}")
    assert found(f'edge(id(name: "{name}", type: "AWS::Lambda"), {function})')
    assert not found(f'annotation.customer = "{name}" AND fault')
    assert not found(f'service("{name}") {{ annotation.customer = "nobody" }}')


def test_what_a_runtime_says_of_an_error(
    shared_cloud: Any, make_function: Any, call: Any, xray: Callable[..., Any]
) -> None:
    """Given a function that raises, without any SDK, then its segment has the exception, and a root cause names it."""
    aws, client, began = shared_cloud.client(), xray(), datetime.now(UTC)
    source = "def handler(event, context):\n    raise KeyError('nothing')\n"
    name = make_function(aws, source, TracingConfig={"Mode": "Active"})
    call(aws, name)
    (summary,) = client.get_trace_summaries(
        StartTime=began - timedelta(seconds=2),
        EndTime=datetime.now(UTC) + timedelta(seconds=2),
        FilterExpression=f'service("{name}") rootcause.fault.exception {{ name = "KeyError" }}',
    )["TraceSummaries"]
    function = documents(client, summary["Id"])["AWS::Lambda::Function"]

    assert (summary["HasFault"], summary["EntryPoint"]["Type"]) == (True, "AWS::Lambda")
    assert function["cause"]["exceptions"][0]["message"] == "'nothing'"
    assert function["subsegments"][-2]["cause"] == function["cause"]


def test_pages_of_a_filter(xray: Callable[..., Any]) -> None:
    """Given more traces than a page looks at, then all pages together have those that fit, newest first."""
    client, now = xray("444444444444"), int(datetime.now(UTC).timestamp())
    traces = [f"1-{now - 300 + number:08x}-{number:024x}" for number in range(230)]
    for number, trace in enumerate(traces):
        put(client, trace, float(now - 300 + number), annotations={"even": number % 2 == 0})
    times = {"StartTime": now - 300, "EndTime": now}
    pages = list(client.get_paginator("get_trace_summaries").paginate(**times, FilterExpression="annotation.even"))

    assert [each["Id"] for page in pages for each in page["TraceSummaries"]] == [
        trace for number, trace in reversed(list(enumerate(traces))) if number % 2 == 0
    ]
    assert sum(page["TracesProcessedCount"] for page in pages) == 230
    half = {"Sampling": True, "SamplingStrategy": {"Name": "FixedRate", "Value": 0.0}}
    assert client.get_trace_summaries(**times, **half)["TraceSummaries"] == []


@pytest.mark.parametrize(
    ("meaning", "shift", "is_found"),
    [
        ("TraceId", 0, True),
        ("TraceId", -3600, False),
        ("Event", 0, False),
        ("Event", 7200, True),
        ("Service", 0, False),
        ("Service", 3600, True),
        ("Service", 7200, False),
    ],
)
def test_what_a_time_means(xray: Callable[..., Any], meaning: str, shift: int, is_found: bool) -> None:
    """Given a trace that began two hours ago and ended one hour ago, then each kind of time finds it at its own."""
    client, now = xray("555555555555"), int(datetime.now(UTC).timestamp())
    began = now - 7200
    trace = f"1-{began:08x}-{shift % 16:x}{ord(meaning[0]):023x}"
    put(client, trace, float(began), end_time=float(began + 3600))
    found = client.get_trace_summaries(
        StartTime=began + shift - 600, EndTime=began + shift + 600, TimeRangeType=meaning
    )["TraceSummaries"]
    (mine,) = [each for each in found if each["Id"] == trace] or [None]

    assert (mine is not None) is is_found
    assert mine is None or ("MatchedEventTime" in mine) is (meaning != "TraceId")


def test_graphs(xray: Callable[..., Any]) -> None:
    """Given a service that called a host, then the trace's graph and the service graph have both, and the client."""
    client, now = xray("666666666666"), int(datetime.now(UTC).timestamp())
    trace = f"1-{now - 5:08x}-{'6' * 24}"
    host = {"name": "api.example.com", "id": "b" * 16, "namespace": "remote"}
    put(client, trace, now - 5.0, subsegments=[{**host, "start_time": now - 4.5, "end_time": now - 4.0}])

    for services in (
        client.get_trace_graph(TraceIds=[trace])["Services"],
        client.get_service_graph(StartTime=now - 60, EndTime=now)["Services"],
    ):
        own, remote, caller = services
        assert (own["Name"], remote["Name"], caller["Type"]) == ("own", "api.example.com", "client")
        assert own["Edges"][0]["ReferenceId"] == remote["ReferenceId"]
        assert own["Edges"][0]["SummaryStatistics"]["OkCount"] == 1
    assert xray("777777777777").get_trace_graph(TraceIds=[trace])["Services"] == []


def test_what_is_refused(xray: Callable[..., Any]) -> None:
    """Given too many ids, a span of time past a day, or an operation that is not built, then X-Ray's own errors."""
    client, now = xray(), datetime.now(UTC)
    with pytest.raises(client.exceptions.InvalidRequestException):
        client.batch_get_traces(TraceIds=[ROOT] * 6)
    with pytest.raises(client.exceptions.InvalidRequestException):
        client.get_trace_summaries(StartTime=now - timedelta(days=2), EndTime=now)
    times = {"StartTime": now - timedelta(hours=1), "EndTime": now}
    for bad in (
        {"FilterExpression": "okay"},
        {"FilterExpression": 'group.name = "mine"'},
        {"NextToken": "?"},
        {"SamplingStrategy": {"Name": "FixedRate", "Value": 2.0}},
        {"TimeRangeType": "Never"},
        {"EndTime": now - timedelta(hours=2)},
    ):
        with pytest.raises(client.exceptions.InvalidRequestException):
            client.get_trace_summaries(**{**times, **bad})
    with pytest.raises(client.exceptions.InvalidRequestException):
        client.get_service_graph(**times, GroupName="mine")
    with pytest.raises(client.exceptions.InvalidRequestException):
        client.get_service_graph(StartTime=now - timedelta(hours=7), EndTime=now)
    with pytest.raises(ClientError, match="GetGroups") as refused:
        client.get_groups()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert client.get_sampling_rules()["SamplingRuleRecords"][0]["SamplingRule"]["RuleName"] == "Default"
