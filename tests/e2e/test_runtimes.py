"""Runtimes with their official clients, in images built here from packages: what AWS's would show, these show too."""

import base64
import io
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import pytest

pytestmark = pytest.mark.docker

HANDLERS = Path(__file__).with_name("handlers")
PYTHON = """
import os, sys, time

def handler(event, context):
    match event.get("do"):
        case "log":
            print("said by", context.function_name)
        case "fail":
            raise TypeError("refused by the handler")
        case "hang":
            time.sleep(600)
        case "look":
            version = f"v{sys.version_info[0]}.{sys.version_info[1]}.0"
            return {"environment": dict(os.environ), "directory": os.getcwd(), "version": version}
    return event
"""
TASK_LIBRARIES = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
EVERYWHERE = {
    "AWS_ACCESS_KEY_ID": "111111111111",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_REGION": "us-east-1",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LANG": "en_US.UTF-8",
    "LD_LIBRARY_PATH": TASK_LIBRARIES,
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "TEST_KEY": "TEST_VAL",
    "TZ": ":UTC",
    "_HANDLER": "index.handler",
}
"""Variables that all of them have in AWS, with their values there (env_by_runtime.tsv)."""
OF_ITS_OWN = {
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_PORT",
}
"""Variables that all of them have in AWS, with values of each function's or environment's own."""
OURS = {"AWS_ENDPOINT_URL", "LOCALSTACK_HOSTNAME", "EDGE_PORT", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN"}
"""How functions find this cloud, and what AWS has added since the recording."""


def of_runtime(runtime: str) -> dict[str, str]:
    """The variables that a runtime has in AWS beside those (env_by_runtime.tsv)."""
    if runtime.startswith("provided"):
        return {}
    shell = {"AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}", "PWD": "/var/task", "SHLVL": "0"}
    if runtime.startswith("nodejs"):
        number = runtime.removeprefix("nodejs").removesuffix(".x")
        modules = f"/opt/nodejs/node{number}/node_modules:/opt/nodejs/node_modules"
        return {**shell, "NODE_PATH": f"{modules}:/var/runtime/node_modules:/var/runtime:/var/task"}
    locale = {"LC_CTYPE": "C.UTF-8"} if runtime == "python3.13" else {}
    return {**shell, "PYTHONPATH": "/var/runtime", **locale}


Package = Callable[[], bytes]


def packed(name: str, content: bytes, **plain: bytes) -> bytes:
    """A package of one executable file, and of files that are not."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, content)
        for other, data in plain.items():
            archive.writestr(other, data)
    return body.getvalue()


def compiled() -> bytes:
    """The C runtime as a static program, which needs nothing of its image."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["gcc", "-static", "-O1", "-w", "-D_GNU_SOURCE", str(HANDLERS / "bootstrap.c"), "-o", f"{folder}/out"]
        subprocess.run(command, check=True)
        return Path(folder, "out").read_bytes()


def python() -> bytes:
    return packed("index.py", PYTHON.encode())


def node() -> bytes:
    return packed("index.js", (HANDLERS / "index.js").read_bytes())


RUNTIMES: dict[str, tuple[str, Package]] = {
    "python3.11": ("python3.11", python),
    "python3.13": ("python3.13", python),
    "nodejs20.x": ("nodejs20.x", node),
    "nodejs22.x": ("nodejs22.x", node),
    "nodejs24.x": ("nodejs24.x", node),
    "shell": ("provided.al2023", lambda: packed("bootstrap", (HANDLERS / "shell_bootstrap").read_bytes())),
    "compiled": ("provided.al2023", lambda: packed("bootstrap", compiled())),
}


@pytest.mark.parametrize("kind", RUNTIMES)
def test_a_runtime_answers_logs_fails_and_times_out(
    kind: str, shared_cloud: Any, make_function: Any, call: Any, runtime_image: Callable[[str], str]
) -> None:
    """Given a function, when it echoes, looks around, logs, fails and hangs, then it does so as in AWS."""
    runtime, package = RUNTIMES[kind]
    runtime_image(runtime)
    client = shared_cloud.client()
    members = {"Timeout": 60, "MemorySize": 256, "Environment": {"Variables": {"TEST_KEY": "TEST_VAL"}}}
    name = make_function(client, Runtime=runtime, Code={"ZipFile": package()}, **members)

    assert call(client, name, {"do": "echo", "text": "grüße"})[0] == {"do": "echo", "text": "grüße"}

    looked, _ = call(client, name, {"do": "look"})
    environment = looked["environment"]
    if not runtime.startswith("provided"):
        assert environment.pop("_X_AMZN_TRACE_ID").startswith("Root=")
    expected = {**EVERYWHERE, **of_runtime(runtime)}
    assert environment.keys() == expected.keys() | OF_ITS_OWN | OURS
    assert {key: environment[key] for key in expected} == expected
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert environment["AWS_LAMBDA_LOG_GROUP_NAME"] == f"/aws/lambda/{name}"
    daemon = f"{environment['_AWS_XRAY_DAEMON_ADDRESS']}:{environment['_AWS_XRAY_DAEMON_PORT']}"
    assert environment["AWS_XRAY_DAEMON_ADDRESS"] == daemon
    assert looked["directory"] == "/var/task"
    if not runtime.startswith("provided"):
        number = runtime.removeprefix("python").removeprefix("nodejs").removesuffix(".x")
        assert looked["version"].startswith(f"v{number}.")

    _, answer = call(client, name, {"do": "log"}, LogType="Tail")
    assert f"said by {name}" in base64.b64decode(answer["LogResult"]).decode()

    failed, answer = call(client, name, {"do": "fail"})
    assert answer["FunctionError"] == "Unhandled"
    assert (failed["errorType"], failed["errorMessage"]) == ("TypeError", "refused by the handler")

    client.update_function_configuration(FunctionName=name, Timeout=1)
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 1200})
    hung, answer = call(client, name, {"do": "hang"})
    assert answer["FunctionError"] == "Unhandled"
    assert hung["errorMessage"].endswith("Task timed out after 1.00 seconds")


