"""The notifier, on real folders: every change of code shows at once, nothing else does."""

import mmap
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.hot_reload.notifier import Notifier
from relambda.actors.hot_reload.tree import Ignored
from relambda.api.settings.settings import Settings

DEFAULT = Ignored(Settings.read({}).hot_reload_ignore)
FOLDERS = ["", "a", "a/b", "a/b/c", "d", "d/node_modules", "a/.git", "d/node_modules/.cache", ".git/a"]
NAMES = ["index.py", "b", "c", "e", ".git", ".cache", "node_modules", "index.py~", "4913"]
PLACES = st.builds(
    lambda folder, name: f"{folder}/{name}".lstrip("/"), st.sampled_from(FOLDERS), st.sampled_from(NAMES)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with some code."""
    (tmp_path / "code" / "lib").mkdir(parents=True)
    (tmp_path / "code" / "index.py").write_text("one")
    (tmp_path / "code" / "lib" / "deep.py").write_text("one")
    return tmp_path / "code"


@pytest.fixture
def notifier(folder: Path) -> Iterator[Notifier]:
    """A notifier of that folder."""
    made = Notifier(folder, DEFAULT)
    yield made
    made.close()


def blocked(root: Path, place: str) -> bool:
    """Whether a file is where a folder would have to be."""
    return any((root / above).is_file() for above in Path(place).parents)


def make_folder(root: Path, place: str, _other: str) -> bool:
    """A folder, empty, and those that are missing above it."""
    if blocked(root, place) or (root / place).exists():
        return False
    missing = [each for each in (Path(place), *Path(place).parents) if not (root / each).exists()]
    (root / place).mkdir(parents=True)
    return any(not DEFAULT.within(str(each)) for each in missing)


def write(root: Path, place: str, other: str) -> bool:
    """As the shell appends, with the folders that are missing."""
    if blocked(root, place) or (root / place).is_dir():
        return False
    made = make_folder(root, str(Path(place).parent), other)
    with (root / place).open("a") as file:
        file.write("x")
    return made or not DEFAULT.within(place)


def move(root: Path, place: str, other: str) -> bool:
    """A file or a whole folder to another name or folder, over what may be there."""
    if not (root / place).exists() or not (root / other).parent.is_dir():
        return False
    try:
        (root / place).rename(root / other)
    except OSError:
        return False
    return place != other and not (DEFAULT.within(place) and DEFAULT.within(other))


def remove(root: Path, place: str, _other: str) -> bool:
    """A file, or a folder with all that is in it."""
    if (root / place).is_dir():
        shutil.rmtree(root / place)
    elif (root / place).exists():
        (root / place).unlink()
    else:
        return False
    return not DEFAULT.within(place)


def change_rights(root: Path, place: str, _other: str) -> bool:
    """Of a file."""
    if not (root / place).is_file():
        return False
    (root / place).chmod((root / place).stat().st_mode ^ 0o100)
    return not DEFAULT.within(place)


def read(root: Path, place: str, other: str) -> bool:
    """All there is, and what is beside the folder changes."""
    for each in root.rglob("*"):
        if each.is_file():
            each.read_bytes()
    (root.parent / "beside").write_text(place + other)
    return False


ACTIONS: list[Callable[[Path, str, str], bool]] = [write, make_folder, move, remove, change_rights, read]
STEPS = st.lists(st.tuples(st.sampled_from([*ACTIONS, write, move]), PLACES, PLACES, st.booleans()), max_size=40)


@given(STEPS)
def test_whatever_is_done_shows_at_once(steps: list[tuple[Callable[[Path, str, str], bool], str, str, bool]]) -> None:
    """Given any edits, when the changes are counted after some, then there are more exactly if code changed."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "code"
        root.mkdir()
        notifier = Notifier(root, DEFAULT)
        try:
            counted, relevant = notifier.changes(), False
            for act, place, other, ask in steps:
                relevant |= act(root, place, other)
                if ask:
                    assert (notifier.changes() != counted) == relevant, (act.__name__, place, other)
                    assert (counted := notifier.changes()) == notifier.changes()
                    relevant = False
            assert_all_is_seen(notifier, root)
        finally:
            notifier.close()


def assert_all_is_seen(notifier: Notifier, root: Path) -> None:
    """A new file in each folder that there is shows, but in what is ignored."""
    for each in [root, *(found for found in root.rglob("*") if found.is_dir())]:
        before = notifier.changes()
        (each / "probe.py").touch()
        (each / "probe.py").unlink()
        assert (notifier.changes() != before) is not DEFAULT.within(str((each / "probe.py").relative_to(root))), each


def test_a_tree_that_is_made_meanwhile_is_seen(tmp_path: Path) -> None:
    """Given folders that appear while the watching begins and goes on, then all of them are watched in the end."""
    began, most = threading.Event(), 60

    def build() -> None:
        for number in range(most):
            (tmp_path / f"p{number}" / "a" / "b" / "c").mkdir(parents=True)
            (tmp_path / f"p{number}").rename(tmp_path / f"q{number}")
            if number == most // 3:
                began.set()

    builder = threading.Thread(target=build)
    builder.start()
    assert began.wait(60)
    notifier = Notifier(tmp_path, DEFAULT)
    try:
        while builder.is_alive():
            notifier.changes()
        builder.join()
        assert_all_is_seen(notifier, tmp_path)
    finally:
        notifier.close()


def test_lost_events_are_a_change_and_the_tree_is_watched_anew(folder: Path, notifier: Notifier) -> None:
    """Given more events than the system's queue holds, then nothing is missed afterwards, what was moved neither."""
    before = notifier.changes()
    for _ in range(int(Path("/proc/sys/fs/inotify/max_queued_events").read_text()) // 2 + 1):
        os.utime(folder / "index.py")
        os.utime(folder / "lib" / "deep.py")
    (folder / "lib").rename(folder.parent / "gone")
    (folder / "new" / "deep").mkdir(parents=True)
    counted = notifier.changes()
    assert counted > before
    assert_all_is_seen(notifier, folder)
    counted = notifier.changes()
    (folder.parent / "gone" / "deep.py").write_text("no code any more")
    assert notifier.changes() == counted


def test_links_are_not_followed(folder: Path, notifier: Notifier) -> None:
    """Given a link to a folder outside, then it is a change itself, and what is behind it is none."""
    (folder.parent / "outside").mkdir()
    before = notifier.changes()
    (folder / "link").symlink_to(folder.parent / "outside")
    assert (counted := notifier.changes()) > before
    (folder.parent / "outside" / "file").write_text("no code")
    assert notifier.changes() == counted


def test_a_folder_that_is_moved_is_still_watched(folder: Path, notifier: Notifier) -> None:
    """Given the folder, or one above it, under another name, then what appears in it is watched by then."""
    folder.parent.joinpath("other").mkdir()
    moved = folder.rename(folder.parent / "other" / "name")
    folder.mkdir()
    (moved / "new" / "deep").mkdir(parents=True)
    notifier.changes()
    assert_all_is_seen(notifier, moved)
    before = notifier.changes()
    (folder / "index.py").write_text("another folder's")
    assert notifier.changes() == before


def test_mapped_memory_shows_when_the_file_is_closed(folder: Path, notifier: Notifier) -> None:
    """As linkers write: through memory, which the system tells of by the file's end alone."""
    with (folder / "index.py").open("r+b") as file, mmap.mmap(file.fileno(), 3) as mapped:
        before = notifier.changes()
        mapped[:3] = b"two"
    assert notifier.changes() > before


CLOSED = """
import sys
from pathlib import Path
from relambda.actors.hot_reload.notifier import Notifier
from relambda.actors.hot_reload.tree import Ignored
root = Path(sys.argv[1])
deep = root / "lib" / "a" / "b"
deep.mkdir(parents=True)
for rights in (0o000, 0o600):
    (root / "lib").chmod(rights)
    notifier = Notifier(root, Ignored([]))
    before = notifier.changes()
    (root / "lib").chmod(0o755)
    assert (opened := notifier.changes()) > before, "to open it is a change"
    (deep / "index.py").touch()
    assert notifier.changes() > opened, "what is in it is watched from then on"
    notifier.close()
"""


def test_a_closed_folder_is_watched_when_it_is_opened(folder: Path) -> None:
    """Given a folder below that the cloud may not read, or not enter, then nothing fails, and opening it shows."""
    ordinary = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    subprocess.run([*ordinary, sys.executable, "-P", "-c", CLOSED, folder], check=True, timeout=120)


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    """Nothing is left open by it."""
    before = len(os.listdir("/proc/self/fd"))
    for path in (tmp_path / "gone", Path(__file__)):
        with pytest.raises(OSError, match=r"No such file|Not a directory"):
            Notifier(path, DEFAULT)
    assert len(os.listdir("/proc/self/fd")) == before
