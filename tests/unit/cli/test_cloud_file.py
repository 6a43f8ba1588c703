import os
import subprocess
import sys
from pathlib import Path

import pytest

from relambda.api.cloud_file import NAME, CloudFile, Process, url_of
from relambda.api.settings.option import Listen


def cloud(master: Process) -> CloudFile:
    return CloudFile(master, master, "http://127.0.0.1:4566", "0.1.0", "2026-01-01T00:00:00.000+00:00")


def test_it_reads_as_it_was_written(tmp_path: Path) -> None:
    """And a cloud whose process lives is a running one."""
    written = cloud(Process.of(os.getpid()))
    written.write(tmp_path)
    assert CloudFile.read(tmp_path) == CloudFile.running(tmp_path) == written
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_process_that_took_over_the_number_is_not_the_cloud(tmp_path: Path) -> None:
    """After a reboot the number may be anybody's."""
    cloud(Process(os.getpid(), "1")).write(tmp_path)
    assert CloudFile.running(tmp_path) is None


def test_a_process_that_ended_is_not_alive_even_before_it_is_waited_for() -> None:
    """A zombie serves nobody."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        process = Process.of(child.pid)
        lived = process.alive()
        assert child.stdin
        assert child.stdout
        child.stdin.close()
        child.stdout.read()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert (lived, process.alive()) == (True, False)
        child.stdin = None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pid": 1}'])
def test_a_damaged_file_is_no_cloud(tmp_path: Path, text: str) -> None:
    """It is a note and not state: the next start writes it anew."""
    (tmp_path / NAME).write_text(text)
    assert CloudFile.read(tmp_path) is None


def test_only_its_own_cloud_takes_it_away(tmp_path: Path) -> None:
    """A cloud that stops late does not remove its successor's."""
    cloud(Process.of(os.getpid())).write(tmp_path)
    CloudFile.remove(tmp_path, os.getpid() + 1)
    kept = CloudFile.read(tmp_path)
    CloudFile.remove(tmp_path, os.getpid())
    assert kept is not None
    assert CloudFile.read(tmp_path) is None


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        (Listen("0.0.0.0", 80), "http://127.0.0.1:80"),
        (Listen("::", 80), "http://[::1]:80"),
        (Listen("127.0.0.1", 4566), "http://127.0.0.1:4566"),
    ],
)
def test_a_url_leads_to_where_it_listens(listen: Listen, url: str) -> None:
    """An address for every interface is reached by loopback."""
    assert url_of(listen) == url
