"""Sandboxes on a real Docker engine: commands go in, output and the init's words come out in order."""

import errno
import signal
import socket
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
import pytest

from relambda.actors.engine.contract import EngineError, Mount, Sandbox, SandboxExit
from relambda.actors.engine.docker_engine import DockerEngine

pytestmark = pytest.mark.docker

Launch = Callable[..., tuple[Sandbox, Any]]
"""The fixture `launch`: a shell script to a started sandbox and its recorder."""


@pytest.fixture(params=["/bin/sh", "/bin/bash"], ids=["dash", "bash"])
def any_shell(request: pytest.FixtureRequest) -> Iterator[DockerEngine]:
    """Engines whose init is run by each of the shells that runtime images bring as /bin/sh."""
    engine = DockerEngine(f"test-{uuid.uuid4().hex[:12]}", shell=request.param)
    yield engine
    engine.sweep()
    engine.close()


def test_a_started_sandbox_runs_nothing_until_told(launch: Launch) -> None:
    """Given a sandbox, when it has only been started, then its runtime has written nothing before the first mark."""
    sandbox, recorder = launch("echo ran")
    sandbox.mark("first")
    assert recorder.next_word()[:2] == ("mark", "first")
    assert recorder.output == b""


def test_both_outputs_arrive_in_the_order_written(launch: Launch, any_shell: DockerEngine) -> None:
    """Given a runtime that writes to both its outputs in turn, when it ran, then the order is kept."""
    sandbox, recorder = launch("for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done", engine=any_shell)
    sandbox.start_runtime()
    assert recorder.next_word() == ("exit", 0)
    assert recorder.output == b"".join(b"out %d\nerr %d\n" % (i, i) for i in range(1, 6))


def test_a_line_without_its_end_arrives_unchanged(launch: Launch) -> None:
    """Given a runtime that writes binary data and no newline, when it goes on running, then all of it has arrived."""
    sandbox, recorder = launch(r"printf '\000\036half \377'; sleep 1000")
    sandbox.start_runtime()
    recorder.until_output(b"\x00\x1ehalf \xff")
    assert recorder.output == b"\x00\x1ehalf \xff"


def test_all_output_is_delivered_before_a_mark(launch: Launch, any_shell: DockerEngine) -> None:
    """Given much output, when a mark is asked for after the runtime has ended, then it comes behind all of it."""
    sandbox, recorder = launch("head -c 3000000 /dev/zero | tr '\\0' x", engine=any_shell)
    sandbox.start_runtime()
    assert recorder.next_word() == ("exit", 0)
    sandbox.mark("behind")
    _, mark, peak = recorder.next_word()
    assert mark == "behind"
    assert recorder.output == b"x" * 3_000_000
    assert 1024 * 1024 < peak <= 128 * 1024 * 1024


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 200", 200),
        ("exit 255", 255),
        ("kill -SEGV $$", 139),
        ("kill -KILL $$", 137),
        ("kill -TERM 0; sleep 1000", 143),
    ],
)
def test_the_exit_code_of_the_runtime_is_told(launch: Launch, any_shell: DockerEngine, script: str, code: int) -> None:
    """Given a runtime that ends, by itself or by a signal, when it has, then its code is told and nothing else is."""
    sandbox, recorder = launch(script, engine=any_shell)
    sandbox.start_runtime()
    assert recorder.next_word() == ("exit", code)
    sandbox.mark("alive")
    assert recorder.next_word()[:2] == ("mark", "alive")
    assert recorder.output == b""


def test_interrupts_are_not_ignored(launch: Launch, any_shell: DockerEngine, tmp_path: Path) -> None:
    """Given a runtime and an extension, when they look, then SIGINT and SIGQUIT are theirs: a shell's habit is not."""
    look = "grep SigIgn /proc/self/status"
    layer = extensions_folder(tmp_path, looks=look)
    runtime = ("/opt/extensions/looks",)
    sandbox, recorder = launch(command=runtime, engine=any_shell, mounts=[layer])
    sandbox.start_extensions()
    assert recorder.next_word() == ("extension exit", "looks", 0)
    sandbox.start_runtime()
    assert recorder.next_word() == ("exit", 0)
    for said in (recorder.output, recorder.extension_output):
        ignored = int(said.removeprefix(b"SigIgn:"), 16)
        assert not ignored & (1 << signal.SIGINT - 1 | 1 << signal.SIGQUIT - 1)


