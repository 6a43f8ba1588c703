"""Hot reload, as its users work: edit a file, invoke."""

import json
import shutil
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import pytest
from botocore.exceptions import ClientError

WHERE = (
    "import os, socket\n"
    "print(f'loaded {VALUE}')\n"
    "def handler(event, context):\n"
    "    had_tmp = os.path.exists('/tmp/kept')\n"
    "    open('/tmp/kept', 'a').close()\n"
    "    return {'value': VALUE, 'tmp': had_tmp, 'container': socket.gethostname(), 'ppid': os.getpid()}\n"
)


def write(folder: Path, value: object, name: str = "index.py", source: str = WHERE) -> None:
    """Save a module as an editor does, with VALUE at its top."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    (folder / f"{name}~").write_text(f"VALUE = {value!r}\n{source}")
    (folder / f"{name}~").replace(folder / name)


def hot(folder: Path) -> dict[str, str]:
    """A folder as code."""
    return {"S3Bucket": "hot-reload", "S3Key": str(folder)}


Until = Callable[[Callable[[], object], str], None]


class Invoke(Protocol):
    """Invokes through the SDK."""

    def __call__(self, client: Any, name: str, event: Any = None, **members: Any) -> tuple[Any, dict[str, Any]]: ...


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder of code with the value 0."""
    write(tmp_path / "code", 0)
    return tmp_path / "code"


def test_each_invoke_runs_what_was_saved_before_it(cloud: Any, make_function: Any, call: Invoke, code: Path) -> None:
    """Given edits with an invoke right after each, then none is stale, and container and /tmp stay."""
    client = cloud.client()
    name = make_function(client, Code=hot(code))
    first, _ = call(client, name)
    assert (first["value"], first["tmp"]) == (0, False)
    answer = first
    for value in range(1, 9):
        write(code, value)
        answer, _ = call(client, name)
        assert answer == {**first, "value": value, "tmp": True, "ppid": answer["ppid"]}
    assert call(client, name)[0] == answer, "an invoke without an edit starts nothing anew"


def grow(folder: Path, files: int) -> Path:
    """Fill a folder with dependencies, and make one for code that lies deeper than all of them."""
    for number in range(files):
        package = folder / "lib" / f"p{number // 60:03d}" / f"m{number % 60 // 10}"
        package.mkdir(parents=True, exist_ok=True)
        (package / f"{number}.py").touch()
    deep = folder / "z" / "z" / "z" / "z" / "z"
    deep.mkdir(parents=True)
    for each in [folder, *folder.rglob("*")]:
        each.chmod(each.stat().st_mode | 0o055)
    return deep


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{}, {"RELAMBDA_HOT_RELOAD_POLLING": "1"}], ids=["notified", "polling"])
def test_no_invoke_is_stale_in_a_large_tree(
    make_cloud: Any, make_function: Any, call: Invoke, code: Path, environment: dict[str, str]
) -> None:
    """Given 3,000 files, when one behind all others is saved in any way and invoked at once, then that one runs."""
    deep = grow(code, 3000)
    write(code, 0, source="from z.z.z.z.z.value import DEEP\ndef handler(event, context):\n    return DEEP\n")
    (deep / "value.py").write_text("DEEP = 0\n")
    client = make_cloud(**environment).client()
    name = make_function(client, Code=hot(code))
    assert call(client, name)[0] == 0
    for value in range(1, 13):
        source = f"DEEP = {value}\n"
        if value % 4 == 1:
            (deep / "value.py").write_text(source)
        elif value % 4 == 2:
            write(deep, value, "value.py", source)
        elif value % 4 == 3:
            shutil.rmtree(deep)
            write(deep, value, "value.py", source)
        else:
            write(code / "built", value, "value.py", source)
            shutil.rmtree(deep)
            (code / "built").rename(deep)
        assert call(client, name)[0] == value
    assert call(client, name)[0] == 12


def test_the_runtime_starts_anew_by_itself(
    cloud: Any, make_function: Any, call: Invoke, code: Path, until: Until
) -> None:
    """Given an idle function, when a file is saved, then its runtime is ready with it before anybody invokes."""
    client = cloud.client()
    name = make_function(client, Code=hot(code))
    first, _ = call(client, name)
    token = uuid.uuid4().hex
    write(code, token)
    until(lambda: f"loaded {token}" in cloud.log(), "the log shows no start of the runtime with the saved code")
    answer, _ = call(client, name)
    assert (answer["value"], answer["container"]) == (token, first["container"])
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "index.cpython-311.pyc").write_text("no code")
    (code / ".git").mkdir()
    assert call(client, name)[0] == answer, "what is ignored starts nothing anew"


