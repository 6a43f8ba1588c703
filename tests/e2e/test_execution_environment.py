"""What a function sees of its execution environment, compared with what was seen in AWS."""

import base64
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.docker

PROBE = """
import errno, getpass, os, pathlib, re, shutil


def rights(path):
    about = os.stat(path)
    return [oct(about.st_mode & 0o7777), about.st_uid, about.st_gid]


def written(path):
    try:
        pathlib.Path(path, "probe").write_text("x")
    except OSError as error:
        return errno.errorcode[error.errno]
    return "written"


def handler(event, context):
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
    return {
        "user": getpass.getuser(),
        "ids": [os.getuid(), os.geteuid(), os.getgid(), os.getgroups()],
        "cwd": os.getcwd(),
        "limits": dict(re.findall(r"^Max (.+?) {2,}(\\S+ +\\S+)", pathlib.Path("/proc/self/limits").read_text(), re.M)),
        "environment": dict(os.environ),
        "written": {path: written(path) for path in ("/", "/var/task", "/opt", "/etc", "/var", "/dev", "/tmp")},
        "rights": {path: rights(path) for path in ("/var/task", "/var/task/index.py", "/opt", "/tmp")},
        "capabilities": [status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")],
        "no_new_privileges": status["NoNewPrivs"],
        "tmp_mb": shutil.disk_usage("/tmp").total // 2**20,
        "shared_memory": os.path.exists("/dev/shm"),
        "processes": next(pathlib.Path("/sys/fs/cgroup").glob("**/pids.max")).read_text().strip(),
    }
"""
UNLIMITED = ["unlimited", "unlimited"]
LIMITS = {
    "address space": UNLIMITED,
    "core file size": ["10737418240", "10737418240"],
    "cpu time": UNLIMITED,
    "data size": UNLIMITED,
    "file size": UNLIMITED,
    "locked memory": ["65536", "65536"],
    "open files": ["1024", "1024"],
    "resident set": UNLIMITED,
    "stack size": ["8388608", "unlimited"],
}
"""Soft and hard, as recorded from AWS (limits.tsv)."""
UNRECORDED = {
    "file locks": UNLIMITED,
    "msgqueue size": ["819200", "819200"],
    "nice priority": ["0", "0"],
    "realtime priority": ["0", "0"],
    "realtime timeout": UNLIMITED,
}
"""The rest of what Linux has, as it is for any process that is given no rights."""
OF_THE_MACHINE = {"pending signals", "processes"}
"""By its memory; the processes of a function are counted by its control group (docs/differences.md)."""
VARIABLES = {
    "AWS_ACCESS_KEY_ID": "111111111111",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_REGION": "us-east-1",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LANG": "en_US.UTF-8",
    "LD_LIBRARY_PATH": (
        "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
    ),
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "PWD": "/var/task",
    "PYTHONPATH": "/var/runtime",
    "SHLVL": "0",
    "TEST_KEY": "TEST_VAL",
    "TZ": ":UTC",
    "_HANDLER": "index.handler",
}
"""Variables of python3.11 in AWS and their values there (env_by_runtime.tsv)."""
VARYING = {
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_PORT",
    "_X_AMZN_TRACE_ID",
}
"""Variables that AWS has too, with values of each function's or call's own."""
OURS = {"AWS_ENDPOINT_URL", "LOCALSTACK_HOSTNAME", "EDGE_PORT", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN"}
"""How functions find this cloud, and what AWS has added since the recording."""


@pytest.mark.parametrize("pool", ["0", "2"])
def test_a_handler_sees_what_it_would_see_in_aws(
    make_cloud: Any, make_function: Any, call: Callable[..., Any], pool: str
) -> None:
    """Given a handler that tells all it can see, when it runs, then user, limits, rights and variables are AWS's.

    So it is in a container of its own, and in one that was spare.
    """
    cloud = make_cloud(RELAMBDA_POOL_SIZE=pool)
    aws = cloud.client()
    name = make_function(aws, PROBE, Environment={"Variables": {"TEST_KEY": "TEST_VAL"}})
    assert cloud.comes_to(lambda: len(cloud.spares()) == int(pool))
    seen, _ = call(aws, name)
    assert bool(cloud.dressed_of(name)) is (pool == "2")

    assert (seen["user"], seen["ids"], seen["cwd"]) == ("sbx_user1051", [993, 993, 990, [990]], "/var/task")
    limits = {name: both.split() for name, both in seen["limits"].items() if name not in OF_THE_MACHINE}
    assert limits == LIMITS | UNRECORDED
    assert seen["processes"] == "1024"
    assert seen["written"] == {
        **dict.fromkeys(("/", "/var/task", "/opt", "/etc", "/var"), "EROFS"),
        "/dev": "EACCES",
        "/tmp": "written",
    }
    assert seen["rights"] == {
        "/var/task": ["0o755", 0, 0],
        "/var/task/index.py": ["0o644", 0, 0],
        "/opt": ["0o755", 0, 0],
        "/tmp": ["0o1777", 0, 0],
    }
    assert seen["capabilities"] == ["0000000000000000"] * 5
    assert seen["no_new_privileges"] == "1"
    assert 495 <= seen["tmp_mb"] <= 512
    assert not seen["shared_memory"]
    environment = seen["environment"]
    assert {key: environment.get(key) for key in VARIABLES} == VARIABLES
    assert environment.keys() - VARIABLES.keys() == VARYING | OURS
    assert environment["AWS_LAMBDA_LOG_GROUP_NAME"] == f"/aws/lambda/{name}"


EXTENSION = """#!/var/lang/bin/python3.11
import json, os, urllib.request

with open("/tmp/seen", "w") as seen:
    json.dump(dict(os.environ), seen)
base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2020-01-01/extension"
name = {"Lambda-Extension-Name": os.path.basename(__file__)}
with urllib.request.urlopen(urllib.request.Request(f"{base}/register", b'{"events": []}', name)) as answer:
    me = {"Lambda-Extension-Identifier": answer.headers["Lambda-Extension-Identifier"]}
urllib.request.urlopen(urllib.request.Request(f"{base}/event/next", headers=me))
"""
BESIDE = """
import json, os


def handler(event, context):
    with open("/tmp/seen") as seen:
        return {"runtime": dict(os.environ), "extension": json.load(seen)}
"""
RUNTIMES_OWN = {
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_PORT",
    "_HANDLER",
}
"""What extensions do not see (AWS, "Lambda Extensions API", "Environment variables")."""
MADE_BY_THE_RUNTIME = {"PWD", "SHLVL", "_X_AMZN_TRACE_ID"}


def test_an_extension_sees_all_variables_but_the_runtimes_own(
    shared_cloud: Any, make_function: Any, call: Callable[..., Any]
) -> None:
    """Given an extension, when it looks at its environment, then it has the function's variables, and no others."""
    aws = shared_cloud.client()
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        entry = zipfile.ZipInfo("extensions/looks")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, EXTENSION)
    layer = aws.publish_layer_version(LayerName="looks", Content={"ZipFile": body.getvalue()})["LayerVersionArn"]
    variables = {"Variables": {"TEST_KEY": "TEST_VAL"}}
    name = make_function(aws, BESIDE, Layers=[layer], Environment=variables, Timeout=20)
    seen, _ = call(aws, name)
    hidden = RUNTIMES_OWN | MADE_BY_THE_RUNTIME
    assert hidden <= seen["runtime"].keys()
    assert seen["extension"] == {key: value for key, value in seen["runtime"].items() if key not in hidden}


