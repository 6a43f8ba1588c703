"""Which folders of this machine may stand for code."""

from pathlib import Path

import pytest

from relambda.actors.hot_reload.folder import OPTION, HotFolderError, Roots


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    """One root with a folder of code in it, and a folder beside it."""
    (tmp_path / "root" / "code").mkdir(parents=True)
    (tmp_path / "beside").mkdir()
    return Roots([tmp_path / "root"])


def test_folders_under_a_root_are_admitted(roots: Roots, tmp_path: Path) -> None:
    """The root itself, what lies in it, and what a link in it leads to in it."""
    code = tmp_path / "root" / "code"
    (tmp_path / "root" / "current").symlink_to("code")
    assert roots.admit(str(code)) == code.resolve()
    assert roots.admit(str(tmp_path / "root")) == (tmp_path / "root").resolve()
    assert roots.admit(str(tmp_path / "root" / "current")) == code.resolve()


def test_no_link_and_no_dots_lead_out_of_a_root(roots: Roots, tmp_path: Path) -> None:
    """A refusal tells where the path really leads, and names the option."""
    (tmp_path / "root" / "out").symlink_to(tmp_path / "beside")
    for path in (tmp_path / "root" / "out", tmp_path / "root" / ".." / "beside", tmp_path / "beside", Path("/etc")):
        with pytest.raises(HotFolderError, match=OPTION) as refusal:
            roots.admit(str(path))
        assert str(path.resolve()) in str(refusal.value)


def test_a_name_that_begins_like_a_root_is_not_under_it(tmp_path: Path) -> None:
    """/a/rooted is not in /a/root."""
    (tmp_path / "rooted").mkdir()
    (tmp_path / "root").mkdir()
    with pytest.raises(HotFolderError, match=OPTION):
        Roots([tmp_path / "root"]).admit(str(tmp_path / "rooted"))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("code", "not an absolute path"),
        ("", "not an absolute path"),
        ("/tmp/\0", "not an absolute path"),
        ("{root}/nothing", "No such file"),
        ("{root}/file", "is not a folder"),
        ("{root}/loop", "cannot be reached"),
        ("{root}/mine", r"chmod o\+rx"),
    ],
)
def test_what_is_no_folder_is_refused_with_the_reason(roots: Roots, tmp_path: Path, path: str, reason: str) -> None:
    """Nothing but a folder that is there can be mounted."""
    (tmp_path / "root" / "file").touch()
    (tmp_path / "root" / "loop").symlink_to("loop")
    (tmp_path / "root" / "mine").mkdir(mode=0o700)
    with pytest.raises(HotFolderError, match=reason):
        roots.admit(path.replace("{root}", str(tmp_path / "root")))
