"""The watcher, on real folders."""

import queue
import threading
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
import watchfiles

from relambda.actors.hot_reload.watcher import Watcher

SECONDS = 30
Told = queue.Queue[Collection[str]]


@pytest.fixture(params=[False, True], ids=["notified", "polling"])
def watcher(request: pytest.FixtureRequest) -> Iterator[Watcher]:
    """A watcher that the system notifies, and one that polls."""
    made = Watcher(polling=request.param)
    yield made
    made.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watch-")]


def _change_until_told(path: Path, told: Told) -> Collection[str]:
    """Change a file until it is told: nobody says when the watching of a folder has begun."""
    for number in range(SECONDS * 10):
        path.write_text(str(number))
        try:
            if paths := told.get(timeout=0.1):
                return paths
        except queue.Empty:
            continue
    pytest.fail(f"no change of {path} was told")


def test_changes_are_told_by_path_until_nobody_listens(watcher: Watcher, tmp_path: Path) -> None:
    """Given listeners, when a file changes, then all are told; after the last has left, nothing is watched."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.py").touch()
    first, second = Told(), Told()
    leave_first, leave_second = watcher.listen(tmp_path, first.put), watcher.listen(tmp_path, second.put)
    assert str(tmp_path / "lib" / "a.py") in _change_until_told(tmp_path / "lib" / "a.py", first)
    assert any(str(tmp_path / "lib" / "a.py") in second.get(timeout=SECONDS) for _ in range(SECONDS))
    assert watcher.folders() == [tmp_path]
    leave_first()
    leave_first()
    assert watcher.folders() == [tmp_path]
    leave_second()
    assert watcher.folders() == []


def test_folders_are_watched_side_by_side(watcher: Watcher, tmp_path: Path) -> None:
    """Given two folders, when a file changes in one, then only its listener is told."""
    told = {name: Told() for name in ("one", "two")}
    for name, heard in told.items():
        (tmp_path / name).mkdir()
        watcher.listen(tmp_path / name, heard.put)
    _change_until_told(tmp_path / "one" / "a.py", told["one"])
    assert not any(told["two"].queue), "no path of the other folder"
    _change_until_told(tmp_path / "two" / "a.py", told["two"])


def test_a_folder_that_is_not_there_cannot_be_listened_to(watcher: Watcher, tmp_path: Path) -> None:
    """The caller hears of it at once."""
    with pytest.raises(FileNotFoundError):
        watcher.listen(tmp_path / "gone", print)
    assert watcher.folders() == []


def test_a_system_without_notifications_is_polled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a system that refuses to notify, as beyond its limit of watches, then changes are told nevertheless."""
    real = watchfiles.watch

    def refusing(*args: object, force_polling: bool, **given: object) -> Iterator[object]:
        if not force_polling:
            raise OSError("OS file watch limit reached")
        return real(*args, force_polling=force_polling, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(watchfiles, "watch", refusing)
    made, told = Watcher(), Told()
    made.listen(tmp_path, told.put)
    try:
        assert _change_until_told(tmp_path / "a.py", told)
    finally:
        made.stop()
