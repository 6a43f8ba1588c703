"""Extensions in real containers: external ones in layers, and what becomes of those that fail."""

import base64
import io
import json
import re
import uuid
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

pytestmark = pytest.mark.docker

Call = Callable[..., Any]
MakeExtended = Callable[..., str]
LogOf = Callable[[str], list[str]]

EXTENSION = """#!/var/lang/bin/python3.11
import json, os, socket, sys, time, urllib.request

name = os.path.basename(__file__)
mode = os.environ.get("MODE", "") if name != "watches" else ""
base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2020-01-01/extension/"
identity = {"Lambda-Extension-Name": name}


def ask(path, body=None, **more):
    request = urllib.request.Request(base + path, body, {**identity, **more})
    with urllib.request.urlopen(request) as answer:
        return dict(answer.headers), json.loads(answer.read())


def note(text):
    with open(f"/tmp/{name}", "a") as notes:
        notes.write(text + "\\n")
    print(f"{name} notes {text}", flush=True)


if mode == "crash":
    sys.exit(3)
headers, function = ask("register", json.dumps({"events": ["INVOKE", "SHUTDOWN"]}).encode())
identity = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}
note(f"registers {function['functionName']} {os.environ.get('_HANDLER')} {os.environ.get('LAMBDA_TASK_ROOT')}")
if mode == "init-error":
    ask("init/error", b"{}", **{"Lambda-Extension-Function-Error-Type": "Extension.NoKey"})
    sys.exit(1)
while True:
    _, event = ask("event/next")
    note(" ".join([event["eventType"], event.get("requestId", event.get("shutdownReason"))]))
    if event["eventType"] == "SHUTDOWN":
        note("deadline in %d s" % round(event["deadlineMs"] / 1000 - time.time()))
        break
    if mode == "meet":
        with socket.create_connection((os.environ["MEET"], int(os.environ["PORT"]))) as meeting:
            meeting.recv(1)
    if mode == "hang":
        time.sleep(600)
    if mode == "die":
        os._exit(5)
    if mode == "hog":
        bytearray(400 * 1024 * 1024)
"""

FUNCTION = """
import os, pathlib, signal, socket, threading, time

count = 0
ready = sorted(os.listdir("/tmp"))
heard, told = socket.socketpair()
told.setblocking(False)
signal.signal(signal.SIGTERM, lambda *_: None)
signal.set_wakeup_fd(told.fileno())


def leave():
    heard.recv(1)
    print("the runtime was terminated", flush=True)
    os._exit(0)


threading.Thread(target=leave, daemon=True).start()


def handler(event, context):
    global count
    count += 1
    if event == "hang":
        time.sleep(600)
    if event == "long":
        time.sleep(0.3)
    notes = {path.name: path.read_text().splitlines() for path in pathlib.Path("/tmp").iterdir()}
    return {"count": count, "ready": ready, "notes": notes, "environment": context.log_stream_name}
"""


@pytest.fixture
def aws(shared_cloud: Any) -> Any:
    """A client of the shared cloud."""
    return shared_cloud.client()


@pytest.fixture
def extended_in(make_function: Any) -> MakeExtended:
    """Creates a function with a layer that holds these extensions."""

    def make(
        aws: Any,
        *names: str,
        variables: dict[str, str] | None = None,
        source: str = EXTENSION,
        mode: int = 0o755,
        **members: Any,
    ) -> str:
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w") as archive:
            for name in names:
                entry = zipfile.ZipInfo(f"extensions/{name}")
                entry.external_attr = mode << 16
                archive.writestr(entry, source)
        layer = aws.publish_layer_version(LayerName=f"l-{uuid.uuid4().hex[:12]}", Content={"ZipFile": body.getvalue()})
        members = {"Timeout": 10, **members}
        environment = {"Variables": variables or {}}
        return str(make_function(aws, FUNCTION, Layers=[layer["LayerVersionArn"]], Environment=environment, **members))

    return make


@pytest.fixture
def make_extended(aws: Any, extended_in: MakeExtended) -> MakeExtended:
    """As `extended_in`, in the shared cloud."""
    return partial(extended_in, aws)


def test_extensions_live_with_the_function(
    aws: Any, shared_cloud: Any, make_extended: MakeExtended, call: Call
) -> None:
    """Given two extensions, then they start before the runtime, hear of each invocation, and of the end in time."""
    name = make_extended("first", "second")
    _, one = call(aws, name)
    told, two = call(aws, name)
    request_ids = [answer["ResponseMetadata"]["RequestId"] for answer in (one, two)]

    assert told["ready"] == ["first", "second"]
    expected = [f"registers {name} None None", *(f"INVOKE {request_id}" for request_id in request_ids)]
    assert told["notes"]["first"][:2] == told["notes"]["second"][:2] == expected[:2]

    aws.update_function_configuration(FunctionName=name, Description="new")
    said = ["the runtime was terminated", *(f"{each} notes SHUTDOWN spindown" for each in ("first", "second"))]
    assert shared_cloud.comes_to(lambda: all(line in shared_cloud.log() for line in said))
    assert shared_cloud.comes_to(lambda: shared_cloud.log().count("notes deadline in 2 s") >= 2)


