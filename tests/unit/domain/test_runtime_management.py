"""Runtime management: a mode for each version, with an ARN when it is Manual."""

from typing import Any

import pytest

from relambda.actors.domain.functions import FunctionConfigurationUpdated
from relambda.actors.domain.publishing import VersionDeleted
from relambda.actors.domain.runtime_management import PutRuntimeManagement, RuntimeManagementChanged

ARN = "arn:aws:lambda:us-east-1::runtime:8eeff65f"


def put(stream: Any, mode: str, arn: str | None = None, version: str = "$LATEST") -> PutRuntimeManagement:
    return PutRuntimeManagement(
        resource=stream.name, at_ms=9_000, version=version, update_runtime_on=mode, runtime_version_arn=arn
    )


@pytest.mark.parametrize(
    ("mode", "arn", "config"),
    [
        ("Manual", ARN, {"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": ARN}),
        ("FunctionUpdate", None, {"UpdateRuntimeOn": "FunctionUpdate"}),
        ("FunctionUpdate", ARN, {"UpdateRuntimeOn": "FunctionUpdate"}),
    ],
)
def test_a_mode_is_kept(orders: Any, mode: str, arn: str | None, config: dict[str, str]) -> None:
    """Given a function, when a mode is put, then it is kept, the ARN with Manual alone, and again it is no event."""
    assert orders.when(put(orders, mode, arn)) == (
        RuntimeManagementChanged(at_ms=9_000, version="$LATEST", config=config),
    )
    assert orders.when(put(orders, mode, arn)) == ()


def test_auto_is_what_a_function_has(orders: Any) -> None:
    """Given a new function, when Auto is put, then that is no event."""
    assert orders.when(put(orders, "Auto")) == ()


def test_manual_needs_a_version(orders: Any) -> None:
    """Given a function, when Manual is put without an ARN, then it is refused."""
    assert orders.refuses(put(orders, "Manual")).code == "InvalidParameterValueException"


def test_only_versions_have_one(orders: Any) -> None:
    """Given an alias, or a version that is not there, when a mode is put, then the function is not found."""
    orders.published().pointing("live", "1")
    for version in ("live", "7"):
        refusal = orders.refuses(put(orders, "FunctionUpdate", version=version))
        assert refusal.message == f"Function not found: {orders.name.arn(version)}"


def test_not_while_an_update_is_in_progress(orders: Any) -> None:
    """Given an update in progress, when a mode is put, then it is refused until that is over."""
    config = orders.state.latest.config
    orders.given(FunctionConfigurationUpdated(at_ms=8_000, config=config, layers=(), revision_id="r3"))
    assert orders.refuses(put(orders, "FunctionUpdate")).code == "ResourceConflictException"


def test_it_ends_with_its_version(orders: Any) -> None:
    """Given a version with a mode, when the version is deleted, then the mode is too."""
    orders.published().when(put(orders, "FunctionUpdate", version="1"))
    orders.given(VersionDeleted(at_ms=9_500, version="1"))
    assert orders.state.runtime_management == {}
