"""The watcher, on real folders."""

import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import watchfiles

from relambda.actors.hot_reload import watcher as hot_watcher
from relambda.actors.hot_reload.tree import Ignored
from relambda.actors.hot_reload.watcher import Watcher

SECONDS = 30
NOTHING = Ignored([])


class Heard:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.times = queue.Queue[int]()

    def __call__(self) -> None:
        """Heard something."""
        self.times.put(1)

    def any(self, timeout: float) -> bool:
        """Whether something is told within seconds; what was told before is forgotten."""
        try:
            self.times.get(timeout=timeout)
        except queue.Empty:
            return False
        while not self.times.empty():
            self.times.get()
        return True


@pytest.fixture(params=["notified", "by the library", "polling"])
def watcher(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watcher]:
    """A watcher that the system notifies of all, one that it notifies as on macOS, and one that polls."""
    monkeypatch.setattr(hot_watcher, "NOTIFIES", request.param == "notified")
    made = Watcher(Ignored(["*~"]), polling=request.param == "polling")
    yield made
    made.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watch-")]


@pytest.fixture
def notified() -> Iterator[Watcher]:
    """A watcher that the system notifies of all."""
    made = Watcher(NOTHING)
    yield made
    made.stop()


def change_until_told(path: Path, heard: Heard) -> None:
    """Change a file until it is told: nobody says when polling has begun."""
    for number in range(SECONDS * 10):
        path.write_text(str(number))
        if heard.any(0.1):
            return
    pytest.fail(f"no change of {path} was told")


def test_changes_are_told_until_nobody_listens(watcher: Watcher, tmp_path: Path) -> None:
    """Given listeners, when a file changes, then all are told; after the last has left, nothing is watched."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.py").touch()
    first, second = Heard(), Heard()
    one, other = watcher.listen(tmp_path, first), watcher.listen(tmp_path, second)
    change_until_told(tmp_path / "lib" / "a.py", first)
    assert second.any(SECONDS)
    assert watcher.folders() == [tmp_path]
    one.close()
    one.close()
    assert watcher.folders() == [tmp_path]
    change_until_told(tmp_path / "lib" / "a.py", second)
    other.close()
    assert watcher.folders() == []


def test_folders_are_watched_side_by_side(watcher: Watcher, tmp_path: Path) -> None:
    """Given two folders, when a file changes in each in turn, then its listener is told."""
    heard = {name: Heard() for name in ("one", "two")}
    for name, each in heard.items():
        (tmp_path / name).mkdir()
        watcher.listen(tmp_path / name, each)
    for name in ("one", "two", "one"):
        change_until_told(tmp_path / name / "a.py", heard[name])


def test_a_folder_that_is_not_there_cannot_be_listened_to(watcher: Watcher, tmp_path: Path) -> None:
    """The caller hears of it at once."""
    with pytest.raises(FileNotFoundError):
        watcher.listen(tmp_path / "gone", Heard())
    assert watcher.folders() == []


def test_a_folder_can_be_left_and_listened_to_again(watcher: Watcher, tmp_path: Path) -> None:
    """The last listener's end is no end for those who come later."""
    for _ in range(3):
        heard = Heard()
        listener = watcher.listen(tmp_path, heard)
        change_until_told(tmp_path / "a.py", heard)
        listener.close()


def test_changes_are_known_before_they_are_told(notified: Watcher, tmp_path: Path) -> None:
    """Given a listener that asks, then it knows at once, the others are told, and it once at most for one change."""
    asking, other = notified.listen(tmp_path, asked := Heard()), Heard()
    notified.listen(tmp_path, other)
    for number in range(100):
        before = asking.changes()
        (tmp_path / "a.py").write_text(str(number))
        assert before is not None
        assert (asking.changes() or 0) > before
        assert other.any(SECONDS)
    assert asked.any(SECONDS)


def test_one_folder_does_not_wake_the_listeners_of_another(notified: Watcher, tmp_path: Path) -> None:
    """Given two folders, when files change in one, then the listener of the other is not told."""
    heard = {name: Heard() for name in ("one", "two")}
    for name, each in heard.items():
        (tmp_path / name).mkdir()
        notified.listen(tmp_path / name, each)
    for _ in range(10):
        change_until_told(tmp_path / "one" / "a.py", heard["one"])
    assert heard["two"].times.empty()


def test_one_thread_serves_all_folders(notified: Watcher, tmp_path: Path) -> None:
    """Given many folders, then there is one thread."""
    for number in range(20):
        (tmp_path / str(number)).mkdir()
        notified.listen(tmp_path / str(number), Heard())
    assert len([thread for thread in threading.enumerate() if thread.name.startswith("watch-")]) == 1


def test_a_listener_that_fails_does_not_stop_the_others(notified: Watcher, tmp_path: Path) -> None:
    """Given one that raises, then all others hear on."""

    def fail() -> None:
        raise RuntimeError("a listener's own defect")

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    notified.listen(tmp_path / "one", fail)
    notified.listen(tmp_path / "one", beside := Heard())
    notified.listen(tmp_path / "two", elsewhere := Heard())
    for _ in range(3):
        change_until_told(tmp_path / "one" / "a.py", beside)
        change_until_told(tmp_path / "two" / "a.py", elsewhere)


LIMITED = """
import logging, sys, threading
from pathlib import Path
from relambda.actors.hot_reload.tree import Ignored
from relambda.actors.hot_reload.watcher import Watcher
logging.basicConfig()
root, limit = Path(sys.argv[1]), Path("/proc/sys/user/" + sys.argv[2])
limit.write_text(sys.argv[3])
watcher, heard = Watcher(Ignored([])), threading.Event()
listener = watcher.listen(root, heard.set)
print("at first", listener.changes())
for number in range(9):
    (root / str(number)).mkdir()
print("then", listener.changes())
for number in range(300):
    (root / "8" / "a.py").write_text(str(number))
    if heard.wait(0.1):
        break
print("heard", heard.is_set())
watcher.stop()
"""


@pytest.mark.parametrize(
    ("limit", "most", "first"),
    [
        ("max_inotify_watches", "0", "None"),
        ("max_inotify_watches", "5", "0"),
        ("max_inotify_instances", "0", "None"),
    ],
)
def test_beyond_the_systems_limits_nothing_is_taken_for_known(
    tmp_path: Path, limit: str, most: str, first: str
) -> None:
    """Given limits that are reached at once or later, then that is logged with the limit, and the folder polled."""
    ran = subprocess.run(
        ["unshare", "--user", "--map-root-user", sys.executable, "-P", "-c", LIMITED, tmp_path, limit, most],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert ran.stdout.splitlines() == [f"at first {first}", "then None", "heard True"]
    assert ran.stderr.count(str(tmp_path)) == 1
    assert limit.replace("inotify", "user") in ran.stderr


def test_a_system_without_notifications_is_polled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a system that refuses the library to notify, then changes are told nevertheless."""

    def refusing(*args: object, **given: object) -> Iterator[object]:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr(watchfiles, "watch", refusing)
    monkeypatch.setattr(hot_watcher, "NOTIFIES", False)
    made, heard = Watcher(NOTHING), Heard()
    made.listen(tmp_path, heard)
    try:
        change_until_told(tmp_path / "a.py", heard)
    finally:
        made.stop()


def test_after_the_stop_nothing_is_known(watcher: Watcher, tmp_path: Path) -> None:
    """Who asks or comes late gets no count, and no thread is started for it."""
    early = watcher.listen(tmp_path, Heard())
    watcher.stop()
    late = watcher.listen(tmp_path, Heard())
    assert (early.changes(), late.changes()) == (None, None)
