"""Deployment packages: what is refused and in which words, and what is unpacked how."""

import errno
import hashlib
import io
import os
import stat
import struct
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relambda.actors.packages.packages import PackageError, PackageInfo, Packages, inspect_zip

LIMIT = 262_144_000
UNREADABLE = "Could not unzip uploaded file. Please check your file, then try to upload again."
SHA = "a" * 64

Content = dict[str, bytes]
segments = st.text(st.characters(exclude_characters="/\\\0:", exclude_categories=["Cs"]), min_size=1, max_size=12)
paths = st.lists(segments.filter(lambda part: part not in {".", ".."}), min_size=1, max_size=4).map("/".join)


def zipped(content: Content, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(entry(name), data, method)
    return buffer.getvalue()


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    """One that keeps its name as it is, and was made on Unix."""
    info = zipfile.ZipInfo("placeholder", (2024, 2, 29, 12, 30, 58))
    info.filename, info.create_system, info.external_attr = name, 3, mode << 16
    return info


def with_entries(*entries: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for info, data in entries:
            archive.writestr(info, data)
    return buffer.getvalue()


def link(name: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    return entry(name, stat.S_IFLNK | 0o777), target.encode()


def unpacked(root: Path, data: bytes) -> Path:
    zip_path = root / "package.zip"
    zip_path.write_bytes(data)
    return Packages(root / "packages").unpack(hashlib.sha256(data).hexdigest(), zip_path)


def files_below(folder: Path) -> Content:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(data: bytes) -> PackageError:
    """The refusal, which unpacking gives as inspecting does, and which leaves nothing behind."""
    with pytest.raises(PackageError) as inspecting:
        inspect_zip(data, LIMIT)
    with TemporaryDirectory() as name:
        root = Path(name)
        with pytest.raises(PackageError, match="^" + str(inspecting.value)[:20]):
            unpacked(root, data)
        assert sorted(os.listdir(root)) == ["package.zip", "packages"]
        assert not os.listdir(root / "packages")
    return inspecting.value


def set_directory_field(data: bytes, offset: int, form: str, value: int) -> bytes:
    """The zip with one field of its first directory header changed."""
    changed = bytearray(data)
    struct.pack_into(form, changed, data.index(b"PK\1\2") + offset, value)
    return bytes(changed)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(paths, st.binary(max_size=3000), min_size=1, max_size=8), st.sampled_from([0, 8]))
def test_what_was_zipped_is_unpacked(content: Content, method: int) -> None:
    """Given any files, when their zip is unpacked, then they are there again, and the sizes were told before."""
    assume(not any(other.startswith(f"{name}/") for name in content for other in content))
    data = zipped(content, method)
    with TemporaryDirectory() as root:
        assert files_below(unpacked(Path(root), data)) == content
    assert inspect_zip(data, LIMIT) == PackageInfo(len(data), sum(map(len, content.values())), len(content))


@settings(deadline=None, max_examples=150)
@given(st.lists(st.text(st.sampled_from("./\\ab:C\0é"), min_size=1, max_size=10), min_size=1, max_size=4))
def test_no_name_leads_out_of_the_package(names: list[str]) -> None:
    """Given any names, when they are unpacked, then they are refused, or all is below the folder."""
    data = with_entries(*[(entry(name), b"x") for name in dict.fromkeys(names)])
    with TemporaryDirectory() as name:
        root = Path(name)
        try:
            folder = unpacked(root, data)
        except PackageError:
            assert not os.listdir(root / "packages")
        else:
            assert folder.is_dir()
        assert sorted(os.listdir(root)) == ["package.zip", "packages"]
        assert len(os.listdir(root / "packages")) <= 1


steps = st.text(st.sampled_from("./ab"), min_size=1, max_size=8)
relative = steps.filter(lambda target: not target.startswith("/"))


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(steps, relative, min_size=1, max_size=4))
def test_no_link_leads_out_of_the_package(links: dict[str, str]) -> None:
    """Given any relative links, when they are unpacked, then they point below the folder, or are refused."""
    data = with_entries((entry("a/a/b/b"), b"x"), *[link(*pair) for pair in links.items()])
    with TemporaryDirectory() as name:
        root = Path(name).resolve()
        try:
            folder = unpacked(root, data)
        except PackageError:
            return
        for path in folder.rglob("*"):
            real = path if leads_nowhere(path) else path.resolve()
            assert real == folder or folder in real.parents


def leads_nowhere(path: Path) -> bool:
    """Whether the kernel gives up on it, as on links in a circle."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damage_is_refused_and_nothing_else_happens(data: st.DataObject) -> None:
    """Given a zip with changed or missing bytes, when it is inspected, then it is refused or read, never more."""
    good = bytearray(zipped({"a/one": b"1" * 500, "two": bytes(range(256)) * 4}))
    for position, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(good) - 1), st.integers(0, 255)), max_size=4), "changes"
    ):
        good[position] = value
    damaged = bytes(good[: data.draw(st.integers(0, len(good)), "length")])
    try:
        info = inspect_zip(damaged, LIMIT)
    except PackageError:
        return
    assert info.size == len(damaged)


@pytest.mark.parametrize("data", [b"no zip at all", b"PK\3\4", b"PK\5\6" + b"\0" * 17])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    """Given other bytes, when they are inspected, then AWS's words for it are said."""
    error = refused(data)
    assert (str(error), error.code) == (UNREADABLE, "InvalidParameterValueException")


@pytest.mark.parametrize("data", [b"", b"PK\5\6" + b"\0" * 18])
def test_an_empty_zip_is_refused(data: bytes) -> None:
    """Given a zip of nothing, when it is inspected, then it is told so."""
    assert str(refused(data)) == "Uploaded file must be a non-empty zip"


def test_too_large_a_content_is_refused() -> None:
    """Given a limit, when a zip's content reaches it, then it is refused with the limit; one byte less is taken."""
    data = zipped({"a": b"x" * 600, "b": b"x" * 400})
    with pytest.raises(PackageError, match=r"^Unzipped size must be smaller than 1000 bytes$"):
        inspect_zip(data, 1000)
    assert inspect_zip(data, 1001).unzipped_size == 1000


def test_a_zip_file_is_inspected_where_it_is(tmp_path: Path) -> None:
    """Given a zip on disk, when its path is given, then the answer is the same as for its bytes."""
    data = zipped({"a": b"x"})
    (tmp_path / "a.zip").write_bytes(data)
    assert inspect_zip(tmp_path / "a.zip", LIMIT) == inspect_zip(data, LIMIT)


@pytest.mark.parametrize("told", [0, 10, 99_999, 100_001])
def test_a_size_that_lies_is_refused(told: int) -> None:
    """Given a bomb that calls itself small, or a file smaller than it says, when it is read, then it is refused."""
    data = set_directory_field(zipped({"bomb": b"\0" * 100_000}), 24, "<L", told)
    assert "is damaged" in refused(data).reason


def test_a_wrong_checksum_is_refused() -> None:
    """Given an entry whose content is not the one that was zipped, when it is read, then it is refused."""
    assert "CRC" in refused(set_directory_field(zipped({"a": b"x"}), 16, "<L", 1)).reason


def test_entries_that_overlap_are_refused() -> None:
    """Given entries that share their content, when they are inspected, then they are refused before any is read."""
    data = zipped({"a": os.urandom(3000), "b": b""})
    assert "overlap" in refused(set_directory_field(data, 20, "<L", 9_000)).reason


@pytest.mark.parametrize(("offset", "form", "value"), [(8, "<H", 1), (8, "<H", 0x2000), (10, "<H", 12), (10, "<H", 99)])
def test_encryption_and_other_compressions_are_refused(offset: int, form: str, value: int) -> None:
    """Given an encrypted entry, or one that is not deflated, when it is inspected, then it is refused."""
    assert "encrypted" in refused(set_directory_field(zipped({"a": b"x"}), offset, form, value)).reason


@pytest.mark.parametrize(
    "names",
    [
        ["../a"],
        ["a/../../b"],
        ["a/../b"],
        ["/etc/passwd"],
        ["\\etc\\passwd"],
        ["..\\a"],
        ["C:\\a"],
        ["C:/a"],
        ["a", "./a"],
        ["a", "a//."],
        ["a", "a/b"],
        ["a/b", "a"],
        ["."],
        ["x" * 256],
        ["/".join("x" * 200 for _ in range(6))],
        ["/".join("x" * 129)],
    ],
)
def test_hostile_names_are_refused(names: list[str]) -> None:
    """Given names that lead out, clash, or fit no file system, when they are inspected, then they are refused."""
    assert str(refused(with_entries(*[(entry(name), b"") for name in names]))) == UNREADABLE


@pytest.mark.parametrize(
    "links",
    [
        [link("l", "..")],
        [link("a/l", "../..")],
        [link("d/up", ".."), link("out", "d/up/..")],
        [link("l", "")],
        [link("l", "x" * 5000)],
        [link("l", "a"), (entry("l/file"), b"x")],
        [(entry("fifo", stat.S_IFIFO | 0o644), b"")],
        [(entry("device", stat.S_IFCHR | 0o644), b"")],
    ],
)
def test_hostile_links_and_devices_are_refused(links: list[tuple[zipfile.ZipInfo, bytes]]) -> None:
    """Given a link out of the package, one to write through, or a device, when it is inspected, then it is refused."""
    assert str(refused(with_entries(*links))) == UNREADABLE


def test_links_within_the_package_are_kept(tmp_path: Path) -> None:
    """Given links as npm makes them, when they are unpacked, then they lead to their files."""
    data = with_entries(link("bin/tool", "../lib/tool.js"), link("self", "lib"), (entry("lib/tool.js"), b"js"))
    folder = unpacked(tmp_path, data)
    assert os.readlink(folder / "bin/tool") == "../lib/tool.js"
    assert (folder / "bin/tool").read_bytes() == (folder / "self/tool.js").read_bytes() == b"js"


def test_links_to_places_in_the_container_are_kept(tmp_path: Path) -> None:
    """Given an absolute link, when it is unpacked with a file beside it, then it is there and nobody followed it."""
    data = with_entries(link("python", "/opt/python3"), link("passwd", "/etc/passwd"), (entry("a"), b"x"))
    folder = unpacked(tmp_path, data)
    assert (os.readlink(folder / "python"), os.readlink(folder / "passwd")) == ("/opt/python3", "/etc/passwd")
    assert inspect_zip(data, LIMIT).files == 3


def test_too_large_a_directory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given more entries than may be, when a zip is inspected, then its directory is not even read."""
    monkeypatch.setattr("relambda.actors.packages.archive.MAX_DIRECTORY_BYTES", 70_000)
    assert "too many entries" in refused(with_entries(*[(entry(f"{name:0200}"), b"") for name in range(500)])).reason
    monkeypatch.setattr("relambda.actors.packages.archive.MAX_ENTRIES", 9)
    assert "10 entries, more than 9" in refused(with_entries(*[(entry(str(name)), b"") for name in range(10)])).reason


def test_an_entry_outside_of_the_zip_is_refused() -> None:
    """Given an entry that is said to be far behind the zip's end, when it is inspected, then it is not looked for."""
    assert "outside" in refused(set_directory_field(zipped({"a": b"x"}), 42, "<L", 0xFFFFFFF0)).reason


def test_backslashes_are_folders(tmp_path: Path) -> None:
    """Given a zip made on Windows, when it is unpacked, then its folders are folders."""
    folder = unpacked(tmp_path, with_entries((entry("lib\\"), b""), (entry("lib\\sub\\a.py"), b"1")))
    assert (folder / "lib/sub/a.py").read_bytes() == b"1"


def test_names_beyond_ascii_are_kept(tmp_path: Path) -> None:
    """Given a name in any alphabet, when it is unpacked, then it is the same."""
    assert files_below(unpacked(tmp_path, zipped({"ключ/☃.txt": b"1"}))) == {"ключ/☃.txt": b"1"}


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o600, 0o644), (0o755, 0o755), (0o500, 0o744), (0o4777, 0o777), (0, 0o644)]
)
def test_everyone_may_read_and_executables_stay_so(tmp_path: Path, mode: int, expected: int) -> None:
    """Given permission bits, when unpacked under a narrow umask, then all may read, and executable bits are kept."""
    data = with_entries((entry("d/", stat.S_IFDIR | 0o700), b""), (entry("d/a", mode and stat.S_IFREG | mode), b"x"))
    before = os.umask(0o077)
    try:
        folder = unpacked(tmp_path, data)
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "d/a").stat().st_mode) == expected
    assert stat.S_IMODE((folder / "d").stat().st_mode) == stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_times_are_kept(tmp_path: Path) -> None:
    """Given times of day, or Unix times beside them, when unpacked, then files and folders have them, in UTC."""
    exact = entry("exact")
    exact.extra = struct.pack("<HHBl", 0x5455, 5, 1, 1_700_000_001)
    data = with_entries((entry("d/", stat.S_IFDIR | 0o755), b""), (entry("d/plain"), b"x"), (exact, b"x"))
    folder = unpacked(tmp_path, data)
    noon = 1_709_209_858
    assert [(folder / name).stat().st_mtime for name in ("d", "d/plain", "exact")] == [noon, noon, 1_700_000_001]


