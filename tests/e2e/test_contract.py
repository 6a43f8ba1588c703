"""Images that keep the contract of AWS's base images and nothing else of ours: other shells, no tools, other users.

The contract (FACTS.md section 3): /lambda-entrypoint.sh with the handler as its one argument, which executes
/var/runtime/bootstrap; the rest is the image's own affair.
"""

import base64
import io
import json
import shutil
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

pytestmark = [pytest.mark.docker, pytest.mark.timeout(400)]

ENTRYPOINT = """#!/bin/sh
if [ $# -ne 1 ]; then
  exit 142
fi
export _HANDLER="$1"
if [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then
  exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap
fi
exec /var/runtime/bootstrap
"""
BOOTSTRAP = '#!/bin/sh\nexport PYTHONPATH=/var/runtime\nexec /var/lang/bin/python3.11 -m awslambdaric "$_HANDLER"\n'
FILES = (
    "COPY entrypoint /lambda-entrypoint.sh\nCOPY bootstrap /var/runtime/\n"
    "RUN rm /var/runtime/exec-wrapper.sh /var/runtime/bootstrap.py\n"
)


def without_tools(busybox: str, kept: str) -> str:
    """A step that leaves of all programs Python and one more, which is the shell from then on."""
    remove = f"case $file in */python3* | {kept}) ;; *) {busybox} rm -f $file ;; esac"
    script = f"for file in /usr/bin/* /usr/sbin/*; do {remove}; done; {busybox} ln -sf {kept} /usr/bin/sh"
    return f'COPY busybox {busybox}\nRUN ["{busybox}", "sh", "-c", "{script}"]\n'


SHELLS = {
    "python3.11": 'RUN ["/bin/bash", "-c", "rm /bin/dash && ln -sf bash /bin/sh"]\n',
    "python3.12": without_tools("/usr/bin/busybox", "/usr/bin/busybox"),
    "python3.13": without_tools("/busybox", "/usr/bin/dash") + 'RUN ["/busybox", "rm", "/busybox"]\n',
    "python3.14": (
        "USER nobody\nENV HOME=/nowhere LANG=C token=1 IFS=x\nVOLUME /tmp /opt /var/task\nSTOPSIGNAL SIGTERM\n"
        "HEALTHCHECK CMD false\nEXPOSE 8080\n"
    ),
}
"""By the runtime that each stands in for: bash as /bin/sh (Amazon Linux has it so); busybox alone, without any other
program; dash alone, without even cat; and an image with declarations of all kinds."""

HANDLER = """
import getpass, os, sys, time


def handler(event, context):
    match event["do"]:
        case "look":
            return {"user": getpass.getuser(), "handler": os.environ["_HANDLER"], "cwd": os.getcwd(),
                    "home": os.environ.get("HOME"), "tools": [os.path.exists(f"/usr/bin/{x}") for x in ("cat", "bash")],
                    "kept": os.path.exists("/tmp/kept"), "layer": os.listdir("/opt/extensions")}
        case "keep":
            open("/tmp/kept", "w").close()
        case "exit":
            os._exit(3)
        case "hang":
            time.sleep(600)
        case "say":
            print("said aloud")
"""
EXTENSION = """#!/var/lang/bin/python3.11
import json, os, urllib.request

api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2020-01-01/extension"
body = json.dumps({"events": ["INVOKE", "SHUTDOWN"]}).encode()
request = urllib.request.Request(f"{api}/register", body, {"Lambda-Extension-Name": "watcher"})
name = urllib.request.urlopen(request).headers["Lambda-Extension-Identifier"]
while True:
    request = urllib.request.Request(f"{api}/event/next", headers={"Lambda-Extension-Identifier": name})
    event = json.load(urllib.request.urlopen(request))
    print("watched", event["eventType"], flush=True)
    if event["eventType"] == "SHUTDOWN":
        break
"""


def build(folder: Path, dockerfile: str) -> str:
    """Make an image of what a folder holds; its name."""
    name = f"relambda-test/contract:{uuid.uuid4().hex[:8]}"
    (folder / "Dockerfile").write_text(dockerfile)
    with docker.APIClient(version="auto", timeout=120) as api:
        said = list(api.build(path=str(folder), tag=name, rm=True, forcerm=True, decode=True))
    assert "error" not in said[-1], said[-5:]
    return name


