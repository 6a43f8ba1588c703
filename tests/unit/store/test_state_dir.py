"""The state directory: one generation counts, and the swap to the next is a single stroke."""

from collections.abc import Callable
from pathlib import Path

import pytest

from relambda.store.blobs import Blobs
from relambda.store.errors import CorruptStoreError, NewerFormatError
from relambda.store.log import LmdbStore
from relambda.store.records import Appended
from relambda.store.state_dir import StateDirectory

Open = Callable[..., LmdbStore]
AppendTo = Callable[..., Appended]


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path / "state")


def generation(state: StateDirectory, text: str) -> Path:
    made = state.new_generation()
    (made / "what").write_text(text)
    return made


def entries(state: StateDirectory) -> list[str]:
    return sorted(path.name for path in state.current().parent.iterdir())


def test_a_new_directory_has_an_empty_generation(state: StateDirectory, tmp_path: Path) -> None:
    """The first call makes a generation, and later ones, in other processes too, find the same."""
    first = state.current()
    assert (first.name, list(first.iterdir()), state.previous()) == ("1", [], None)
    (first / "mine").touch()
    again = StateDirectory(tmp_path / "state")
    assert again.current() == first
    assert (again.blobs_path, again.lock_path) == (tmp_path / "state" / "blobs", tmp_path / "state" / "lock")


def test_an_adopted_generation_counts_and_one_backup_stays(state: StateDirectory) -> None:
    """Adopting makes a generation current; the one before is kept, those before that are removed."""
    state.current()
    for text in ("a", "b", "c"):
        adopted = state.adopt(generation(state, text))
        assert state.current() == adopted
    previous = state.previous()
    assert previous is not None
    assert ((state.current() / "what").read_text(), (previous / "what").read_text()) == ("c", "b")
    assert entries(state) == [previous.name, state.current().name]


def test_what_was_never_adopted_is_discarded(state: StateDirectory, tmp_path: Path) -> None:
    """A generation that was begun, or whose adoption broke off before the stroke, counts for nothing."""
    current = state.current()
    generation(state, "begun")
    generation(state, "renamed").rename(current.parent / "2")
    assert StateDirectory(tmp_path / "state").current() == current
    state.discard_unadopted()
    assert entries(state) == ["1"]


def test_the_backup_outlives_discarding(state: StateDirectory) -> None:
    """Discarding removes only what never counted."""
    state.current()
    state.adopt(generation(state, "a"))
    state.discard_unadopted()
    assert entries(state) == ["1", "2"]


@pytest.mark.parametrize("name", ["generations/1", "elsewhere", "generations/new-absent"])
def test_only_what_was_made_here_is_adopted(state: StateDirectory, tmp_path: Path, name: str) -> None:
    """A path that `new_generation` did not give is refused, and the current generation stays."""
    current = state.current()
    (tmp_path / "state" / "elsewhere").mkdir()
    with pytest.raises(ValueError, match="no new generation"):
        state.adopt(tmp_path / "state" / name)
    assert state.current() == current


@pytest.mark.parametrize("text", ["", "two", "../../x", "7"])
def test_a_damaged_pointer_is_told(state: StateDirectory, tmp_path: Path, text: str) -> None:
    """A CURRENT that names no generation is damage; it is neither guessed nor overwritten."""
    state.current()
    (tmp_path / "state" / "CURRENT").write_text(text)
    with pytest.raises(CorruptStoreError, match="CURRENT"):
        state.current()
    assert (tmp_path / "state" / "CURRENT").read_text() == text


def test_a_lost_pointer_never_hides_a_state(state: StateDirectory, tmp_path: Path) -> None:
    """When CURRENT is missing and there is content, that is damage and not a new directory."""
    (state.current() / "mine").touch()
    (tmp_path / "state" / "CURRENT").unlink()
    with pytest.raises(CorruptStoreError, match=r"generations \[1\]"):
        state.current()


def test_a_newer_layout_is_refused(state: StateDirectory, tmp_path: Path) -> None:
    """A directory of a newer release is refused at once."""
    state.current()
    (tmp_path / "state" / "FORMAT").write_text("99\n")
    with pytest.raises(NewerFormatError):
        StateDirectory(tmp_path / "state")


def test_a_whole_state_is_swapped(state: StateDirectory, open_store: Open, append: AppendTo) -> None:
    """A log that is loaded into a new generation is the state after adoption; the former log is the backup."""
    store = open_store(state.current() / "log")
    append(store, "a", 0)
    sha256 = Blobs(state.blobs_path).put(b"code")
    made = state.new_generation()
    other = open_store(made / "log")
    other.load(store.records())
    append(other, "a", 1)
    other.close()
    store.close()
    adopted = open_store(state.adopt(made) / "log")
    assert (adopted.version("a"), Blobs(state.blobs_path).exists(sha256)) == (2, True)
    previous = state.previous()
    assert previous is not None
    assert open_store(previous / "log").version("a") == 1
