"""Trace headers that name the functions of a chain."""

from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.domain.lineage import MOST_NAMED, passed_on, runs

FIRST, SECOND = (f"arn:aws:lambda:us-east-1:111111111111:function:{name}" for name in ("first", "second"))
FRESH = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0"


def test_a_header_begins_where_none_came() -> None:
    """Given no header, when a function is run, then its header is the fresh one and names it once."""
    header = passed_on("", FIRST, FRESH)
    assert header.startswith(FRESH + ";Lineage=")
    assert (runs(header, FIRST), runs(header, SECOND), runs("", FIRST)) == (1, 0, 0)


def test_the_callers_header_stays() -> None:
    """Given a caller's header, when a function is run, then root, parent and sampling are the caller's."""
    header = passed_on("Root=1-5;Parent=7;Sampled=1", FIRST, FRESH)
    assert header.startswith("Root=1-5;Parent=7;Sampled=1;Lineage=")


@given(st.lists(st.sampled_from([FIRST, SECOND]), max_size=40))
def test_every_run_is_counted(chain: list[str]) -> None:
    """Given a chain of runs, then the header counts those of each function."""
    header = ""
    for function in chain:
        header = passed_on(header, function, FRESH)
    assert (runs(header, FIRST), runs(header, SECOND)) == (chain.count(FIRST), chain.count(SECOND))


@given(st.text(st.characters(exclude_characters=";")))
def test_any_text_is_a_header(text: str) -> None:
    """Given any text for a header, then it is read, and what is passed on is bounded in the functions it names."""
    header = passed_on(f"Lineage={text}", FIRST, FRESH)
    assert runs(header, FIRST) >= 1
    assert header.count("|") < MOST_NAMED
