"""The init's words are told from the runtime's output, however the stream is cut and whatever the runtime writes."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.engine.frames import (
    ExtensionExited,
    ExtensionFound,
    ExtensionsTold,
    FrameReader,
    Killed,
    Marked,
    Output,
    RuntimeExited,
    RuntimeUnfit,
    Word,
)

TOKEN = "0123456789abcdef"
OTHER = "fedcba9876543210"


def frame(words: str, token: str = TOKEN) -> bytes:
    return b"\x00\x1e" + f"{token} {words}".encode() + b"\x1e\x00"


def read(chunks: Sequence[bytes], token: str = TOKEN) -> list[Word]:
    reader = FrameReader(token)
    words = [word for chunk in chunks for word in reader.feed(chunk)]
    return joined([*words, *reader.close()])


def joined(words: Sequence[Word]) -> list[Word]:
    """Neighbouring output as one, since where it is cut means nothing."""
    result: list[Word] = []
    for word in words:
        if isinstance(word, Output) and result and isinstance(result[-1], Output):
            result[-1] = Output(result[-1].data + word.data)
        else:
            result.append(word)
    return result


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


hostile = st.one_of(
    st.binary(min_size=1, max_size=40),
    st.sampled_from([b"\x00", b"\x1e", b"\x00\x1e", b"\x1e\x00", frame("exit 0", OTHER), frame("killed", TOKEN[:-1])]),
    st.integers(1, len(TOKEN)).map(lambda length: b"\x00\x1e" + TOKEN[:length].encode()),
)
outputs = hostile.map(Output)
names = st.text("abc -.é", min_size=1, max_size=255 // 2)
told = st.one_of(
    st.integers(0, 255).map(RuntimeExited),
    st.builds(RuntimeUnfit, st.one_of(st.just(""), names), st.integers(0, 255)),
    st.builds(ExtensionFound, names),
    st.just(ExtensionsTold()),
    st.builds(ExtensionExited, names, st.integers(0, 255)),
    st.just(Killed()),
    st.builds(Marked, st.text("abcdef0123456789-", min_size=1, max_size=36), memory_peak_bytes=st.integers(0, 2**40)),
)


def written(word: Word) -> bytes:
    if isinstance(word, Output):
        return word.data
    return frame(words_of(word))


def words_of(word: Word) -> str:
    match word:
        case RuntimeExited(code):
            words = f"exit {code}"
        case RuntimeUnfit(program, code):
            words = f"unfit {code} {program}"
        case ExtensionFound(name):
            words = f"extension {name}"
        case ExtensionsTold():
            words = "extensions"
        case ExtensionExited(name, code):
            words = f"gone {code} {name}"
        case Killed():
            words = "killed"
        case Marked(mark, peak):
            words = f"mark {mark} {peak}"
        case _:
            pytest.fail(f"{word} is no frame")
    return words


@given(words=st.lists(st.one_of(outputs, told), max_size=12), places=st.lists(st.integers(0, 10_000), max_size=12))
def test_every_cut_of_a_stream_reads_the_same(words: list[Word], places: list[int]) -> None:
    """Given output and frames in any order, when the stream comes in any pieces, then the same words come out."""
    stream = b"".join(map(written, words))
    assert read(cut(stream, places)) == joined(words)


@given(data=st.binary(max_size=300))
def test_output_without_the_token_passes_unchanged(data: bytes) -> None:
    """Given bytes without the token, when they are read one at a time, then exactly they come out."""
    assert read([bytes([byte]) for byte in data]) == ([Output(data)] if data else [])


def test_output_is_not_kept_back_for_want_of_more() -> None:
    """Given a line without its end, when it comes, then it is handed on at once."""
    assert list(FrameReader(TOKEN).feed(b"no newline")) == [Output(b"no newline")]


@pytest.mark.parametrize("body", ["exit", "exit -1", "exit 1 2", "mark a", "mark a b c", "nonsense", "", "x" * 600])
def test_what_has_the_token_and_is_no_frame_is_output(body: str) -> None:
    """Given the token in front of something else, when it is read, then not a byte of it is lost."""
    stream = b"before" + frame(body) + b"after"
    assert read([stream]) == [Output(stream)]
    assert read([bytes([byte]) for byte in stream]) == [Output(stream)]


def test_an_endless_frame_is_given_up_at_a_limit() -> None:
    """Given the beginning of a frame that never ends, when much comes, then it is handed on and not kept in memory."""
    reader = FrameReader(TOKEN)
    begin = b"\x00\x1e" + TOKEN.encode() + b" "
    words = [word for _ in range(100) for word in reader.feed(begin + b"x" * 100)]
    assert sum(len(word.data) for word in words if isinstance(word, Output)) > 100 * 100