def test_a_killed_runtime_leaves_files_and_no_process(launch: Launch, any_shell: DockerEngine) -> None:
    """Given a runtime with children and orphans, when it is killed and started again, then only /tmp is as it was."""
    script = (
        "echo here >> /tmp/kept; cat /tmp/kept; cat /proc/[0-9]*/comm | grep -c sleep; "
        "(sleep 1000 &); setsid sleep 1000 & sleep 1000 & echo ready; sleep 1000"
    )
    sandbox, recorder = launch(script, engine=any_shell)
    sandbox.start_runtime()
    recorder.until_output(b"ready\n")
    sandbox.kill()
    assert recorder.next_word() == ("killed",)
    assert recorder.output == b"here\n0\nready\n"
    sandbox.start_runtime()
    recorder.until_output(b"ready\nhere\nhere\n0\nready\n")


def extensions_folder(folder: Path, **scripts: str) -> Mount:
    """A layer with these extensions, each a shell script."""
    folder.chmod(0o755)
    (folder / "extensions").mkdir()
    for name, script in scripts.items():
        file = folder / "extensions" / name
        file.write_text(f"#!/bin/bash\n{script}\n")
        file.chmod(0o755)
    return Mount(folder, "/opt")


def test_extensions_are_told_and_started_before_the_runtime(
    launch: Launch, any_shell: DockerEngine, tmp_path: Path
) -> None:
    """Given two extensions, when the sandbox starts, then both are told and nothing runs; then each as it is bidden."""
    layer = extensions_folder(
        tmp_path, first="echo first ${_HANDLER-none} $SEEN; touch /tmp/ran; exit 3", second="kill -KILL $$"
    )
    (tmp_path / "extensions" / "no file").mkdir()
    sandbox, recorder = launch(
        "ls /tmp; echo $_HANDLER",
        engine=any_shell,
        mounts=[layer],
        environment={"_HANDLER": "h", "SEEN": "yes"},
    )
    sandbox.start()
    assert [recorder.next_word() for _ in range(3)] == [
        ("extension", "first"),
        ("extension", "second"),
        ("extensions",),
    ]
    sandbox.start_extensions()
    ends = {recorder.next_word(), recorder.next_word()}
    assert ends == {("extension exit", "first", 3), ("extension exit", "second", 137)}
    sandbox.start_runtime()
    assert recorder.next_word() == ("exit", 0)
    assert (recorder.output, recorder.extension_output) == (b"ran\nh\n", b"first none yes\n")


def test_what_cannot_be_started_is_told(launch: Launch, tmp_path: Path) -> None:
    """Given an extension that is no program and one without the right, when they start, then 127 and 126 are told."""
    layer = extensions_folder(tmp_path, bad="", closed="")
    (tmp_path / "extensions" / "bad").write_text("#!/no/such/interpreter\n")
    (tmp_path / "extensions" / "closed").chmod(0o644)
    sandbox, recorder = launch("exit 0", mounts=[layer])
    sandbox.start_extensions()
    assert {recorder.next_word() for _ in range(2)} == {
        ("extension exit", "bad", 127),
        ("extension exit", "closed", 126),
    }


@pytest.mark.parametrize(
    ("content", "mode", "code"),
    [
        (None, 0, errno.ENOENT),
        ("#!/bin/sh\n", 0o644, errno.EACCES),
        ("echo interpreted\n", 0o755, errno.ENOEXEC),
        ("", 0o755, errno.ENOEXEC),
        ("#!/bin/sh\r\n", 0o755, errno.ENOENT),
        ("\x7fELF\x02 of no machine\x00", 0o755, 126),
    ],
    ids=["missing", "no right", "no format", "empty", "foreign line ends", "other machine"],
)
def test_a_runtime_that_cannot_be_executed_is_told_with_the_reason(
    launch: Launch, any_shell: DockerEngine, tmp_path: Path, content: str | None, mode: int, code: int
) -> None:
    """Given a program that the system refuses, when it is to run, then that is told before its exit, by its name."""
    tmp_path.chmod(0o755)
    if content is not None:
        (tmp_path / "program").write_text(content)
        (tmp_path / "program").chmod(mode)
    sandbox, recorder = launch(command=("/opt/program", "argument"), engine=any_shell, mounts=[Mount(tmp_path, "/opt")])
    sandbox.start_runtime()
    assert recorder.next_word() == ("unfit", "/opt/program", code)
    assert recorder.next_word() == ("exit", code)
    assert b"interpreted" not in recorder.output