def test_the_answer_does_not_wait_for_extensions(
    aws: Any, make_extended: MakeExtended, call: Call, rendezvous: Any
) -> None:
    """Given an extension that works on after the answer, then the caller has that; the next has another environment."""
    host, port = rendezvous.address
    name = make_extended("works", variables={"MODE": "meet", "MEET": str(host), "PORT": str(port)}, Timeout=60)
    first, _ = call(aws, name)
    with ThreadPoolExecutor(1) as callers:
        rendezvous.expect(1)
        second = callers.submit(call, aws, name)
        rendezvous.expect(1)
        other, _ = second.result(60)
        rendezvous.release()
    assert first["environment"] != other["environment"]


def test_an_extension_that_does_not_end_times_the_invocation_out(
    aws: Any, make_extended: MakeExtended, call: Call, shared_cloud: Any
) -> None:
    """Given an extension that never asks again, then the caller has its answer, and the environment is reset."""
    name = make_extended("hangs", "watches", variables={"MODE": "hang"}, Timeout=8)
    first, answer = call(aws, name)
    assert "FunctionError" not in answer
    told = f"{name}: watches notes SHUTDOWN timeout"
    assert shared_cloud.comes_to(lambda: told in shared_cloud.log())
    again, _ = call(aws, name)
    assert (first.get("count"), again.get("count")) == (1, 1), again
    assert again["environment"] == first["environment"]
    assert again["notes"]["hangs"].count(f"registers {name} None None") == 2


def test_a_timeout_is_told_to_extensions(aws: Any, make_extended: MakeExtended, call: Call) -> None:
    """Given a function that hangs, then its extension hears of the timeout, and comes back with the next invocation."""
    name = make_extended("hears", Timeout=6)
    failed, _ = call(aws, name, "hang")
    after, _ = call(aws, name)
    assert failed["errorType"] == "Sandbox.Timedout"
    assert after["count"] == 1
    notes = after["notes"]["hears"]
    assert notes[2:4] == ["SHUTDOWN timeout", "deadline in 2 s"]
    assert notes[4] == f"registers {name} None None"


