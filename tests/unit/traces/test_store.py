"""Segments are kept, found, bounded, and survive what a disk does."""

from pathlib import Path

import pytest

from relambda.store.errors import StoreError
from relambda.store.traces import Kept, Segment, TraceStore

ONE, TWO = "1-5759e988-bd862e3fe1be46a994272793", "1-5759e989-bd862e3fe1be46a994272793"
HERE, THERE = "111111111111/us-east-1/", "222222222222/us-east-1/"
MEGABYTE = 1024 * 1024


def segment(trace: str = ONE, id_: str = "a" * 16, owner: str = HERE, document: bytes = b"{}") -> Segment:
    """A segment."""
    return Segment(trace, id_, owner, document)


def test_kept_over_a_restart(tmp_path: Path) -> None:
    """Given a kept segment, when the store is opened again, then it is there; the newer one of two of an id counts."""
    path = tmp_path / "traces" / "segments.sqlite"
    store = TraceStore(path, MEGABYTE)
    store.put([segment(document=b"old")], 1)
    store.put([segment(document=b"new"), segment(id_="b" * 16)], 2)
    store.close()

    again = TraceStore(path, MEGABYTE)
    assert [each.document for each in again.segments(ONE, HERE)] == [b"new", b"{}"]
    again.close()


def test_owners_do_not_see_each_other(tmp_path: Path) -> None:
    """Given a trace of one account, then another has none of it; what came without an owner belongs to the trace's."""
    store = TraceStore(tmp_path / "t.sqlite", MEGABYTE)
    store.put([segment(), segment(id_="b" * 16, owner=""), segment(trace=TWO, owner="")], 1)

    assert [each.id[0] for each in store.segments(ONE, HERE)] == ["a", "b"]
    assert store.segments(ONE, THERE) == []
    assert len(store.segments(TWO, THERE)) == 1, "what nobody owns is everybody's"
    assert store.traces("1-5759e988-", "1-5759e988-g", 10, HERE) == [ONE]
    store.close()


def test_traces_are_found_newest_first(tmp_path: Path) -> None:
    """Given traces, when a page is asked for, then the latest is in front, and the next page goes on behind it."""
    store = TraceStore(tmp_path / "t.sqlite", MEGABYTE)
    store.put([segment(trace=TWO)], 1)
    store.put([segment()], 2)
    store.put([segment(trace=TWO, id_="b" * 16)], 2)
    store.put([segment(trace=ONE.replace("2", "3"), owner=THERE)], 2)

    assert store.traces("1-5759e988-", "1-5759e989-g", 10, HERE) == [TWO, ONE]
    assert store.traces("1-5759e988-", TWO, 10, HERE) == [ONE]
    assert store.kept(1, Kept(9, "2-"), 10, HERE) == [(2, TWO), (2, ONE)]
    assert store.kept(1, Kept(2, TWO), 10, HERE) == [(2, ONE)]
    assert store.kept(1, Kept(1, "2-"), 10, HERE) == [(1, TWO)]
    assert store.kept(3, Kept(9, "2-"), 10, HERE) == []
    store.close()


def test_bounded_in_age_and_bytes(tmp_path: Path) -> None:
    """Given more than may be kept, when trimmed, then the oldest are gone, and the newest stay."""
    store = TraceStore(tmp_path / "t.sqlite", 250_000)
    for number in range(3_000):
        store.put([segment(id_=f"{number:016x}", document=b"x" * 100)], number)
    removed = store.trim(before_ms=10)
    left = store.segments(ONE, HERE)

    assert removed == 3_000 - len(left)
    assert 200_000 < sum(len(each.document) for each in left) <= 250_000
    assert [each.id for each in left] == [f"{number:016x}" for number in range(3_000 - len(left), 3_000)]
    assert left[-1].id == f"{2_999:016x}"
    store.close()


def test_a_damaged_database_is_put_aside(tmp_path: Path) -> None:
    """Given a file that is no database, when opened, then traces begin anew, and the file is kept."""
    path = tmp_path / "t.sqlite"
    path.write_bytes(b"no database" * 1000)
    store = TraceStore(path, MEGABYTE)
    store.put([segment()], 1)

    assert len(store.segments(ONE, HERE)) == 1
    assert len(list(tmp_path.glob("t.sqlite-damaged-*"))) == 1
    store.close()


def test_errors_are_the_stores(tmp_path: Path) -> None:
    """Given a closed store, when used, then it is a StoreError that names the file."""
    store = TraceStore(tmp_path / "t.sqlite", MEGABYTE)
    store.close()
    with pytest.raises(StoreError, match=r"t\.sqlite"):
        store.put([segment()], 1)
