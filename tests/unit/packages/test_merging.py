"""Merged packages: several layers as one folder, the later ones on top, made once."""

import io
import zipfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relambda.actors.packages.merging import merge_into
from relambda.actors.packages.packages import PackageError, Packages
from relambda.actors.packages.size import unzipped_size

Store: TypeAlias = Callable[[Mapping[str, str]], str]
LINK = 0o120777 << 16


def zipped(files: Mapping[str, str]) -> bytes:
    """A zip of texts by name; a text behind `->` is the target of a symbolic link."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = LINK if text.startswith("->") else 0o100644 << 16
            archive.writestr(info, text.removeprefix("->"))
    return content.getvalue()


@pytest.fixture
def put(tmp_path: Path) -> Store:
    """Stores a zip of texts as blobs are stored, and answers its name."""

    def storing(files: Mapping[str, str]) -> str:
        data = zipped(files)
        name = sha256(data).hexdigest()
        (tmp_path / name).write_bytes(data)
        return name

    return storing


def texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_later_one_lies_on_top(tmp_path: Path, put: Store) -> None:
    """Given two layers with a file in common, when merged, then all files are there, the common one the later's."""
    packages = Packages(tmp_path / "packages")
    names = [put({"a/x": "first", "a/y": "first"}), put({"a/x": "second", "b/z": "second"})]
    merged = packages.merged(names, lambda name: tmp_path / name)
    assert texts(merged) == {"a/x": "second", "a/y": "first", "b/z": "second"}
    assert texts(packages.merged(names[::-1], lambda name: tmp_path / name))["a/x"] == "first"
    assert texts(packages.unpack(names[0], tmp_path / names[0])) == {"a/x": "first", "a/y": "first"}


def test_made_once_and_without_content_of_its_own(tmp_path: Path, put: Store) -> None:
    """Given a merged folder, when asked for again, then it is the same; its files are the packages' own."""
    packages = Packages(tmp_path / "packages")
    names = [put({"a": "1"}), put({"b": "2"})]
    merged = packages.merged(names, lambda name: tmp_path / name)
    before = merged.stat().st_ino
    assert packages.merged(names, lambda _: tmp_path / "not asked for") == merged
    assert merged.stat().st_ino == before
    assert merged.joinpath("a").samefile(packages.unpack(names[0], tmp_path / names[0]) / "a")


def test_no_link_is_written_through(tmp_path: Path, put: Store) -> None:
    """Given a link where a later layer has a folder, when merged, then the folder takes its place."""
    packages = Packages(tmp_path / "packages")
    names = [put({"real/kept": "kept", "way": "->real"}), put({"way/new": "new"})]
    merged = packages.merged(names, lambda name: tmp_path / name)
    assert texts(merged) == {"real/kept": "kept", "way/new": "new"}
    assert not (merged / "way").is_symlink()
    back = packages.merged(names[::-1], lambda name: tmp_path / name)
    assert (back / "way").is_symlink()


def test_files_and_folders_replace_each_other(tmp_path: Path, put: Store) -> None:
    """Given a file where the other layer has a folder, when merged, then the later one's kind counts."""
    packages = Packages(tmp_path / "packages")
    names = [put({"it/inside": "folder"}), put({"it": "file"})]
    assert texts(packages.merged(names, lambda name: tmp_path / name)) == {"it": "file"}
    assert texts(packages.merged(names[::-1], lambda name: tmp_path / name)) == {"it/inside": "folder"}


def test_a_broken_layer_leaves_nothing(tmp_path: Path, put: Store) -> None:
    """Given a layer whose zip is damaged, when merged, then it is refused and no folder is left of it."""
    packages = Packages(tmp_path / "packages")
    good, bad = put({"a": "1"}), "00" * 32
    (tmp_path / bad).write_bytes(b"no zip")
    with pytest.raises(PackageError):
        packages.merged([good, bad], lambda name: tmp_path / name)
    assert [path.name for path in (tmp_path / "packages").iterdir()] == [good]


def test_the_unzipped_size(tmp_path: Path, put: Store) -> None:
    """Given a zip, then its unzipped size is that of all texts in it."""
    assert unzipped_size(tmp_path / put({"a": "12345", "b/c": "678"})) == 8


FILES = st.dictionaries(st.sampled_from(["a", "b", "c/d", "c/e", "f/g/h"]), st.text("xyz", max_size=3), min_size=1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layers=st.lists(FILES, min_size=1, max_size=4))
def test_merging_is_laying_over(layers: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Given any trees, when merged, then the result is that of updating a mapping with each in turn."""
    root = tmp_path_factory.mktemp("trees")
    expected: dict[str, str] = {}
    for number, files in enumerate(layers):
        for name, text in files.items():
            path = root / str(number) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        expected.update(files)
    target = root / "merged"
    target.mkdir()
    merge_into(target, [root / str(number) for number in range(len(layers))])
    assert texts(target) == expected


def test_a_live_folder_follows_the_folders_it_is_merged_of(tmp_path: Path) -> None:
    """Given merged folders of which one changes, when asked again, then the same folder holds what they hold now.

    What did not change is not touched, and the user's own files are never shared.
    """
    still, changing = tmp_path / "still", tmp_path / "changing"
    for folder in (still, changing):
        folder.mkdir()
    (still / "a").write_text("still")
    (still / "both").write_text("still")
    (changing / "both").write_text("one")
    (changing / "gone").write_text("one")
    (changing / "link").symlink_to("both")
    packages = Packages(tmp_path / "packages")
    live = packages.live(["still", "changing"], [still, changing], [changing])
    assert {path.name: path.read_text() for path in live.iterdir()} == {
        "a": "still",
        "both": "one",
        "gone": "one",
        "link": "one",
    }
    untouched = (live / "a").stat().st_ino
    (changing / "both").write_text("two")
    (changing / "gone").unlink()
    (changing / "gone").mkdir()
    (changing / "gone" / "new").write_text("two")
    (changing / "link").unlink()
    assert packages.live(["still", "changing"], [still, changing], [changing]) == live
    assert {path.name for path in live.iterdir()} == {"a", "both", "gone"}
    assert ((live / "both").read_text(), (live / "gone" / "new").read_text()) == ("two", "two")
    assert (live / "a").stat().st_ino == untouched
    assert (changing / "both").stat().st_nlink == 1
    (changing / "gone" / "new").unlink()
    (changing / "gone").rmdir()
    (changing / "gone").write_text("a file again")
    assert (packages.live(["still", "changing"], [still, changing], [changing]) / "gone").read_text() == "a file again"