def test_a_save_during_an_invocation_lets_it_end(
    cloud: Any, make_function: Any, call: Invoke, code: Path, until: Until
) -> None:
    """Given an invocation that waits for a save itself, then it answers with its own code, and the new one starts."""
    waiting = (
        "import os, time\n"
        "print(f'loaded {VALUE}')\n"
        "def handler(event, context):\n"
        "    print(f'running {event}')\n"
        "    while event and not os.path.exists('/var/task/saved'):\n"
        "        time.sleep(0.005)\n"
        "    return VALUE\n"
    )
    write(code, "old", source=waiting)
    client = cloud.client()
    name = make_function(client, Code=hot(code), Timeout=60)
    assert call(client, name)[0] == "old"
    token = uuid.uuid4().hex
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(call, client, name, token)
        until(lambda: f"running {token}" in cloud.log(), "the log shows no start of the invocation")
        write(code, f"new {token}", source=waiting)
        (code / "saved").touch()
        assert running.result(60)[0] == "old"
    until(lambda: f"loaded new {token}" in cloud.log(), "the log shows no start of the runtime with the saved code")
    assert call(client, name)[0] == f"new {token}"


NODE = "exports.handler = async () => VALUE\n"
SHELL = """
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while head=$(curl -sS -D - -o /dev/null "$api/next"); do
  id=$(echo "$head" | tr -d '[:blank:][:cntrl:]' | sed 's/.*Aws-Request-Id:\\([0-9a-f-]*\\).*/\\1/I')
  curl -sS -o /dev/null -d "$VALUE" "$api/$id/response"
done
"""
RUNTIMES: dict[str, tuple[str, Callable[[str], str]]] = {
    "python3.13": ("index.py", lambda value: f"def handler(event, context):\n    return '{value}'\n"),
    "nodejs22.x": ("index.js", lambda value: f"const VALUE = '{value}'\n{NODE}"),
    "provided.al2023": ("bootstrap", lambda value: f"#!/bin/sh\nVALUE='\"{value}\"'\n{SHELL}"),
}


def test_all_runtimes_at_once(
    shared_cloud: Any, make_function: Any, call: Invoke, tmp_path: Path, runtime_image: Callable[[str], str]
) -> None:
    """Given functions of several runtimes, when their code is saved in turn, then each answers with its own."""
    client, names = shared_cloud.client(), {}

    def save(runtime: str, value: str) -> None:
        file, source = RUNTIMES[runtime]
        (tmp_path / runtime / file).write_text(source(value))
        (tmp_path / runtime / file).chmod(0o755)

    for runtime in RUNTIMES:
        runtime_image(runtime)
        (tmp_path / runtime).mkdir(mode=0o755)
        save(runtime, "first")
        names[runtime] = make_function(client, Runtime=runtime, Code=hot(tmp_path / runtime), MemorySize=256)
    for value in ("first", "second", "third"):
        for runtime, name in names.items():
            save(runtime, f"{value} of {runtime}".replace(" ", "-"))
            assert call(client, name)[0] == f"{value}-of-{runtime}"


def test_broken_code_can_be_mended(shared_cloud: Any, make_function: Any, call: Invoke, code: Path) -> None:
    """Given a save that does not even load, then invokes tell its error, and after the next save all is well."""
    client = shared_cloud.client()
    name = make_function(client, Code=hot(code))
    assert call(client, name)[0]["value"] == 0
    write(code, 1, source="this is no Python\n")
    payload, answer = call(client, name)
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Runtime.UserCodeSyntaxError"
    write(code, 2)
    assert call(client, name)[0]["value"] == 2


def test_several_functions_and_layers_at_once(
    shared_cloud: Any, make_function: Any, call: Invoke, tmp_path: Path, zipped: Callable[[str], bytes]
) -> None:
    """Given two functions that share a hot layer, one with an ordinary layer too, then all of it may be edited."""
    client = shared_cloud.client()
    source = "import shared\ntry:\n    import index_of_layer\nexcept ImportError:\n    pass\n"
    source += "def handler(event, context):\n    return [VALUE, shared.VALUE]\n"
    shared = tmp_path / "layer"
    write(shared / "python", "s0", "shared.py", "")
    for each in "ab":
        write(tmp_path / each, f"{each}0", source=source)
    layer = client.publish_layer_version(LayerName="shared", Content=hot(shared))
    ordinary = client.publish_layer_version(LayerName="ordinary", Content={"ZipFile": zipped("X = 1\n")})
    arns = [layer["LayerVersionArn"], ordinary["LayerVersionArn"]]
    assert layer["Content"]["Location"] == shared.as_uri()
    a = make_function(client, Code=hot(tmp_path / "a"), Layers=arns[:1])
    b = make_function(client, Code=hot(tmp_path / "b"), Layers=arns)
    assert [call(client, name)[0] for name in (a, b)] == [["a0", "s0"], ["b0", "s0"]]
    write(shared / "python", "s1", "shared.py", "")
    assert [call(client, name)[0] for name in (a, b)] == [["a0", "s1"], ["b0", "s1"]]
    write(tmp_path / "a", "a1", source=source)
    write(shared / "python", "s2", "shared.py", "")
    assert [call(client, name)[0] for name in (b, a)] == [["b0", "s2"], ["a1", "s2"]]