def test_a_program_is_looked_for_in_the_path(launch: Launch, any_shell: DockerEngine) -> None:
    """Given a name without a folder, when it runs, then what PATH has is executed; one that it has not is told."""
    found, recorder = launch(command=("printf", "%s", "found"), engine=any_shell)
    found.start_runtime()
    assert recorder.next_word() == ("exit", 0)
    assert recorder.output == b"found"
    missing, recorder = launch(command=("no-such-program",), engine=any_shell)
    missing.start_runtime()
    assert [recorder.next_word(), recorder.next_word()] == [
        ("unfit", "no-such-program", errno.ENOENT),
        ("exit", errno.ENOENT),
    ]


def test_the_runtime_without_a_command_is_a_bootstrap(launch: Launch, any_shell: DockerEngine, tmp_path: Path) -> None:
    """Given no command, when it runs, then the package's bootstrap does, else the layers', and none is told so."""
    mounts = []
    for name in ("task", "opt"):
        (tmp_path / name).mkdir(mode=0o755)
        (tmp_path / name / "bootstrap").write_text(f"#!/bin/sh\necho {name} $#\n")
        (tmp_path / name / "bootstrap").chmod(0o755)
        mounts.append(Mount(tmp_path / name, "/var/task" if name == "task" else "/opt"))
    for mounted, output in ((mounts, b"task 0\n"), (mounts[1:], b"opt 0\n")):
        sandbox, recorder = launch(command=(), engine=any_shell, mounts=mounted)
        sandbox.start_runtime()
        assert recorder.next_word() == ("exit", 0)
        assert recorder.output == output
    sandbox, recorder = launch(command=(), engine=any_shell)
    sandbox.start_runtime()
    assert recorder.next_word() == ("unfit", "", 1)


def test_the_runtime_alone_is_terminated(launch: Launch, any_shell: DockerEngine, tmp_path: Path) -> None:
    """Given a runtime and an extension, when the runtime is terminated, then it may still work, and the other lives."""
    layer = extensions_folder(tmp_path, stays="trap 'touch /tmp/hurt' TERM; echo up; while :; do sleep 0.1; done")
    script = "trap 'echo bye; ls /tmp; exit 9' TERM; echo up; while :; do sleep 0.1; done"
    sandbox, recorder = launch(script, engine=any_shell, mounts=[layer])
    sandbox.terminate_runtime()
    sandbox.start_extensions()
    sandbox.start_runtime()
    recorder.until_output(b"up\n")
    sandbox.terminate_runtime()
    assert recorder.next_word() == ("exit", 9)
    assert recorder.output == b"up\nbye\n"
    sandbox.kill()
    assert recorder.next_word() == ("killed",)


def test_killing_no_runtime_is_answered_too(launch: Launch, any_shell: DockerEngine) -> None:
    """Given a sandbox without a runtime, when it is killed twice, then both are answered."""
    sandbox, recorder = launch("exit 0", engine=any_shell)
    sandbox.kill()
    sandbox.kill()
    assert [recorder.next_word(), recorder.next_word()] == [("killed",), ("killed",)]


def test_the_runtime_cannot_find_the_token(launch: Launch) -> None:
    """Given hostile code, when it looks at the init's arguments and environment, then what it prints forges nothing."""
    script = (
        "tr '\\0' '\\n' < /proc/1/cmdline > /tmp/seen; tr '\\0' '\\n' < /proc/1/environ >> /tmp/seen; "
        "for word in $(grep -oE '[0-9a-f]{16,}' /tmp/seen) 0123456789abcdef0123456789abcdef; do "
        "printf '\\000\\036%s killed\\036\\000' $word; done; exit 5"
    )
    sandbox, recorder = launch(script)
    sandbox.start_runtime()
    assert recorder.next_word() == ("exit", 5)
    assert recorder.output.endswith(b"\x00\x1e0123456789abcdef0123456789abcdef killed\x1e\x00")


def test_a_runtime_out_of_memory_is_killed_and_the_sandbox_lives(launch: Launch) -> None:
    """Given a runtime that takes more than its memory, when it is killed for it, then 137 is told and the peak."""
    sandbox, recorder = launch("python3 -c 'bytearray(200 * 1024 * 1024)'", memory_mb=64)
    sandbox.start_runtime()
    assert recorder.next_word() == ("exit", 137)
    sandbox.mark("after")
    _, mark, peak = recorder.next_word()
    assert mark == "after"
    assert 60 * 1024 * 1024 < peak <= 64 * 1024 * 1024


