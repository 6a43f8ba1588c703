"""Looks at folders: every change of code shows, nothing else does."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from relambda.actors.hot_reload.tree import Ignored, look
from relambda.api.settings.settings import Settings

DEFAULT = Ignored(Settings.read({}).hot_reload_ignore)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with some code."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "index.py").write_text("one")
    (tmp_path / "lib" / "deep.py").write_text("one")
    return tmp_path


def _keep_times(folder: Path) -> None:
    """Write other content of the same size, with the modification time that was."""
    was = (folder / "index.py").stat()
    (folder / "index.py").write_text("two")
    os.utime(folder / "index.py", ns=(was.st_atime_ns, was.st_mtime_ns))


def _swap(folder: Path) -> None:
    """As editors save: a new file takes the place of the old one."""
    (folder / "new").write_text("two")
    (folder / "new").replace(folder / "index.py")


CHANGES: list[Callable[[Path], object]] = [
    lambda folder: (folder / "lib" / "deep.py").write_text("two"),
    lambda folder: (folder / "more.py").write_text(""),
    lambda folder: (folder / "lib" / "deep.py").unlink(),
    lambda folder: (folder / "index.py").rename(folder / "main.py"),
    lambda folder: (folder / "index.py").chmod(0o700),
    lambda folder: (folder / "link.py").symlink_to("index.py"),
    _keep_times,
    _swap,
]


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_a_file_shows(folder: Path, change: Callable[[Path], object]) -> None:
    """Given a look, when a file changes in any way, then the next look is another one."""
    before = look(folder, DEFAULT)
    while look(folder, DEFAULT).newest_ns >= _now_of(folder):
        continue  # the clock that stamps files has to move on, as `HotCode.load` sees to
    change(folder)
    assert look(folder, DEFAULT) != before


def _now_of(folder: Path) -> int:
    """The time of the file system's own clock, by a file that does not count."""
    (folder / "probe~").unlink(missing_ok=True)
    (folder / "probe~").touch()
    return (folder / "probe~").stat().st_ctime_ns


@pytest.mark.parametrize(
    "path",
    [
        ".git/index",
        "a/.git/HEAD",
        "node_modules/.cache/x/y.js",
        "lib/__pycache__/deep.cpython-311.pyc",
        ".index.py.swp",
        "index.py~",
        "4913",
        ".#index.py",
        "#index.py#",
        "lib/index.py___jb_tmp___",
    ],
)
def test_what_does_not_count_does_not_show(folder: Path, path: str) -> None:
    """Editors' files, caches and repositories are no code, by default."""
    before = look(folder, DEFAULT)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text("x")
    assert look(folder, DEFAULT) == before
    assert DEFAULT.within(path)


def test_code_beside_it_counts(folder: Path) -> None:
    """A name that only looks like an ignored one is code."""
    for path in ("git/index", "node_modules/cache/x.js", "pycache.py", ".env", "node_modules/a/index.js", "#a/b.py#"):
        assert not DEFAULT.within(path)
    before = look(folder, Ignored([]))
    (folder / ".git").write_text("x")
    assert look(folder, Ignored([])) != before


def test_another_folder_in_its_place_shows(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A build that makes its folder anew leaves containers with the old one, and that can be told."""
    build = tmp_path_factory.mktemp("build") / "out"
    folder.rename(build)
    old = look(build, DEFAULT)
    build.rename(build.with_name("old"))
    build.mkdir()
    assert look(build, DEFAULT).identity != old.identity


def test_a_look_may_be_bounded_and_sees_the_top_first(tmp_path: Path) -> None:
    """Given more files than a look takes in, then those nearest to the top are the ones that show."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    for number in range(30):
        (tmp_path / "a" / "b" / f"{number:02d}").touch()
    (tmp_path / "z.py").write_text("one")
    before, whole = look(tmp_path, DEFAULT, 20), look(tmp_path, DEFAULT)
    (tmp_path / "a" / "b" / "29").write_text("deep and late")
    assert look(tmp_path, DEFAULT, 20) == before
    assert look(tmp_path, DEFAULT) != whole, "a whole look takes in all"
    (tmp_path / "z.py").write_text("two!")
    assert look(tmp_path, DEFAULT, 20) != before


def test_dependencies_do_not_hide_code(tmp_path: Path) -> None:
    """Given more dependencies than a look takes in, then code that lies deeper than they do still shows."""
    (tmp_path / "node_modules" / "a").mkdir(parents=True)
    for number in range(30):
        (tmp_path / "node_modules" / "a" / f"{number:02d}.js").touch()
    (tmp_path / "src" / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "src" / "a" / "b" / "c" / "d.js").write_text("one")
    before = look(tmp_path, DEFAULT, 20)
    (tmp_path / "src" / "a" / "b" / "c" / "d.js").write_text("three")
    assert look(tmp_path, DEFAULT, 20) != before
    (tmp_path / "node_modules" / "a" / "00.js").write_text("a dependency")
    assert look(tmp_path, DEFAULT, 20) != before


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """A missing folder is not an empty one."""
    with pytest.raises(FileNotFoundError):
        look(tmp_path / "gone", DEFAULT)
