"""Scaling of managed-instances functions: bounds for a published version, and what they mean for its state."""

from dataclasses import replace
from typing import Any

import pytest

from relambda.actors.domain.functions import PreparationFinished
from relambda.actors.domain.publishing import VersionDeleted
from relambda.actors.domain.scaling import PutScalingConfig, ScalingConfigChanged
from relambda.actors.domain.version import CREATING

LEAST, MOST = "MinExecutionEnvironments", "MaxExecutionEnvironments"


def put(stream: Any, config: dict[str, int] | None = None, version: str = "1") -> PutScalingConfig:
    return PutScalingConfig(resource=stream.name, at_ms=9_000, version=version, config=config)


@pytest.fixture
def managed(stream: Any) -> Any:
    """A managed-instances function with a published version that is Active."""
    stream.created(CapacityProviderConfig={"LambdaManagedInstancesCapacityProviderConfig": {}}).published()
    return stream.given(PreparationFinished(at_ms=4_000, version="1", revision_id="r-v1", failure=None))


def test_bounds_are_kept(managed: Any) -> None:
    """Given a managed function, when bounds are put, then they are kept, again is no event, and none removes them."""
    bounds = {LEAST: 2, MOST: 9}
    assert managed.when(put(managed, bounds)) == (ScalingConfigChanged(at_ms=9_000, version="1", config=bounds),)
    assert managed.state.scaling == {"1": bounds}
    assert managed.when(put(managed, bounds)) == ()
    managed.when(put(managed))
    assert managed.state.scaling == {}


def test_no_environment_is_deactivated(managed: Any) -> None:
    """Given an active version, when it may have no environment, then it is Deactivated, and Active with some again."""
    managed.when(put(managed, {LEAST: 0, MOST: 0}))
    assert managed.state.versions["1"].state.value == "Deactivated"
    managed.when(put(managed, {LEAST: 1}))
    assert managed.state.versions["1"].state.value == "Active"


def test_the_least_is_not_more_than_the_most(managed: Any) -> None:
    """Given bounds the wrong way round, then they are refused."""
    refusal = managed.refuses(put(managed, {LEAST: 3, MOST: 2}))
    assert refusal.code == "InvalidParameterValueException"


def test_not_before_the_version_is_there(managed: Any) -> None:
    """Given a version that is Pending, when bounds are put, then that is a conflict."""
    pending = replace(managed.state.versions["1"], state=CREATING)
    managed.state = replace(managed.state, versions={**managed.state.versions, "1": pending})
    assert managed.refuses(put(managed, {MOST: 2})).code == "ResourceConflictException"


def test_ordinary_functions_have_none(orders: Any) -> None:
    """Given a function without a capacity provider, when bounds are put, then access is denied in AWS's words."""
    refusal = orders.published().refuses(put(orders, {MOST: 2}))
    assert (refusal.code, refusal.message) == (
        "AccessDeniedException",
        "The function provided by the arn does not contain a capacity provider configuration",
    )


def test_only_published_versions_have_one(managed: Any) -> None:
    """Given a version that is not there, when bounds are put, then the function is not found."""
    refusal = managed.refuses(put(managed, {MOST: 2}, "$LATEST.PUBLISHED"))
    assert refusal.message == f"Function not found: {managed.name.arn('$LATEST.PUBLISHED')}"


def test_it_ends_with_its_version(managed: Any) -> None:
    """Given a version with bounds, when it is deleted, then they are too."""
    managed.when(put(managed, {MOST: 2}))
    managed.given(VersionDeleted(at_ms=9_500, version="1"))
    assert managed.state.scaling == {}