def test_an_ordinary_update_ends_it(
    shared_cloud: Any, make_function: Any, call: Invoke, code: Path, zipped: Callable[[str], bytes]
) -> None:
    """UpdateFunctionCode turns hot reload on and off; what a folder's function tells of its code is documented."""
    client = shared_cloud.client()
    name = make_function(client)
    client.update_function_code(FunctionName=name, **hot(code))
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    assert call(client, name)[0]["value"] == 0
    shown = client.get_function(FunctionName=name)
    assert (shown["Code"]["Location"], shown["Configuration"]["CodeSize"]) == (code.as_uri(), 0)
    write(code, 1)
    assert client.get_function(FunctionName=name)["Configuration"]["CodeSha256"] == shown["Configuration"]["CodeSha256"]
    assert call(client, name)[0]["value"] == 1
    client.update_function_code(FunctionName=name, ZipFile=zipped("def handler(event, context):\n    return 'zip'\n"))
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    write(code, 2)
    assert call(client, name)[0] == "zip"


def test_folders_go_come_back_and_survive_restarts(cloud: Any, make_function: Any, call: Invoke, code: Path) -> None:
    """Given a folder that is built anew, is missing, and is back, then invokes run it or say what is wrong."""
    client = cloud.client()
    name = make_function(client, Code=hot(code))
    assert call(client, name)[0]["value"] == 0
    shutil.rmtree(code)
    write(code, 1)
    assert call(client, name)[0]["value"] == 1
    cloud.stop()
    shutil.rmtree(code)
    cloud.start()
    client = cloud.client()
    payload, answer = call(client, name)
    assert answer["FunctionError"] == "Unhandled"
    assert f"The hot-reload folder {code} cannot be reached: No such file or directory." in payload["errorMessage"]
    write(code, 2)
    assert call(client, name)[0]["value"] == 2


def test_only_folders_under_roots_may_be_mounted(
    make_cloud: Any, make_function: Any, call: Invoke, tmp_path: Path
) -> None:
    """Given roots and a bucket of the user's own, then other folders are refused, by the option's name, traceless."""
    write(tmp_path / "mine" / "code", 7)
    write(tmp_path / "other", 8)
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "other")
    cloud = make_cloud(RELAMBDA_HOT_RELOAD_ROOTS=str(tmp_path / "mine"), BUCKET_MARKER_LOCAL="__local__")
    client = cloud.client()
    name = make_function(client, Code={"S3Bucket": "__local__", "S3Key": str(tmp_path / "mine" / "code")})
    assert call(client, name)[0]["value"] == 7
    before = json.dumps(client.list_functions()["Functions"])
    for path in (tmp_path / "other", tmp_path / "mine" / "link"):
        with pytest.raises(ClientError, match="RELAMBDA_HOT_RELOAD_ROOTS") as of_function:
            client.update_function_code(FunctionName=name, **hot(path))
        with pytest.raises(ClientError, match="RELAMBDA_HOT_RELOAD_ROOTS") as of_layer:
            client.publish_layer_version(LayerName="refused", Content=hot(path))
        for refusal in (of_function, of_layer):
            assert refusal.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert json.dumps(client.list_functions()["Functions"]) == before
    assert client.list_layers()["Layers"] == []


def test_what_is_no_change_and_how_changes_are_found(
    make_cloud: Any, make_function: Any, call: Invoke, code: Path, until: Until
) -> None:
    """Given globs to ignore and polling, then what is named changes nothing, and other files are found all the same."""
    cloud = make_cloud(RELAMBDA_HOT_RELOAD_IGNORE="*.log,drafts/*", RELAMBDA_HOT_RELOAD_POLLING="1")
    client = cloud.client()
    name = make_function(client, Code=hot(code))
    first, _ = call(client, name)
    (code / "drafts").mkdir()
    for ignored in ("drafts/index.py", "noise.log"):
        (code / ignored).write_text("VALUE = 1\n")
    again, _ = call(client, name)
    assert again == {**first, "tmp": True}, "what is ignored started the runtime anew"
    token = uuid.uuid4().hex
    write(code, token)
    until(lambda: f"loaded {token}" in cloud.log(), "polling found no change")
    (code / "__pycache__").mkdir(exist_ok=True)
    (code / "__pycache__" / "other.pyc").write_text("counts, since the globs stand in the place of the default")
    changed, _ = call(client, name)
    assert (changed["value"], changed["container"]) == (token, first["container"])
