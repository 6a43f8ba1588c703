"""Debuggers attach to functions: breakpoints hold them, and time."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import websocket

pytestmark = pytest.mark.docker

Until = Callable[[Callable[[], object], str], None]
ACCOUNT = "111111111111"
SECONDS = 60
LONGER_THAN_THE_TIMEOUT = 2.5
PYTHON = """\
def handler(event, context):
    answer = "not debugged"
    while event == "hang":
        pass
    return answer
"""
NODE = """\
exports.handler = async (event) => {
  let answer = "not debugged"
  return answer
}
"""
RETURN = {"python": 5, "node": 3}
"""The lines of the `return`s, from 1."""


class Dap:
    """A client of the Debug Adapter Protocol, as an editor speaks it to debugpy."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._in = self._socket.makefile("rb")
        self._sent = 0
        self._events: list[dict[str, Any]] = []

    def send(self, command: str, **arguments: Any) -> int:
        self._sent += 1
        request = {"seq": self._sent, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(request).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return self._sent

    def call(self, command: str, **arguments: Any) -> Any:
        return self.answer(self.send(command, **arguments))

    def answer(self, sent: int) -> Any:
        while (message := self._read()).get("request_seq") != sent:
            self._events.append(message)
        assert message["success"], message
        return message.get("body")

    def event(self, name: str) -> Any:
        while True:
            for message in self._events:
                if message.get("event") == name:
                    self._events.remove(message)
                    return message.get("body")
            self._events.append(self._read())

    def _read(self) -> dict[str, Any]:
        length = 0
        while (line := self._in.readline().strip()) or not length:
            assert line or length, "the debugger closed the connection"
            length = int(line.partition(b":")[2])
        return dict(json.loads(self._in.read(length)))

    def attach(self, launch: dict[str, Any], file: Path, line: int) -> None:
        """As Visual Studio Code does with a launch configuration and one breakpoint."""
        self.call("initialize", adapterID="debugpy", pathFormat="path")
        attaching = self.send("attach", **launch)
        self.event("initialized")
        source = {"path": str(file)}
        (set_,) = self.call("setBreakpoints", source=source, breakpoints=[{"line": line}])["breakpoints"]
        assert set_["verified"], set_
        self.call("configurationDone")
        self.answer(attaching)

    def stopped(self) -> tuple[int, dict[str, Any]]:
        """Wait until a breakpoint holds; the thread, and the frame it is in."""
        thread: int = self.event("stopped")["threadId"]
        return thread, dict(self.call("stackTrace", threadId=thread)["stackFrames"][0])

    def close(self) -> None:
        self.call("disconnect", terminateDebuggee=False)
        self._socket.close()


class Inspector:
    """A client of Node's inspector."""

    def __init__(self, port: int) -> None:
        with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=SECONDS) as answer:
            (target,) = json.load(answer)
        self._web = websocket.create_connection(target["webSocketDebuggerUrl"], timeout=SECONDS)
        self._sent = 0
        self._events: list[dict[str, Any]] = []

    def call(self, method: str, **params: Any) -> Any:
        self._sent += 1
        self._web.send(json.dumps({"id": self._sent, "method": method, "params": params}))
        while (message := json.loads(self._web.recv())).get("id") != self._sent:
            self._events.append(message)
        return message["result"]

    def event(self, method: str) -> Any:
        while True:
            for message in self._events:
                if message.get("method") == method:
                    self._events.remove(message)
                    return message["params"]
            self._events.append(json.loads(self._web.recv()))

    def close(self) -> None:
        self._web.close()