def test_a_container_ended_from_outside_is_told(launch: Launch, docker_api: docker.APIClient) -> None:
    """Given a sandbox, when somebody else kills its container, then its exit is told once and commands are refused."""
    sandbox, recorder = launch("sleep 1000")
    docker_api.kill(sandbox.id)
    assert recorder.next_word() == ("gone", SandboxExit(137, out_of_memory=False))
    with pytest.raises(EngineError, match="takes no commands"):
        sandbox.start_runtime()


def test_half_a_command_is_the_last_one(launch: Launch, docker_api: docker.APIClient) -> None:
    """Given a container that does not read, when a command breaks off midway, then it is lost and takes no other."""
    sandbox, recorder = launch("sleep 1000")
    docker_api.pause(sandbox.id)
    with pytest.raises(EngineError, match="takes no commands"):
        sandbox.dress("x" * 16 * 1024 * 1024, recorder)
    assert recorder.next_word()[:1] == ("gone",)
    with pytest.raises(EngineError, match="takes no commands"):
        sandbox.start_runtime()
    docker_api.unpause(sandbox.id)
    docker_api.wait(sandbox.id)


def test_destroy_removes_the_container_and_may_be_repeated(launch: Launch, docker_api: docker.APIClient) -> None:
    """Given a running runtime, when its sandbox is destroyed twice, then the container is gone and the exit told."""
    sandbox, recorder = launch("sleep 1000")
    sandbox.start_runtime()
    sandbox.destroy()
    sandbox.destroy()
    assert recorder.next_word()[0] == "gone"
    with pytest.raises(docker.errors.NotFound):
        docker_api.inspect_container(sandbox.id)
    with pytest.raises(EngineError):
        sandbox.mark("late")


def test_sandboxes_start_side_by_side(launch: Launch) -> None:
    """Given eight starts at the same time, when all are done, then each sandbox runs its own script."""
    with ThreadPoolExecutor(8) as threads:
        started = list(threads.map(lambda i: launch(f"echo I am {i}"), range(8)))
    for i, (sandbox, recorder) in enumerate(started):
        sandbox.start_runtime()
        assert recorder.next_word() == ("exit", 0)
        assert recorder.output == f"I am {i}\n".encode()


def test_mounts_are_read_only_and_the_environment_is_given(launch: Launch, tmp_path: Path) -> None:
    """Given a folder with a colon in its name and a variable, when a runtime looks, then it reads and cannot write."""
    code = tmp_path / "co:de"
    code.mkdir()
    (code / "file").write_text("from the host\n")
    sandbox, recorder = launch(
        "pwd; cat file; echo $NOTE; touch new 2>/dev/null || echo read-only",
        mounts=[Mount(code, "/var/task")],
        environment={"NOTE": "a = b"},
    )
    sandbox.start_runtime()
    assert recorder.next_word() == ("exit", 0)
    assert recorder.output == b"/var/task\nfrom the host\na = b\nread-only\n"


def test_a_sandbox_reaches_the_host_by_its_secret_name(launch: Launch, docker_engine: DockerEngine) -> None:
    """Given a listener at the address that the engine names, when a runtime connects by its name, then it arrives."""
    with socket.create_server((docker_engine.runtime_api_host(), 0)) as listener:
        listener.settimeout(30)
        port = listener.getsockname()[1]
        sandbox, recorder = launch(f"exec 3<>/dev/tcp/s3cret-name/{port}; echo hello >&3", runtime_host="s3cret-name")
        sandbox.start_runtime()
        with listener.accept()[0] as connection:
            connection.settimeout(30)
            assert connection.recv(100) == b"hello\n"
        assert recorder.next_word() == ("exit", 0)


@pytest.mark.parametrize("mark", ["", "two words", "line\n", "x" * 257, "ümlaut"])
def test_a_mark_that_would_break_a_line_is_refused(launch: Launch, mark: str) -> None:
    """Given a mark that is no single word, when it is asked for, then it is refused and the sandbox goes on."""
    sandbox, recorder = launch("exit 0")
    with pytest.raises(ValueError, match="visible ASCII"):
        sandbox.mark(mark)
    sandbox.mark("good")
    assert recorder.next_word()[:2] == ("mark", "good")
