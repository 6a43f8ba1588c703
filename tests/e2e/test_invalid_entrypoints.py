"""Functions whose program cannot be executed: AWS's error, in the answer and in the log."""

import base64
import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.docker

Call = Callable[..., Any]
NO_BOOTSTRAP = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
SCRIPT = b"#!/bin/sh\necho it runs\n"
FOREIGN = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xff\x00" + bytes(44)
"""The head of a program for a machine that is not."""


def packed(name: str, content: bytes, mode: int = 0o755) -> dict[str, bytes]:
    """A package of one file."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        archive.writestr(entry, content)
    return {"ZipFile": body.getvalue()}


def refused(call: Call, aws: Any, name: str) -> tuple[str, str]:
    """The answer's message, without the request's id, and the log's end; twice, since the second start is AWS's too."""
    call(aws, name)
    payload, answer = call(aws, name, LogType="Tail")
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Runtime.InvalidEntrypoint"
    begin = f"RequestId: {request_id} Error: "
    assert payload["errorMessage"].startswith(begin)
    words = payload["errorMessage"].removeprefix(begin)
    log = base64.b64decode(answer["LogResult"]).decode()
    assert f"{begin}{words}\nRuntime.InvalidEntrypoint\n" in log
    assert log.rstrip("\n").endswith("Status: error\tError Type: Runtime.InvalidEntrypoint")
    return words, log


@pytest.mark.parametrize(
    ("file", "content", "mode", "words"),
    [
        ("other", SCRIPT, 0o755, NO_BOOTSTRAP),
        ("bootstrap", SCRIPT, 0o644, "fork/exec /var/task/bootstrap: permission denied"),
        (
            "bootstrap",
            SCRIPT.replace(b"\n", b"\r\n"),
            0o755,
            "fork/exec /var/task/bootstrap: no such file or directory",
        ),
        ("bootstrap", FOREIGN, 0o755, "fork/exec /var/task/bootstrap: exec format error"),
    ],
    ids=["none", "not executable", "foreign line ends", "foreign machine"],
)
def test_a_bootstrap_that_cannot_run(
    shared_cloud: Any,
    make_function: Any,
    call: Call,
    runtime_image: Callable[[str], str],
    file: str,
    content: bytes,
    mode: int,
    words: str,
) -> None:
    """Given an OS-only function, when its bootstrap cannot be executed, then the caller and the log read why."""
    runtime_image("provided.al2023")
    aws = shared_cloud.client()
    name = make_function(aws, Runtime="provided.al2023", Code=packed(file, content, mode))
    assert refused(call, aws, name)[0] == words
    logs = shared_cloud.client(service="logs")
    group = f"/aws/lambda/{name}"
    events = logs.filter_log_events(logGroupName=group, filterPattern="INIT_REPORT")["events"]
    told = [event["message"].split("\t", 1)[1].rstrip() for event in events]
    assert told[:2] == [
        f"Phase: {phase}\tStatus: error\tError Type: Runtime.InvalidEntrypoint" for phase in ("init", "invoke")
    ]
    everything = "".join(event["message"] for event in logs.filter_log_events(logGroupName=group)["events"])
    assert "it runs" not in everything


def test_an_init_that_cannot_begin_is_told_as_an_event(
    shared_cloud: Any, make_function: Any, call: Call, runtime_image: Callable[[str], str]
) -> None:
    """Given the log format JSON, when there is no bootstrap, then initReport and report have the error's type."""
    runtime_image("provided.al2023")
    aws = shared_cloud.client()
    name = make_function(
        aws, Runtime="provided.al2023", Code=packed("other", SCRIPT), LoggingConfig={"LogFormat": "JSON"}
    )
    call(aws, name)
    events = shared_cloud.client(service="logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    told = [json.loads(event["message"]) for event in events if event["message"].startswith('{"time"')]
    found = {event["type"]: event["record"] for event in told}
    for type_ in ("platform.initReport", "platform.report"):
        assert found[type_]["status"] == "error"
        assert found[type_]["errorType"] == "Runtime.InvalidEntrypoint"


@pytest.mark.parametrize(
    ("entrypoint", "mode", "words"),
    [
        ("/none", 0o755, "fork/exec /none: no such file or directory"),
        ("none", 0o755, 'exec: "none": executable file not found in $PATH'),
        ("/program", 0o644, "fork/exec /program: permission denied"),
    ],
    ids=["missing", "not in PATH", "not executable"],
)
@pytest.mark.parametrize("base", ["shell", "scratch"])
def test_an_images_entrypoint_that_cannot_run(
    shared_cloud: Any,
    make_image: Any,
    make_image_function: Any,
    python_image: str,
    call: Call,
    base: str,
    entrypoint: str,
    mode: int,
    words: str,
) -> None:
    """Given an image with a shell or without, when its ENTRYPOINT cannot be executed, then it is told as AWS tells."""
    aws = shared_cloud.client()
    own = python_image if base == "shell" else "scratch"
    image = make_image(
        f'FROM {own}\nCOPY program /\nENTRYPOINT ["{entrypoint}"]\nCMD ["x"]\n', mode=mode, program=SCRIPT
    )
    assert refused(call, aws, make_image_function(aws, image, Timeout=20))[0] == words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (SCRIPT, "fork/exec /program: no such file or directory"),
        (b"no program", "fork/exec /program: exec format error"),
        (Path(sys.executable).resolve().read_bytes(), "fork/exec /program: no such file or directory"),
    ],
    ids=["no interpreter", "no format", "no loader"],
)
def test_what_only_the_kernel_finds_out(
    shared_cloud: Any, make_image: Any, make_image_function: Any, call: Call, content: bytes, words: str
) -> None:
    """Given an image without a shell, when its program lacks an interpreter or a format, then it is told so."""
    aws = shared_cloud.client()
    image = make_image('FROM scratch\nCOPY program /\nENTRYPOINT ["/program"]\n', program=content)
    assert refused(call, aws, make_image_function(aws, image, Timeout=20))[0] == words
