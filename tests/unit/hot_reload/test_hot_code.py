"""The code of an environment that is a folder: it is outdated as soon as a change is saved, wherever in the folder."""

import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from relambda.actors.hot_reload import watcher as hot_watcher
from relambda.actors.hot_reload.folder import Roots
from relambda.actors.hot_reload.hot_reload import HotCode, HotReload
from relambda.actors.hot_reload.tree import NEAR, Ignored
from relambda.actors.hot_reload.watcher import Watcher

SECONDS = 30


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder with more files than a look at the nearest takes in, and one that lies behind them."""
    (tmp_path / "code" / "a").mkdir(parents=True)
    (tmp_path / "code" / "z" / "deep").mkdir(parents=True)
    for number in range(NEAR + 1):
        (tmp_path / "code" / "a" / f"{number}.py").touch()
    (tmp_path / "code" / "z" / "deep" / "index.py").touch()
    return tmp_path / "code"


@pytest.fixture(params=["notified", "by the library", "polling"])
def hot_reload(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HotReload]:
    """Hot reload where the system notifies of all changes, as it does on macOS, and where it is polled."""
    monkeypatch.setattr(hot_watcher, "NOTIFIES", request.param == "notified")
    ignored = Ignored(["*~"])
    made = HotReload(Roots([tmp_path]), ignored, Watcher(ignored, polling=request.param == "polling"), print)
    yield made
    made.stop()


@pytest.fixture
def noticed() -> queue.Queue[None]:
    """What an environment of the test notices."""
    return queue.Queue()


@pytest.fixture
def hot_code(hot_reload: HotReload, code: Path, noticed: queue.Queue[None]) -> Iterator[HotCode]:
    """What such an environment has loaded."""
    made = HotCode([str(code)], hot_reload, lambda: None, lambda: noticed.put(None))
    made.load()
    yield made
    made.close()


EDITS: list[Callable[[Path], object]] = [
    lambda code: (code / "z" / "deep" / "index.py").write_text("two"),
    lambda code: (code / "z" / "deep" / "index.py").write_text("2"),
    lambda code: (code / "z" / "deep" / "more.py").touch(),
    lambda code: (code / "z" / "deep" / "more.py").rename(code / "z" / "deep" / "index.py"),
    lambda code: (code / "z").rename(code / "y"),
    lambda code: (code / "y" / "deep" / "index.py").chmod(0o600),
    lambda code: (code / "y" / "deep" / "index.py").unlink(),
]


def test_it_is_outdated_as_soon_as_a_change_is_saved(hot_code: HotCode, code: Path) -> None:
    """Given edits behind more files than the nearest, each seen at once, then a load makes it up to date again."""
    for edit in EDITS:
        assert not hot_code.outdated()
        edit(code)
        assert hot_code.outdated()
        assert not hot_code.replaced()
        hot_code.load()
    (code / "y" / "deep" / "index.py~").touch()
    assert not hot_code.outdated()


def test_a_change_is_noticed(hot_code: HotCode, code: Path, noticed: queue.Queue[None]) -> None:
    """Given nobody who asks, when a file is saved, then its environment hears of it, each time."""
    for number in range(5):
        (code / "z" / "deep" / "index.py").write_text(str(number))
        noticed.get(timeout=SECONDS)
        hot_code.load()
        while not noticed.empty():
            noticed.get()


def test_another_folder_in_its_place_is_told_apart(hot_code: HotCode, code: Path) -> None:
    """A folder that is made anew, or is gone, cannot be reloaded in a container that has the old one mounted."""
    kept = code.rename(code.with_name("kept"))
    assert hot_code.outdated()
    assert hot_code.replaced()
    kept.rename(code)
    hot_code.load()
    assert not hot_code.outdated()
    assert not hot_code.replaced()
    code.rename(kept)
    code.mkdir()
    assert hot_code.outdated()
    assert hot_code.replaced()


def test_a_folder_that_is_not_there_is_outdated(hot_reload: HotReload, tmp_path: Path) -> None:
    """The next container's start has to tell why."""
    made = HotCode([str(tmp_path / "gone")], hot_reload, lambda: None, lambda: None)
    made.load()
    assert made.outdated()
    assert made.replaced()
    made.close()


def test_several_folders_are_one_code(hot_reload: HotReload, code: Path, tmp_path: Path) -> None:
    """Given a folder of code and one of a layer, then a change in either outdates those that use it, and no other."""
    layer = tmp_path / "layer"
    layer.mkdir()
    both = HotCode([str(code), str(layer)], hot_reload, lambda: None, lambda: None)
    alone = HotCode([str(code)], hot_reload, lambda: None, lambda: None)
    for each in (both, alone):
        each.load()
    (layer / "shared.py").write_text("one")
    assert (both.outdated(), alone.outdated()) == (True, False)
    both.load()
    (code / "z" / "deep" / "index.py").write_text("two")
    assert (both.outdated(), alone.outdated()) == (True, True)
    both.close()
    alone.close()