def test_bytes_before_the_zip_are_no_harm(tmp_path: Path) -> None:
    """Given a self-extracting zip, when it is unpacked, then what stands before it is passed over."""
    assert files_below(unpacked(tmp_path, b"#!/bin/sh\n" + zipped({"a": b"1"}))) == {"a": b"1"}


def test_a_64_bit_zip_is_read(tmp_path: Path) -> None:
    """Given sizes and end record in their 64-bit forms, when it is unpacked, then it is like any other."""
    data = zipped({"a": b"x" * 100}, zipfile.ZIP_STORED)
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    header = bytearray(data[start:end])
    struct.pack_into("<LL", header, 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", header, 30, 20)
    header += struct.pack("<HHQQ", 1, 16, 100, 100)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(header), start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, start + len(header), 1)
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    wide = data[:start] + bytes(header) + record + locator + tail
    assert zipfile.ZipFile(io.BytesIO(wide)).read("a") == b"x" * 100
    assert files_below(unpacked(tmp_path, wide)) == {"a": b"x" * 100}


def test_callers_at_the_same_time_share_one_unpacking(tmp_path: Path) -> None:
    """Given eight callers at once, when they unpack one package, then all get the one folder, whole."""
    content = {f"d{number % 7}/{number}": b"%d" % number for number in range(200)}
    zip_path = tmp_path / "package.zip"
    zip_path.write_bytes(zipped(content))
    packages, barrier = Packages(tmp_path / "packages"), threading.Barrier(8)

    def call(_: int) -> tuple[Path, int, Content]:
        barrier.wait(20)
        folder = packages.unpack(SHA, zip_path)
        return folder, folder.stat().st_ino, files_below(folder)

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(call, range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][2] == content
    assert os.listdir(tmp_path / "packages") == [SHA]