def remove(name: str) -> None:
    with docker.APIClient(version="auto", timeout=60) as api:
        api.remove_image(name, force=True)


@pytest.fixture(scope="module")
def images(python_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The images, by the runtime that each stands in for."""
    folder = tmp_path_factory.mktemp("contract")
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.fail("the program busybox is missing: run `apt-get install busybox-static`")
    shutil.copy(busybox, folder / "busybox")
    (folder / "entrypoint").write_text(ENTRYPOINT)
    (folder / "bootstrap").write_text(BOOTSTRAP)
    for name in ("entrypoint", "bootstrap", "busybox"):
        (folder / name).chmod(0o755)
    made = {runtime: build(folder, f"FROM {python_image}\n{FILES}{lines}") for runtime, lines in SHELLS.items()}
    yield made
    for name in made.values():
        remove(name)


@pytest.fixture
def contract(images: dict[str, str], make_cloud: Any) -> Any:
    """A cloud whose runtimes are these images; it keeps spare containers, as by default."""
    return make_cloud(LAMBDA_RUNTIME_IMAGE_MAPPING=json.dumps(images), RELAMBDA_POOL_SIZE="1")


def test_what_keeps_the_contract_runs(contract: Any, make_function: Any, call: Any) -> None:
    """Given images with the contract alone, when functions and extensions live and die in them, then it is Lambda."""
    client, body = contract.client(), io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        entry = zipfile.ZipInfo("extensions/watcher")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, EXTENSION)
    layer = client.publish_layer_version(LayerName="watcher", Content={"ZipFile": body.getvalue()})["LayerVersionArn"]
    tools = {"python3.11": [True, True], "python3.12": [False, False], "python3.13": [False, False]}
    for runtime in SHELLS:
        name = make_function(client, HANDLER, Runtime=runtime, Layers=[layer], Timeout=30, MemorySize=256)
        looked, _ = call(client, name, {"do": "look"})
        assert looked == {
            "user": "sbx_user1051",
            "handler": "index.handler",
            "cwd": "/var/task",
            "home": None,
            "tools": tools.get(runtime, [True, True]),
            "kept": False,
            "layer": ["watcher"],
        }, runtime
        call(client, name, {"do": "keep"})
        exited, _ = call(client, name, {"do": "exit"})
        assert exited["errorMessage"].endswith("Runtime exited with error: exit status 3"), runtime
        assert call(client, name, {"do": "look"})[0]["kept"], f"{runtime}: /tmp did not outlive a reset"

        _, answer = call(client, name, {"do": "say"}, LogType="Tail")
        log = base64.b64decode(answer["LogResult"]).decode()
        assert "said aloud" in log
        assert int(log.partition("Max Memory Used: ")[2].partition(" MB")[0]) > 0, log
        client.update_function_configuration(FunctionName=name, Timeout=2)
        client.get_waiter("function_updated_v2").wait(FunctionName=name)
        hung, _ = call(client, name, {"do": "hang"})
        assert hung["errorMessage"].endswith("Task timed out after 2.00 seconds"), runtime
        logs = contract.client(service="logs")
        watched = "".join(
            event["message"] for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        )
        assert watched.count("watched INVOKE") >= 5, watched
        assert "watched SHUTDOWN" in watched
        client.delete_function(FunctionName=name)


def test_they_run_as_functions_of_images(shared_cloud: Any, images: dict[str, str], call: Any, tmp_path: Path) -> None:
    """Given an image of such a base with a handler in it, when it is a function, then its command is the handler."""
    (tmp_path / "index.py").write_text(HANDLER)
    client = shared_cloud.client()
    for runtime, base in images.items():
        image = build(tmp_path, f'FROM {base}\nCOPY index.py /var/task/\nCMD ["index.handler"]\n')
        name, role = f"f-{uuid.uuid4().hex[:8]}", "arn:aws:iam::111111111111:role/test"
        client.create_function(FunctionName=name, PackageType="Image", Code={"ImageUri": image}, Role=role, Timeout=30)
        client.get_waiter("function_active_v2").wait(FunctionName=name)
        answer, failed = call(client, name, {"do": "keep"})
        assert (answer, failed.get("FunctionError")) == (None, None), runtime
        client.delete_function(FunctionName=name)
        assert shared_cloud.comes_to(lambda name=name: not shared_cloud.containers_of(name))
        remove(image)
