"""Event types of a release: upcasters make one chain from every version to the current one."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.store.catalog import Catalog
from relambda.store.errors import UnknownEventTypeError
from relambda.store.interface import EventTypes, Upcaster
from relambda.store.records import RecordedEvent


def step(version: int) -> Upcaster:
    def upcast(data: Mapping[str, Any], /) -> Mapping[str, Any]:
        return {"path": [*data["path"], version]}

    return upcast


@given(current=st.integers(1, 12), data=st.data())
def test_upcasters_run_once_each_and_in_order(current: int, data: st.DataObject) -> None:
    """An event of version v passes the upcasters of v, v + 1, ... and ends at the current version."""
    start = data.draw(st.integers(1, current))
    catalog = Catalog(EventTypes({"T": current}, {("T", v): step(v) for v in range(1, current)}))
    found = catalog.current(RecordedEvent(1, "s", 1, "T", start, 1, {"path": []}))
    assert (found.type_version, found.data) == (current, {"path": list(range(start, current))})


def test_a_missing_upcaster_is_a_mistake_of_the_release() -> None:
    """A type whose chain has a hole is refused before any log is opened."""
    with pytest.raises(ValueError, match=r"no upcaster from versions \[2\]"):
        Catalog(EventTypes({"T": 3}, {("T", 1): step(1)}))


@pytest.mark.parametrize(("name", "version"), [("T", 3), ("U", 1), ("T", 0)])
def test_what_is_not_known_is_not_guessed(name: str, version: int) -> None:
    """An event of an unknown type or a newer version raises instead of being half understood."""
    catalog = Catalog(EventTypes({"T": 2}, {("T", 1): step(1)}))
    with pytest.raises(UnknownEventTypeError, match=f"{name} version {version}"):
        catalog.current(RecordedEvent(1, "s", 1, name, version, 1, {}))
