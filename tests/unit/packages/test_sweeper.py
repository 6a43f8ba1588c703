"""Unpacked trees that nobody needs: removed, unless somebody holds them at that moment."""

import io
import threading
import time
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from relambda.actors.domain.configuration import Layer
from relambda.actors.domain.version import Code, Version
from relambda.actors.packages.packages import Packages
from relambda.actors.packages.sweeper import TreeSweeper
from relambda.actors.packages.trees import needed_trees


class Disk:
    """Packages below a folder, with the zips that they are unpacked from."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.packages = Packages(root / "packages")

    def unpack(self, text: str) -> str:
        """Unpack a zip of one text; the tree's name."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("text", text)
        name = sha256(content.getvalue()).hexdigest()
        (self.root / name).write_bytes(content.getvalue())
        return self.packages.unpack(name, self.root / name).name

    def comes_to(self, *names: str) -> bool:
        """Look again and again until these trees and no others are there; whether it came to be."""
        until = time.monotonic() + 30
        while self.packages.names() != set(names):
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


@contextmanager
def sweeping(disk: Disk, needs: Callable[[], Collection[str]] = frozenset) -> Iterator[TreeSweeper]:
    """A sweeper that is started, and stopped at the end; versions need nothing unless it is told."""
    sweeper = TreeSweeper(disk.packages, needs, pause_seconds=0.01)
    sweeper.start()
    try:
        yield sweeper
    finally:
        sweeper.stop()


def test_a_start_leaves_what_is_needed_only(disk: Disk) -> None:
    """Given trees of an earlier run, when a sweeper starts, then those that no version needs go; blobs stay."""
    kept, gone = disk.unpack("kept"), disk.unpack("gone")
    with sweeping(disk, lambda: {kept}):
        assert disk.comes_to(kept)
    assert (disk.root / gone).is_file()
    assert disk.packages.unpack(gone, disk.root / gone).joinpath("text").read_text() == "gone"


def test_what_is_held_goes_when_it_is_let_go(disk: Disk) -> None:
    """Given a tree that two hold, when it is doubted, then it stays until both have released it, and goes then."""
    held, _ = disk.unpack("held"), disk.unpack("free")
    first, second = disk.packages.hold([held]), disk.packages.hold([held])
    with sweeping(disk) as sweeper:
        assert disk.comes_to(held)
        first.release()
        first.release()
        sweeper.doubt([disk.unpack("other")])
        assert disk.comes_to(held)
        assert not disk.packages.remove(held)
        second.release()
        assert disk.comes_to()


def test_a_failing_look_does_not_end_the_sweeper(disk: Disk) -> None:
    """Given a look at the versions that fails, when another doubt comes, then the sweeper looks again."""
    first, failed = disk.unpack("first"), threading.Event()

    def failing_once() -> Collection[str]:
        if not failed.is_set():
            failed.set()
            raise KeyError("a defect")
        return ()

    with sweeping(disk, failing_once) as sweeper:
        assert failed.wait(30)
        sweeper.doubt([disk.unpack("second")])
        assert disk.comes_to(first)


def test_holding_and_removing_exclude_each_other(disk: Disk) -> None:
    """Given a thread that unpacks, holds and reads, when another one removes all the time, then each read is whole."""
    name, over = disk.unpack("whole"), threading.Event()

    def remove() -> None:
        while not over.is_set():
            disk.packages.remove(name)

    remover = threading.Thread(target=remove)
    remover.start()
    try:
        for _ in range(200):
            with disk.packages.hold([name]):
                assert disk.packages.unpack(name, disk.root / name).joinpath("text").read_text() == "whole"
    finally:
        over.set()
        remover.join()


def test_trees_of_versions(disk: Disk) -> None:
    """Given versions, then they need their code, their layers and what these are together; folders and images do not.

    What still serves while an update is in progress is needed too.
    """
    one, two = Layer("arn:1", 1, "1" * 64), Layer("arn:2", 1, "2" * 64)
    zips = {name: disk.root / name for name in map(disk.unpack, ("x", "y"))}
    merged = disk.packages.merged(list(zips), zips.__getitem__).name

    def version(code: Code, *layers: Layer, serving: Version | None = None) -> Version:
        return Version("$LATEST", {}, code, "r", 0, layers=layers, serving=serving)

    assert needed_trees([version(Code("a" * 64), one)]) == {"a" * 64, one.sha256}
    assert needed_trees([version(Code(image_uri="image"))]) == set()
    assert needed_trees([version(Code(mount="/folder"), two)]) == {two.sha256}
    before = version(Code("b" * 64))
    assert needed_trees([version(Code("a" * 64), serving=before)]) == {"a" * 64, "b" * 64}
    layers = [Layer(f"arn:{name}", 1, name) for name in zips]
    assert needed_trees([version(Code("a" * 64), *layers)]) == {"a" * 64, *zips, merged}
    hot = Layer("arn:hot", 0, "", "/folder")
    live = disk.packages.live(["/folder", one.sha256], [disk.root / "packages" / next(iter(zips))], []).name
    assert needed_trees([version(Code("a" * 64), hot, one)]) == {"a" * 64, one.sha256, live}