WRAPPER = b'#!/bin/sh\nexport WRAPPED=yes\nexec "$@"\n'


@pytest.mark.parametrize("kind", ["python3.11", "python3.13", "nodejs20.x", "nodejs22.x", "nodejs24.x"])
def test_a_wrapper_script_starts_the_runtime(
    kind: str, shared_cloud: Any, make_function: Any, call: Any, runtime_image: Callable[[str], str]
) -> None:
    """Given AWS_LAMBDA_EXEC_WRAPPER, when the runtime starts, then by way of it.

    One that is not there, or not executable, is told with the status that a shell has for that.
    """
    runtime, package = RUNTIMES[kind]
    runtime_image(runtime)
    client = shared_cloud.client()
    content = packed("wrap", WRAPPER, plain=WRAPPER)
    layer = client.publish_layer_version(LayerName=f"wrapper-{kind.replace('.', '-')}", Content={"ZipFile": content})
    members = {"Runtime": runtime, "Code": {"ZipFile": package()}, "Layers": [layer["LayerVersionArn"]], "Timeout": 30}

    def wrapped(path: str) -> str:
        environment = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": path}}
        return str(make_function(client, **members, Environment=environment))

    assert call(client, wrapped("/opt/wrap"), {"do": "look"})[0]["environment"]["WRAPPED"] == "yes"

    for path, status, said in (("/opt/none", 127, "/opt/none: does not exist"), ("/opt/plain", 126, "/opt/plain")):
        failed, answer = call(client, wrapped(path), {}, LogType="Tail")
        assert failed["errorType"] == "Runtime.ExitError"
        assert failed["errorMessage"].endswith(f"Runtime exited with error: exit status {status}")
        assert said in base64.b64decode(answer["LogResult"]).decode()


def test_an_os_only_runtime_has_no_wrapper(
    shared_cloud: Any, make_function: Any, call: Any, runtime_image: Callable[[str], str]
) -> None:
    """Given AWS_LAMBDA_EXEC_WRAPPER and a bootstrap of the function's own, then that starts as it is, as in AWS."""
    runtime, package = RUNTIMES["shell"]
    runtime_image(runtime)
    client = shared_cloud.client()
    environment = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/none"}}
    name = make_function(
        client, Runtime=runtime, Code={"ZipFile": package()}, Environment=environment, Timeout=30, MemorySize=256
    )
    assert call(client, name, {"do": "look"})[0]["environment"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/none"


@pytest.mark.parametrize("kind", RUNTIMES)
def test_a_spare_container_is_as_one_of_its_own(
    kind: str, make_cloud: Any, make_function: Any, call: Any, runtime_image: Callable[[str], str]
) -> None:
    """Given one function in a spare container and one in its own, with a layer, then both see the very same."""
    runtime, package = RUNTIMES[kind]
    image = runtime_image(runtime)
    cloud = make_cloud(RELAMBDA_POOL_SIZE="2")
    client = cloud.client()
    wrapper = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"}
    layer = client.publish_layer_version(LayerName="wrapper", Content={"ZipFile": packed("wrap", WRAPPER)})
    members = {
        "Runtime": runtime,
        "Code": {"ZipFile": package()},
        "Layers": [layer["LayerVersionArn"]],
        "Environment": {"Variables": {"TEST_KEY": "it's $d", **wrapper}},
        "Timeout": 30,
    }
    spared = make_function(client, **members)
    own = make_function(client, **members, EphemeralStorage={"Size": 513})
    assert cloud.comes_to(lambda: len(cloud.spares(image)) == 2)
    seen = [call(client, name, {"do": "look"})[0] for name in (spared, own)]
    assert (len(cloud.dressed_of(spared)), cloud.dressed_of(own)) == (1, set())
    for each in seen:
        each["environment"] = {
            name: value
            for name, value in each["environment"].items()
            if name not in OF_ITS_OWN | OURS | {"_X_AMZN_TRACE_ID"}
        }
    assert seen[0] == seen[1]
    assert seen[0]["environment"].get("WRAPPED") == (None if runtime.startswith("provided") else "yes")


def test_a_version_runs_from_an_image_that_was_built_for_it(make_cloud: Any, make_function: Any, call: Any) -> None:
    """Given LAMBDA_PREBUILD_IMAGES, when functions run, then from images of their own, which hold code and layers."""
    cloud = make_cloud(LAMBDA_PREBUILD_IMAGES="1")
    client = cloud.client()
    layer = client.publish_layer_version(LayerName="x", Content={"ZipFile": packed("extra.txt", b"x")})[
        "LayerVersionArn"
    ]
    source = "import os\ndef handler(event, context):\n    return [os.listdir('/opt'), os.listdir('/var/task')]\n"
    name = make_function(client, source, Layers=[layer])
    assert call(client, name)[0] == [["extra.txt"], ["index.py"]]
    cloud_id = (cloud.state / "cloud-id").read_text().strip()
    with docker.APIClient(version="auto") as engine:
        (image,) = engine.images(filters={"label": f"relambda.prebuilt={cloud_id}"})
        (container,) = engine.containers(filters={"label": f"relambda={cloud_id}"})
        assert container["ImageID"] == image["Id"]
        client.delete_function(FunctionName=name)
        assert cloud.comes_to(lambda: not cloud.containers())
        engine.remove_image(image["Id"], force=True)
