"""The order of an environment's log, whatever the order in which its words come."""

from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.logs.lines import Report
from relambda.actors.logs.order import GRACE_MS, MARK_MS, Order
from relambda.actors.logs.words import Closed, Ended, Marked, Started, Word, Wrote


def end(request_id: str, *, marked: bool) -> Ended:
    """The end of an invocation."""
    return Ended(Report(request_id, 1.0, 0.0, 128), marked)


def written(words: list[tuple[int, Word]], now_ms: int = 1 << 40) -> list[Word]:
    """What comes of words, in order, and then of time."""
    order = Order()
    ready = [word for each in words for _, word in order.put(*each)]
    return ready + [word for _, word in order.due(now_ms)]


def test_late_output_stands_before_its_end() -> None:
    """Given an end that is faster than its output, then the output is written first, up to the mark."""
    one, two = Wrote(b"one\n"), Wrote(b"two\n")
    ended, mark = end("a", marked=True), Marked("a", 7)

    assert written([(1, Started("a")), (2, one), (3, ended), (4, two), (5, mark)])[1:] == [one, two, mark, ended]


def test_an_end_without_a_mark_waits_a_moment() -> None:
    """Given an unmarked end, then it is held for the grace, and goes at once when the next invocation starts."""
    order, ended = Order(), end("a", marked=False)
    assert list(order.put(100, ended)) == []
    assert list(order.due(100 + GRACE_MS - 1)) == []
    assert [word for _, word in order.due(100 + GRACE_MS)] == [ended]

    assert list(order.put(200, ended)) == []
    assert [word for _, word in order.put(201, Started("b"))] == [ended, Started("b")]


def test_a_mark_that_never_comes_holds_nothing_for_ever() -> None:
    """Given a marked end whose mark is lost, then what it holds back is written when its time is over."""
    order, ended = Order(), end("a", marked=True)
    held = [*order.put(100, ended), *order.put(101, Started("b")), *order.due(100 + MARK_MS - 1)]

    assert held == []
    assert [word for _, word in order.due(100 + MARK_MS)] == [ended, Started("b")]
    assert order.since is None


invocation = st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 3), st.booleans())
"""Whether it is marked; pieces of output before and after its end; whether the mark comes."""


@given(st.lists(invocation, max_size=6))
def test_nothing_is_lost_and_ends_keep_their_order(invocations: list[tuple[bool, int, int, bool]]) -> None:
    """Given any invocations one after the other, then each word is written once, and starts and ends in their order."""
    told: list[tuple[int, Word]] = []
    for number, (marked, early, late, comes) in enumerate(invocations):
        name = str(number)
        words: list[Word] = [Started(name)]
        words += [Wrote(f"{name} early {piece}".encode()) for piece in range(early)]
        words.append(end(name, marked=marked))
        if marked:
            words += [Wrote(f"{name} late {piece}".encode()) for piece in range(late)]
            words += [Marked(name, 1)] if comes else []
        told += [(number, word) for word in words]
    told.append((99, Closed()))
    result = written(told)

    assert sorted(map(repr, result)) == sorted(repr(word) for _, word in told)
    bounds = [word for _, word in told if isinstance(word, Started | Ended)]
    assert [word for word in result if isinstance(word, Started | Ended)] == bounds
    output = [word for _, word in told if isinstance(word, Wrote)]
    assert [word for word in result if isinstance(word, Wrote)] == output
    for number, (marked, _, _, comes) in enumerate(invocations):
        if marked and comes:
            ended = result.index(end(str(number), marked=True))
            own = [at for at, word in enumerate(result) if isinstance(word, Wrote) and _is_of(word, str(number))]
            assert all(at < ended for at in own)


def _is_of(word: Wrote, name: str) -> bool:
    return word.data.startswith(f"{name} ".encode())