@pytest.fixture(scope="session")
def debugpy_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layer's folder with debugpy from PyPI."""
    folder = tmp_path_factory.mktemp("debugpy")
    folder.chmod(0o755)
    pip = (sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--root-user-action=ignore")
    subprocess.run([*pip, "--no-deps", "--target", folder / "python", "debugpy"], check=True, timeout=120)
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder with the handlers."""
    folder = tmp_path / "code"
    folder.mkdir(mode=0o755)
    (folder / "index.py").write_text(PYTHON)
    (folder / "index.js").write_text(NODE)
    return folder


@pytest.fixture
def debugged(make_cloud: Any, tmp_path: Path) -> Any:
    """A cloud in debug mode in which `python` and `node` have debug ports."""
    config = tmp_path / "debug.yaml"
    lines = [f"  {arn(name)}: {{debug-port: {free_port()}}}" for name in ("python", "node")]
    config.write_text("\n".join(["functions:", *lines]))
    return make_cloud(LAMBDA_DEBUG_MODE="1", LAMBDA_DEBUG_MODE_CONFIG_PATH=str(config))


def hot(folder: Path) -> dict[str, str]:
    return {"S3Bucket": "hot-reload", "S3Key": str(folder)}


def test_a_breakpoint_holds_a_python_function_and_its_timeout(
    debugged: Any, make_function: Any, call: Any, code: Path, debugpy_layer: Path, until: Until
) -> None:
    """Given a function with a timeout of 1 s, when debugpy's client holds it for longer, then it goes on and answers.

    What the debugger changed is in the answer; and when it has gone, the timeout counts again.
    """
    client = debugged.client()
    layer = client.publish_layer_version(LayerName="debugpy", Content=hot(debugpy_layer))["LayerVersionArn"]
    make_function(client, FunctionName="python", Code=hot(code), Layers=[layer], Timeout=1, MemorySize=512)
    until(lambda: call(client, "python")[0] == "not debugged", "it does not answer in time")
    told = debugged.run("debug", "python")
    assert told["path_mappings"] == [
        {"localRoot": str(code), "remoteRoot": "/var/task"},
        {"localRoot": str(debugpy_layer), "remoteRoot": "/opt"},
    ]
    editor = Dap(told["port"])
    editor.attach(told["launch"], code / "index.py", RETURN["python"])
    with ThreadPoolExecutor(2) as pool:
        invoking = pool.submit(call, client, "python")
        thread, frame = editor.stopped()
        assert (frame["source"]["path"], frame["line"]) == (str(code / "index.py"), RETURN["python"])
        for expression in (f"__import__('time').sleep({LONGER_THAN_THE_TIMEOUT})", "answer = 'debugged'"):
            editor.call("evaluate", expression=expression, frameId=frame["id"], context="repl")
        waiting = pool.submit(call, client, "python")
        editor.call("continue", threadId=thread)
        assert invoking.result(SECONDS)[0] == "debugged"
        thread, _ = editor.stopped()
        editor.call("continue", threadId=thread)
        assert waiting.result(SECONDS)[0] == "not debugged", "one environment serves one after the other"
    editor.close()
    payload, answer = call(client, "python", "hang")
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorMessage"].endswith("Task timed out after 1.00 seconds")


def test_several_functions_are_debugged_at_once(
    debugged: Any,
    make_function: Any,
    call: Any,
    code: Path,
    debugpy_layer: Path,
    runtime_image: Callable[[str], str],
    until: Until,
) -> None:
    """Given a Python and a Node function, when breakpoints hold both, then each goes on as its own debugger says."""
    runtime_image("nodejs22.x")
    client = debugged.client()
    layer = client.publish_layer_version(LayerName="debugpy", Content=hot(debugpy_layer))["LayerVersionArn"]
    make_function(client, FunctionName="python", Code=hot(code), Layers=[layer], Timeout=1, MemorySize=512)
    make_function(client, FunctionName="node", Runtime="nodejs22.x", Code=hot(code), Timeout=1, MemorySize=512)
    until(lambda: call(client, "python")[0] == "not debugged", "python does not answer in time")
    until(lambda: call(client, "node")[0] == "not debugged", "node does not answer in time")
    python, node = (debugged.run("debug", name) for name in ("python", "node"))
    editor = Dap(python["port"])
    editor.attach(python["launch"], code / "index.py", RETURN["python"])
    inspector = Inspector(node["launch"]["port"])
    inspector.call("Debugger.enable")
    url = f"file://{node['launch']['remoteRoot']}/index.js"
    set_ = inspector.call("Debugger.setBreakpointByUrl", lineNumber=RETURN["node"] - 1, url=url)
    assert len(set_["locations"]) == 1
    with ThreadPoolExecutor(2) as pool:
        invoking = {name: pool.submit(call, client, name) for name in ("python", "node")}
        thread, frame = editor.stopped()
        held = inspector.event("Debugger.paused")["callFrames"][0]["callFrameId"]
        sleep = f"Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, {LONGER_THAN_THE_TIMEOUT * 1000})"
        for expression in (sleep, "answer = 'debugged in node'"):
            inspector.call("Debugger.evaluateOnCallFrame", callFrameId=held, expression=expression)
        editor.call("evaluate", expression="answer = 'debugged in python'", frameId=frame["id"], context="repl")
        inspector.call("Debugger.resume")
        assert invoking["node"].result(SECONDS)[0] == "debugged in node"
        assert not invoking["python"].done()
        editor.call("continue", threadId=thread)
        assert invoking["python"].result(SECONDS)[0] == "debugged in python"
    editor.close()
    inspector.close()


def test_the_init_waits_for_a_debugger(
    make_cloud: Any, make_function: Any, call: Any, code: Path, tmp_path: Path
) -> None:
    """Given wait-for-client, when a function is invoked first, then it starts when the debugger is there."""
    port = free_port()
    config = tmp_path / "debug.yaml"
    config.write_text(f"functions: {{{arn('node')}: {{debug-port: {port}, wait-for-client: true}}}}")
    options = {"LAMBDA_DEBUG_MODE": "1", "LAMBDA_DEBUG_MODE_CONFIG_PATH": str(config)}
    cloud = make_cloud(**options, LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT="1")
    client = cloud.client()
    make_function(client, FunctionName="node", Runtime="nodejs22.x", Code=hot(code), Timeout=1, MemorySize=512)
    with ThreadPoolExecutor(1) as pool:
        invoking = pool.submit(call, client, "node")
        inspector = _inspector(port)
        assert not invoking.done()
        inspector.call("Debugger.enable")
        inspector.call("Runtime.runIfWaitingForDebugger")
        inspector.event("Debugger.paused")
        inspector.call("Debugger.resume")
        assert invoking.result(SECONDS)[0] == "not debugged"
    inspector.close()


def _inspector(port: int) -> Inspector:
    """The inspector of a container that is starting, a while past its timeouts."""
    until, held = time.monotonic() + SECONDS, time.monotonic() + LONGER_THAN_THE_TIMEOUT
    while True:
        try:
            if time.monotonic() > held:
                return Inspector(port)
        except OSError:
            assert time.monotonic() < until, "no inspector listens"
        time.sleep(0.05)


def test_a_function_without_debugpy_runs_and_says_so(
    debugged: Any, make_function: Any, call: Any, until: Until
) -> None:
    """Given no debugpy in package or layers, then the function answers, and its log tells what is missing."""
    client = debugged.client()
    make_function(client, FunctionName="python")
    assert call(client, "python", {"a": 1})[0] == {"a": 1}
    until(lambda: "debugpy is in neither the package nor a layer" in debugged.log(), "the log does not say it")


def test_the_command_tells_people_too(debugged: Any, make_function: Any) -> None:
    """Given a debugged function, then `relambda debug` tells where to attach; of another, what to set."""
    make_function(debugged.client(), FunctionName="python")
    told = relambda(debugged, "debug", "python")
    port = debugged.run("debug", arn("python"))["port"]
    assert told.stdout.startswith(f"{arn('python')} listens on 127.0.0.1:{port} once it has been invoked\n")
    assert "/var/task is ${workspaceFolder}" in told.stdout
    assert '"type": "debugpy"' in told.stdout
    other = relambda(debugged, "debug", "other")
    assert other.returncode == 1
    assert "LAMBDA_DEBUG_MODE_CONFIG_PATH" in other.stderr


def relambda(cloud: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as people do."""
    command = [sys.executable, "-P", "-m", "relambda.api.cli", *arguments, "--state-dir", str(cloud.state)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
