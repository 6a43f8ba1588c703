"""X-Ray's trace header: taken apart, decided on, passed on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.domain.trace_header import TraceHeader
from relambda.actors.traces.trace import trace_of, unrecorded

ROOT, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
HEX = "0123456789abcdef"
HEADERS = st.builds(
    TraceHeader,
    root=st.builds("1-{}-{}".format, st.text(HEX, min_size=8, max_size=8), st.text(HEX, min_size=24, max_size=24)),
    parent=st.just("") | st.text(HEX, min_size=16, max_size=16),
    sampled=st.sampled_from(["", "0", "1"]),
    others=st.lists(st.sampled_from(["Lineage=a87bd80c:1", "Self=1-67891234-12456789abcdef012345678", "x"])).map(tuple),
)


@given(HEADERS)
def test_what_is_written_is_read_again(header: TraceHeader) -> None:
    """Any header is read as it was written."""
    assert TraceHeader.read(str(header)) == header


@given(st.text(max_size=300))
def test_any_text_is_a_header(text: str) -> None:
    """Whatever a caller sends is read without an error, and what is passed on is read the same."""
    read = TraceHeader.read(text)
    assert TraceHeader.read(str(read)).root == read.root


def test_what_is_no_id_is_left_out() -> None:
    """Given ids of other forms, then they are taken for none, and the first of two counts."""
    read = TraceHeader.read(f"Root=1-zz-1;Parent=1;Sampled=maybe;Root={ROOT}")
    assert (read.root, read.parent, read.sampled) == ("", "", "")


@pytest.mark.parametrize(
    ("header", "active", "recorded"),
    [
        (f"Root={ROOT};Parent={PARENT};Sampled=1", False, True),
        (f"Root={ROOT};Parent={PARENT};Sampled=1", True, True),
        (f"Root={ROOT};Parent={PARENT};Sampled=0", True, False),
        (f"Root={ROOT};Parent={PARENT};Sampled=?", True, True),
        (f"Root={ROOT};Parent={PARENT};Sampled=?", False, False),
        (f"Root={ROOT}", True, True),
        ("Sampled=1", True, False),
        ("", True, False),
    ],
)
def test_who_decides(header: str, active: bool, recorded: bool) -> None:
    """The caller's decision counts; without one, a function whose tracing is active is recorded."""
    assert (trace_of(header, active=active) is not None) is recorded


@pytest.mark.parametrize("header", [f"Root={ROOT};Sampled=?", f"Root={ROOT};Parent={PARENT};Sampled=?;Lineage=a:1"])
def test_a_header_that_is_not_recorded_is_whole(header: str) -> None:
    """Given a header without a decision, when nothing is recorded, then it has one and a parent: the caller's first."""
    read = TraceHeader.read(unrecorded(header))

    assert (read.root, read.sampled, len(read.parent)) == (ROOT, "0", 16)
    assert read.parent == PARENT or PARENT not in header
