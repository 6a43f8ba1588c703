"""Layers: given what was published, when versions come and go, then events, rows, or AWS's refusals."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.domain.decider import Event
from relambda.actors.domain.layer_policies import LayerPermissionAdded
from relambda.actors.domain.layers import (
    DeleteLayerVersion,
    LayerState,
    LayerVersion,
    LayerVersionDeleted,
    LayerVersionPublished,
    PublishLayerVersion,
    check_use,
    layer,
    newest_first,
)
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal

NAME = ResourceName("layer", "111111111111", "us-east-1", "shared")
ARN = "arn:aws:lambda:us-east-1:111111111111:layer:shared"


def published(number: int, **given: Any) -> LayerVersionPublished:
    members: dict[str, Any] = {
        "sha256": "00" * 32,
        "size": 10,
        "description": "",
        "license_info": None,
        "compatible_runtimes": None,
        "compatible_architectures": None,
    }
    return LayerVersionPublished(at_ms=number * 1_000, version=number, **{**members, **given})


def state(*events: Event) -> LayerState:
    return layer.fold(LayerState(), events)


def publish(**given: Any) -> PublishLayerVersion:
    return PublishLayerVersion(resource=NAME, at_ms=9_000, sha256="11" * 32, size=20, **given)


def delete(version: int) -> DeleteLayerVersion:
    return DeleteLayerVersion(resource=NAME, at_ms=9_500, version=version)


def test_the_first_version_is_1() -> None:
    """Given no layer, when a version is published, then it is version 1, with all that was given."""
    (event,) = layer.decide(LayerState(), publish(description="d", compatible_runtimes=("python3.12",)))
    assert event == LayerVersionPublished(
        at_ms=9_000,
        version=1,
        sha256="11" * 32,
        size=20,
        description="d",
        license_info=None,
        compatible_runtimes=("python3.12",),
        compatible_architectures=None,
    )
    assert state(event).versions["1"].compatible_runtimes == ("python3.12",)


@given(st.lists(st.booleans(), max_size=30))
def test_numbers_are_never_given_again(steps: list[bool]) -> None:
    """Given any history of publishing and deleting the newest, when published again, then the number is a new one."""
    now, seen = LayerState(), set[int]()
    for publishes in steps:
        command = publish() if publishes else delete(now.last_version or 1)
        events = layer.decide(now, command)
        now = layer.fold(now, events)
        for event in events:
            if isinstance(event, LayerVersionPublished):
                assert event.version not in seen
                seen.add(event.version)
    assert now.last_version == len(seen)


def test_deleting_takes_the_policy_too() -> None:
    """Given a version with a policy, when it is deleted, then both are gone; when again, then nothing happens."""
    granted = LayerPermissionAdded(at_ms=1_500, version=1, statement={"Sid": "s"}, revision_id="r")
    there = state(published(1), published(2), granted)
    (event,) = layer.decide(there, delete(1))
    assert event == LayerVersionDeleted(at_ms=9_500, version=1)
    left = layer.evolve(there, event)
    assert (set(left.versions), left.policies) == ({"2"}, {})
    assert layer.decide(left, delete(1)) == ()
    assert layer.decide(LayerState(), delete(1)) == ()


@pytest.mark.parametrize("number", [0, -1])
def test_no_version_has_such_a_number(number: int) -> None:
    """Given any layer, when a version below 1 is deleted, then AWS's words."""
    with pytest.raises(Refusal) as refused:
        layer.decide(state(published(1)), delete(number))
    assert refused.value.message == "Layer Version Cannot be less than 1"


def rows(old: LayerState, new: LayerState) -> dict[tuple[str, str], Any]:
    return {(row.table, row.key): row.value for row in layer.rows(NAME, old, new)}


def test_rows_list_the_newest_first() -> None:
    """Given a version, when the next is published, then its row sorts before, and the layer's row shows it."""
    before = state(published(1))
    changed = rows(before, layer.evolve(before, published(2, compatible_architectures=())))
    key = f"{NAME.key}/{newest_first('2')}"
    assert changed["layers", NAME.key] == {
        "LayerName": "shared",
        "LayerArn": ARN,
        "LatestMatchingVersion": changed["layer_version_listing", key],
    }
    assert changed["layer_version_listing", key] == {
        "LayerVersionArn": f"{ARN}:2",
        "Version": 2,
        "Description": "",
        "CreatedDate": "1970-01-01T00:00:02.000+0000",
        "CompatibleArchitectures": (),
    }
    assert key < f"{NAME.key}/{newest_first('1')}"
    assert len(changed) == 3


def test_the_layer_is_listed_while_it_has_versions() -> None:
    """Given two versions, when the newest goes, then the other is shown; when that goes, then the row goes."""
    two = state(published(1), published(2))
    one = layer.evolve(two, LayerVersionDeleted(at_ms=3_000, version=2))
    assert rows(two, one)["layers", NAME.key]["LatestMatchingVersion"]["Version"] == 1
    none = layer.evolve(one, LayerVersionDeleted(at_ms=3_000, version=1))
    assert rows(one, none)["layers", NAME.key] is None


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_keys_sort_downwards(one: int, other: int) -> None:
    """Given two numbers, then the greater one's key is the lesser."""
    assert (one < other) == (newest_first(str(one)) > newest_first(str(other)))


@pytest.mark.parametrize(
    ("runtimes", "architectures", "asked", "fits"),
    [
        (None, None, (None, None), True),
        (None, None, ("python3.12", None), False),
        (("python3.12",), None, ("python3.12", None), True),
        (("python3.12",), None, ("python3.12", "arm64"), False),
        (("python3.12",), ("arm64",), ("python3.12", "arm64"), True),
        ((), ("x86_64",), (None, "arm64"), False),
    ],
)
def test_what_fits(
    runtimes: tuple[str, ...] | None,
    architectures: tuple[str, ...] | None,
    asked: tuple[str | None, str | None],
    fits: bool,
) -> None:
    """Given what a version says of itself, then it fits what is asked for only if it says so."""
    version = LayerVersion(1, "00" * 32, 1, 0, compatible_runtimes=runtimes, compatible_architectures=architectures)
    assert version.fits(*asked) is fits


def used(arns: Iterable[str], package_type: str = "Zip") -> str:
    with pytest.raises(Refusal) as refused:
        check_use(list(arns), "us-east-1", 5, package_type)
    return refused.value.message


def test_layers_go_together() -> None:
    """Given five different layers of the region, then a function may have them, in any order."""
    check_use([f"{ARN}{number}:1" for number in range(5)], "us-east-1", 5, "Zip")
    check_use([], "us-east-1", 5, "Image")


def test_layers_that_do_not_go_together() -> None:
    """Given six, one from afar, two of one layer, or an image, then AWS's words for each."""
    assert used(f"{ARN}{number}:1" for number in range(6)) == "Cannot reference more than 5 layers."
    assert used([f"{ARN}:1", "arn:aws:lambda:eu-west-1:111111111111:layer:a:1"]).endswith("in region us-east-1.")
    for second in ("1", "2"):
        assert used([f"{ARN}:1", f"{ARN}:{second}"]) == (
            "Two different versions of the same layer are not allowed to be referenced in the same function. "
            f"{ARN}:1 and {ARN}:{second} are versions of the same layer."
        )
    assert "PackageType is Image" in used([f"{ARN}:1"], "Image")