DISK = """
import boto3, errno, os, shutil


def handler(event, context):
    try:
        with open("/tmp/large", "ab") as file:
            for _ in range(event["mb"]):
                file.write(bytes(2**20))
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        return errno.errorcode[error.errno]
    return os.path.getsize("/tmp/large") // 2**20
"""


def test_tmp_is_a_disk_of_its_own_size_that_takes_no_memory(
    shared_cloud: Any, make_function: Any, call: Callable[..., Any]
) -> None:
    """Given 128 MB of memory and 600 of /tmp, when files are written, then more than memory fits, 600 MB do not."""
    aws = shared_cloud.client()
    name = make_function(aws, DISK, EphemeralStorage={"Size": 600}, Timeout=120)
    assert call(aws, name, {"mb": 200})[0] == 200
    assert call(aws, name, {"mb": 10})[0] == 210
    assert call(aws, name, {"mb": 400})[0] == "ENOSPC"


FULL = "\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t"
HOG = """
def handler(event, context):
    return len(bytearray(event["mb"] * 2**20))
"""


def test_a_function_out_of_memory_is_told_as_aws_tells_it(
    shared_cloud: Any, make_function: Any, call: Callable[..., Any]
) -> None:
    """Given 128 MB, when a handler takes more, then it is killed and said to be; less works before and after."""
    aws = shared_cloud.client()
    name = make_function(aws, HOG, Timeout=30)
    assert call(aws, name, {"mb": 50})[0] == 50 * 2**20
    payload, answer = call(aws, name, {"mb": 200}, LogType="Tail")
    assert answer["FunctionError"] == "Unhandled"
    request_id = answer["ResponseMetadata"]["RequestId"]
    message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
    assert payload == {"errorType": "Runtime.ExitError", "errorMessage": message}
    start, *words, report = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert start == f"START RequestId: {request_id} Version: $LATEST"
    assert words == [message, "Runtime.ExitError", f"END RequestId: {request_id}"]
    assert report.endswith(f"{FULL}Status: error\tError Type: Runtime.ExitError")
    assert call(aws, name, {"mb": 50})[0] == 50 * 2**20