@pytest.mark.parametrize(
    ("mode", "error_type", "message", "state"),
    [
        ("crash", "Extension.Crash", "exit status 3", "Started\tEvents: []"),
        (
            "init-error",
            "Extension.InitError",
            "exit status 1",
            "InitError\tEvents: [INVOKE, SHUTDOWN]\tError Type: Extension.NoKey",
        ),
        ("die", "Extension.Crash", "exit status 5", "Ready\tEvents: [INVOKE, SHUTDOWN]"),
    ],
)
def test_what_fails_with_its_extension(
    aws: Any,
    make_extended: MakeExtended,
    call: Call,
    log_of: LogOf,
    mode: str,
    error_type: str,
    message: str,
    state: str,
) -> None:
    """Given an extension that ends, in the init or in an invocation, then invocation and log tell in AWS's words."""
    name = make_extended("breaks", variables={"MODE": mode})
    failed, answer = call(aws, name, "long", LogType="Tail")
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert answer["FunctionError"] == "Unhandled"
    assert failed == {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    line = f"EXTENSION\tName: breaks\tState: {state}\n"
    log = log_of(name)
    assert line in log
    assert_inits_fail_behind_their_extensions(log, error_type)
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert (line in tail) is (mode != "die"), "the init is done again inside the invocation"
    assert f"{message}\n{error_type}\nEND RequestId: {request_id}\n" in tail


def test_an_extension_out_of_memory(aws: Any, make_extended: MakeExtended, call: Call) -> None:
    """Given an extension that takes more memory than there is, then it alone is killed, and the invocation fails."""
    name = make_extended("greedy", variables={"MODE": "hog"}, Timeout=60)
    failed, answer = call(aws, name, "hang", LogType="Tail")
    begin = f"RequestId: {answer['ResponseMetadata']['RequestId']} Error: signal: killed"
    assert failed == {"errorType": "Extension.Crash", "errorMessage": begin}
    log = base64.b64decode(answer["LogResult"]).decode()
    assert f"{begin}\nExtension.Crash\n" in log
    assert re.search(r"Memory Size: 128 MB\tMax Memory Used: 128 MB\t", log), log


def assert_inits_fail_behind_their_extensions(log: list[str], error_type: str) -> None:
    """Each INIT_REPORT of a log stands right behind the lines of the extensions, and names the error."""
    for number, line in enumerate(log):
        if line.startswith("INIT_REPORT "):
            assert line.endswith(f"\tStatus: error\tError Type: {error_type}\n")
            assert log[number - 1].startswith("EXTENSION\t")


def test_an_extension_that_cannot_be_started(aws: Any, make_extended: MakeExtended, call: Call, log_of: LogOf) -> None:
    """Given a file that is no program, then the invocation fails for it, and the log tells what was launched."""
    name = make_extended("unknown", source="#!/no/such/interpreter\n")
    failed, _ = call(aws, name)
    assert failed["errorType"] == "Extension.LaunchError"
    assert json.dumps(failed).count("/opt/extensions/unknown: no such file or directory") == 1
    log = log_of(name)
    assert "EXTENSION\tName: unknown\tState: LaunchError\tEvents: []\tError Type: UnknownError\n" in log
    assert_inits_fail_behind_their_extensions(log, "Extension.LaunchError")


def test_an_extension_that_may_not_be_executed(
    aws: Any, make_extended: MakeExtended, call: Call, log_of: LogOf
) -> None:
    """Given a file without the right to execute it, then the log names that as the reason."""
    name = make_extended("forbidden", mode=0o644)
    failed, _ = call(aws, name)
    assert failed["errorType"] == "Extension.LaunchError"
    assert "EXTENSION\tName: forbidden\tState: LaunchError\tEvents: []\tError Type: PermissionDenied\n" in log_of(name)


INTERNAL = """
import json, os, pathlib, threading, urllib.request

base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2020-01-01/extension/"
heard = pathlib.Path("/tmp/heard")
heard.touch()


def ask(path, body=None, **headers):
    with urllib.request.urlopen(urllib.request.Request(base + path, body, headers)) as answer:
        return dict(answer.headers), json.load(answer)


headers, _ = ask("register", b'{"events": ["INVOKE"]}', **{"Lambda-Extension-Name": "inside"})
me = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}


def listen():
    while True:
        _, event = ask("event/next", **me)
        with heard.open("a") as notes:
            notes.write(event["requestId"] + "\\n")


threading.Thread(target=listen, daemon=True).start()


def handler(event, context):
    return heard.read_text().split()
"""


def test_an_internal_extension_hears_of_invocations(aws: Any, make_function: Any, call: Call, log_of: LogOf) -> None:
    """Given a runtime that registers an extension of its own, then that hears of each invocation, and is in the log."""
    name = make_function(aws, INTERNAL, Timeout=10)
    answers = [call(aws, name, LogType="Tail")[1] for _ in range(2)]
    heard, _ = call(aws, name)
    assert heard[:2] == [answer["ResponseMetadata"]["RequestId"] for answer in answers]
    report = base64.b64decode(answers[1]["LogResult"]).decode().splitlines()[-1]
    assert report.startswith(f"REPORT RequestId: {answers[1]['ResponseMetadata']['RequestId']}\tDuration: ")
    assert log_of(name)[1:2] == ["EXTENSION\tName: inside\tState: Ready\tEvents: [INVOKE]\n"]


def test_extensions_run_in_spare_containers(make_cloud: Any, extended_in: MakeExtended, call: Call) -> None:
    """Given a cloud that keeps spare containers, then an extension in one of them lives as in any other."""
    cloud = make_cloud(RELAMBDA_POOL_SIZE="2")
    aws = cloud.client()
    name = extended_in(aws, "spared")
    assert cloud.comes_to(lambda: len(cloud.containers()) == 2), "the first waits by now"
    told, _ = call(aws, name)
    assert cloud.dressed_of(name), "the function has a container of its own"
    assert told["ready"] == ["spared"]
    assert told["notes"]["spared"][0] == f"registers {name} None None"


def test_a_crash_is_told_to_the_other_extensions(
    aws: Any, shared_cloud: Any, make_extended: MakeExtended, call: Call
) -> None:
    """Given two extensions, when one ends in an invocation, then the other hears of the failure."""
    name = make_extended("breaks", "watches", variables={"MODE": "die"})
    failed, _ = call(aws, name, "long")
    assert failed["errorType"] == "Extension.Crash"
    assert shared_cloud.comes_to(lambda: f"{name}: watches notes SHUTDOWN failure" in shared_cloud.log())


def test_eleven_extensions_are_too_many(aws: Any, make_extended: MakeExtended, call: Call) -> None:
    """Given one extension more than there may be, then nothing runs, and the invocation says why."""
    failed, answer = call(aws, make_extended(*(f"extension-{number}" for number in range(11))))
    assert answer["FunctionError"] == "Unhandled"
    assert failed["errorType"] == "Extension.TooManyExtensions"
    assert "10 extensions, and 11 were found" in failed["errorMessage"]
