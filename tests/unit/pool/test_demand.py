"""How many spare sandboxes are wanted, as time goes on."""

from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.pool.demand import BURST_SECONDS, REMEMBERED_SECONDS, Demand
from relambda.actors.pool.spare import Shape

PYTHON, NODE = Shape("python", "x86_64", ()), Shape("node", "x86_64", ())


def burst(demand: Demand, shape: Shape, starts: int, at: float) -> None:
    """So many starts at once."""
    for _ in range(starts):
        demand.started(shape, 128, at)


def test_an_image_that_was_just_named_has_the_least() -> None:
    """Given a function that nobody has invoked, then as many wait as always do, with its memory."""
    demand = Demand(2, 12)
    demand.expect(PYTHON, 512)
    assert demand.targets(0.0) == {PYTHON: 2}
    assert demand.memory_mb(PYTHON) == 512


def test_a_burst_is_remembered_and_forgotten() -> None:
    """Given ten starts at once, then ten wait for the next burst, until it has not come for long."""
    demand = Demand(2, 12)
    burst(demand, PYTHON, 10, at=50.0)
    assert demand.targets(50.0) == {PYTHON: 10}
    left = demand.falls_in(60.0)
    assert left == REMEMBERED_SECONDS - 10
    assert demand.targets(60.0 + left) == {PYTHON: 2}
    assert demand.falls_in(60.0 + left) is None


def test_a_smaller_burst_does_not_undo_a_larger_one_and_an_equal_one_renews_it() -> None:
    """Given a burst of ten, when three come later, then ten stay; ten more keep them for as long again."""
    demand = Demand(2, 12)
    burst(demand, PYTHON, 10, at=0.0)
    burst(demand, PYTHON, 3, at=100.0)
    assert demand.targets(REMEMBERED_SECONDS - 1) == {PYTHON: 10}
    burst(demand, PYTHON, 10, at=200.0)
    assert demand.targets(REMEMBERED_SECONDS + 199) == {PYTHON: 10}


def test_starts_far_apart_are_no_burst() -> None:
    """Given one start after the other, each when the last one is long past, then no more than the least wait."""
    demand = Demand(2, 12)
    for step in range(20):
        demand.started(PYTHON, 128, step * (BURST_SECONDS + 0.1))
    assert demand.targets(20 * BURST_SECONDS) == {PYTHON: 2}


def test_the_last_image_comes_first_and_one_without_room_is_forgotten() -> None:
    """Given room for six, when a burst of one image fills it, then another has what is left, and none left is none."""
    demand = Demand(2, 6)
    burst(demand, NODE, 2, at=0.0)
    burst(demand, PYTHON, 5, at=1.0)
    assert list(demand.targets(1.0).items()) == [(PYTHON, 5), (NODE, 1)]
    burst(demand, PYTHON, 6, at=2.0)
    assert demand.targets(2.0) == {PYTHON: 6}
    assert demand.targets(2.0 + REMEMBERED_SECONDS) == {PYTHON: 2}


@given(
    st.integers(0, 4),
    st.integers(0, 12),
    st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans(), st.floats(0, 400)), max_size=60),
)
def test_all_together_never_exceed_the_total(least: int, total: int, asked: list[tuple[str, bool, float]]) -> None:
    """Given any demand, then targets are positive, of shapes asked for, and sum up to the total at most."""
    demand, now = Demand(least, total), 0.0
    for image, starts, later in asked:
        now += later
        shape = Shape(image, "x86_64", ())
        if starts:
            demand.started(shape, 128, now)
        else:
            demand.expect(shape, 128)
        targets = demand.targets(now)
        assert sum(targets.values()) <= total
        assert all(target > 0 for target in targets.values())
        if total and (least or starts):
            assert next(iter(targets)) == shape, "what was asked for last is not first"