def test_a_package_is_unpacked_once(tmp_path: Path) -> None:
    """Given an unpacked package, when it is asked for again, later too, then its zip is not read again."""
    (tmp_path / "package.zip").write_bytes(zipped({"a": b"1"}))
    folder = Packages(tmp_path / "packages").unpack(SHA, tmp_path / "package.zip")
    (tmp_path / "package.zip").unlink()
    assert Packages(tmp_path / "packages").unpack(SHA, tmp_path / "package.zip") == folder


def test_a_half_done_unpacking_is_never_used(tmp_path: Path) -> None:
    """Given what a killed process left, and a package that fails half-way, then neither is there afterwards."""
    root = tmp_path / "packages"
    (root / ".unfinished-abc" / "deep").mkdir(parents=True)
    data = bytearray(zipped({"good": b"1", "bad": b"2" * 50}, zipfile.ZIP_STORED))
    data[data.index(b"2" * 50)] = 0x33
    (tmp_path / "bad.zip").write_bytes(data)
    (tmp_path / "good.zip").write_bytes(zipped({"good": b"1"}))
    packages = Packages(root)
    with pytest.raises(PackageError):
        packages.unpack(SHA, tmp_path / "bad.zip")
    assert not os.listdir(root)
    assert files_below(packages.unpack(SHA, tmp_path / "good.zip")) == {"good": b"1"}


def test_removing_is_done_once_or_more(tmp_path: Path) -> None:
    """Given an unpacked package, when it is removed, and again, then nothing of it is left, and it can come back."""
    (tmp_path / "package.zip").write_bytes(zipped({"a/b": b"1"}))
    packages = Packages(tmp_path / "packages")
    packages.unpack(SHA, tmp_path / "package.zip")
    packages.remove(SHA)
    packages.remove(SHA)
    assert not os.listdir(tmp_path / "packages")
    assert packages.unpack(SHA, tmp_path / "package.zip").is_dir()


@pytest.mark.parametrize("name", ["", "..", "A" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n"])
def test_only_a_sha256_names_a_package(tmp_path: Path, name: str) -> None:
    """Given another name, when it is unpacked or removed, then it is refused."""
    packages = Packages(tmp_path / "packages")
    with pytest.raises(ValueError, match="is no sha256"):
        packages.unpack(name, tmp_path / "package.zip")
    with pytest.raises(ValueError, match="is no sha256"):
        packages.remove(name)
