import tempfile
from itertools import islice
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from relambda.api.cli import log_file

LINES = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])), max_size=50)


@given(lines=LINES, count=st.integers(0, 60))
def test_the_tail_is_the_last_lines(lines: list[str], count: int) -> None:
    """`count` lines from the end, or all there are."""
    with tempfile.NamedTemporaryFile() as log:
        log.write("".join(f"{line}\n" for line in lines).encode())
        log.flush()
        assert log_file.last_lines(Path(log.name), count) == (lines[-count:] if count else [])


def test_a_long_log_is_read_from_its_end(tmp_path: Path) -> None:
    """The last lines are right across the blocks the file is read in."""
    lines = [f"{number:09} {'x' * 90}" for number in range(5000)]
    path = tmp_path / "cloud.log"
    path.write_text("\n".join(lines) + "\n")
    assert log_file.last_lines(path, 3000) == lines[-3000:]


def test_following_begins_where_the_tail_ended(tmp_path: Path) -> None:
    """No line is shown twice and none is lost between the two."""
    path = tmp_path / "cloud.log"
    path.write_text("one\ntwo\n")
    shown, end = log_file.tail(path, 1)
    with path.open("a") as log:
        log.write("three\nfour\nhalf")
    assert shown == ["two"]
    assert list(islice(log_file.follow(path, end), 2)) == ["three", "four"]


def test_a_trimmed_log_is_kept_aside_and_followed_from_its_start(tmp_path: Path) -> None:
    """A writer that appends goes on in the emptied file, and a follower sees what it writes."""
    path = tmp_path / "cloud.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"a long line\n")
        end = path.stat().st_size
        trimmed = log_file.trim(path, max_bytes=4)
        writer.write(b"new\n")
    assert trimmed
    assert log_file.former_of(path).read_text() == "a long line\n"
    assert list(islice(log_file.follow(path, end), 1)) == ["new"]


def test_a_short_or_missing_log_is_left_alone(tmp_path: Path) -> None:
    """Trimming is for logs past the limit only."""
    path = tmp_path / "cloud.log"
    assert not log_file.trim(path)
    path.write_text("short\n")
    assert not log_file.trim(path)
    assert log_file.last_lines(tmp_path / "none", 5) == []