PARENT = """
import subprocess, sys

invocations = 0


def handler(event, context):
    global invocations
    invocations += 1
    child = subprocess.run([sys.executable, "-c", f"bytearray({event['mb']} * 2**20)"])
    return {"code": child.returncode, "invocations": invocations, "environment": context.log_stream_name}
"""


def test_a_child_out_of_memory_is_its_parents_affair(
    shared_cloud: Any, make_function: Any, call: Callable[..., Any]
) -> None:
    """Given a child that takes more memory than there is, when the kernel kills it, then the runtime lives on."""
    aws = shared_cloud.client()
    name = make_function(aws, PARENT, Timeout=60)
    before, _ = call(aws, name, {"mb": 1})
    assert before == {"code": 0, "invocations": 1, "environment": before["environment"]}
    during, answer = call(aws, name, {"mb": 400}, LogType="Tail")
    assert during == {"code": -9, "invocations": 2, "environment": before["environment"]}
    assert "FunctionError" not in answer
    report = base64.b64decode(answer["LogResult"]).decode().splitlines()[-1]
    assert report.startswith("REPORT ")
    assert report.endswith(FULL)
    after, _ = call(aws, name, {"mb": 1})
    assert after == {"code": 0, "invocations": 3, "environment": before["environment"]}


CALLER = """
import boto3, json, os


def handler(event, context):
    if event.get("look"):
        return {key: os.environ.get(key) for key in ("AWS_ENDPOINT_URL", "LOCALSTACK_HOSTNAME", "EDGE_PORT")}
    answer = boto3.client("lambda").invoke(FunctionName=event["call"], Payload=json.dumps({"look": True}))
    return json.loads(answer["Payload"].read())
"""


def test_boto3_in_a_function_reaches_the_cloud_it_runs_in(
    shared_cloud: Any, make_function: Any, call: Callable[..., Any]
) -> None:
    """Given a cloud on loopback, when a function calls AWS and names no endpoint, then this cloud answers."""
    aws = shared_cloud.client()
    caller = make_function(aws, CALLER, Timeout=30, MemorySize=512)
    assert shared_cloud.url.startswith("http://127.0.0.1:")
    seen, answer = call(aws, caller, {"call": caller})
    assert "FunctionError" not in answer, seen
    assert seen["AWS_ENDPOINT_URL"] == f"http://{seen['LOCALSTACK_HOSTNAME']}:{seen['EDGE_PORT']}"


def test_no_endpoint_is_told_when_that_is_switched_off(
    make_cloud: Any, make_function: Any, call: Callable[..., Any]
) -> None:
    """Given LAMBDA_DISABLE_AWS_ENDPOINT_URL, then functions have no AWS_ENDPOINT_URL; and their own one wins if on."""
    cloud = make_cloud(LAMBDA_DISABLE_AWS_ENDPOINT_URL="1")
    aws = cloud.client()
    seen, _ = call(aws, make_function(aws, CALLER), {"look": True})
    assert seen["AWS_ENDPOINT_URL"] is None
    assert seen["EDGE_PORT"] == str(cloud.port)
