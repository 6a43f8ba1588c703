"""Versions: when publishing makes one, what it copies, and which ones may be deleted."""

from typing import Any

import pytest

from relambda.actors.domain.aliases import CreateAlias
from relambda.actors.domain.functions import (
    FinishPreparation,
    FunctionConfigurationUpdated,
    FunctionDeleted,
    PreparationFinished,
    UpdateFunctionConfiguration,
)
from relambda.actors.domain.limits import Limits
from relambda.actors.domain.names import LATEST
from relambda.actors.domain.publishing import (
    LATEST_PUBLISHED,
    DeleteVersion,
    PublishVersion,
    VersionDeleted,
    VersionPublished,
    publication,
)
from relambda.actors.domain.version import Status

ACTUAL = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
STALE = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)
OTHER_CODE = (
    f"CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST ({ACTUAL}). "
    "Please try again with the CodeSHA256 in $LATEST."
)
MANAGED: dict[str, Any] = {
    "Runtime": "python3.13",
    "MemorySize": 2048,
    "CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {}},
}


def publish(stream: Any, **given: Any) -> PublishVersion:
    return PublishVersion(**{"resource": stream.name, "at_ms": 5_000, "revision_id": "p1", **given})


def delete(stream: Any, version: str) -> DeleteVersion:
    return DeleteVersion(resource=stream.name, at_ms=7_000, version=version)


def configure(stream: Any, **settings: Any) -> None:
    """Let the configuration have been changed, and the change be over."""
    command = UpdateFunctionConfiguration(
        resource=stream.name, at_ms=6_000, settings=settings, revision_id="u1", limits=Limits()
    )
    stream.when(command)
    finish(stream, LATEST, "u1", "u2")


def finish(stream: Any, version: str, prepared: str, revision_id: str) -> None:
    stream.when(
        FinishPreparation(
            resource=stream.name,
            at_ms=6_500,
            version=version,
            prepared_revision_id=prepared,
            revision_id=revision_id,
        )
    )


def test_a_version_is_a_copy(orders: Any) -> None:
    """Given a function, when it is published, then version 1 is Active at once, and $LATEST has the new revision."""
    assert orders.when(publish(orders)) == (
        VersionPublished(at_ms=5_000, version="1", description="", revision_id="p1"),
    )
    latest, one = orders.state.versions[LATEST], orders.state.versions["1"]
    assert one.config == latest.config
    assert (one.state.value, one.update.value, one.modified_ms) == ("Active", "Successful", 5_000)
    assert (latest.revision_id, one.revision_id) == ("p1", "p1")


def test_unchanged_is_not_published_again(orders: Any) -> None:
    """Given a published function, when published again, even with a description, then the same version is given."""
    orders.when(publish(orders, description="first"))
    assert orders.when(publish(orders, revision_id="p2", description="second")) == ()
    assert publication(orders.state) == orders.state.versions["1"]
    assert orders.state.versions["1"].config["Description"] == "first"


def test_a_change_is_published(orders: Any) -> None:
    """Given a published function, when its configuration changes, then publishing gives the next version."""
    orders.when(publish(orders))
    configure(orders, Timeout=9)
    assert publication(orders.state) is None
    (event,) = orders.when(publish(orders, revision_id="p2"))
    assert event.version == "2"
    assert orders.state.versions["1"].config["Timeout"] == 3


def test_a_description_of_the_function_is_a_change(orders: Any) -> None:
    """Given a function published under a description of its own, then another one of $LATEST's is a change."""
    orders.when(publish(orders, description="of the version"))
    assert publication(orders.state) is not None
    configure(orders, Description="of the function")
    (event,) = orders.when(publish(orders, revision_id="p2"))
    assert event.description == "of the function"


def test_a_change_that_was_taken_back_is_none(orders: Any) -> None:
    """Given a published function, when it is changed and changed back, then publishing gives the same version."""
    orders.when(publish(orders))
    configure(orders, Timeout=9)
    configure(orders, Timeout=3)
    assert orders.when(publish(orders)) == ()


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (
            {"expected_revision_id": "other"},
            "PreconditionFailedException",
            STALE,
        ),
        (
            {"code_sha256": "somenonexistentsha256"},
            "InvalidParameterValueException",
            OTHER_CODE,
        ),
        (
            {"to_latest_published": True},
            "InvalidParameterValueException",
            "PublishTo is supported for functions with a capacity provider only.",
        ),
    ],
)
def test_preconditions(orders: Any, given: dict[str, Any], code: str, message: str) -> None:
    """Given a function, when it is published under a condition that does not hold, then it is refused."""
    refusal = orders.refuses(publish(orders, **given))
    assert (refusal.code, refusal.message) == (code, message)


def test_preconditions_that_hold(orders: Any) -> None:
    """Given a function, when its own revision and code are named, then it is published."""
    assert orders.when(publish(orders, expected_revision_id="r2", code_sha256=ACTUAL)) != ()


def test_not_while_something_is_under_way(orders: Any, stream: Any) -> None:
    """Given an update in progress, when published, then the conflict says so."""
    config = dict(orders.state.latest.config)
    orders.given(FunctionConfigurationUpdated(at_ms=4_000, config=config, layers=(), revision_id="u1"))
    refusal = orders.refuses(publish(orders))
    assert (refusal.code, refusal.message) == (
        "ResourceConflictException",
        f"The operation cannot be performed at this time. An update is in progress for resource: {orders.name.arn()}",
    )


def test_no_function(stream: Any) -> None:
    """Given no function, when it is published or a version deleted, then it is not found."""
    for command in (publish(stream), delete(stream, "1")):
        assert stream.refuses(command).message == f"Function not found: {stream.name.arn()}"


@pytest.mark.parametrize("config", [{"SnapStart": {"ApplyOn": "PublishedVersions"}}, MANAGED])
def test_some_versions_start_anew(stream: Any, config: dict[str, Any]) -> None:
    """Given SnapStart or managed instances, when published, then the version is Pending until it is prepared."""
    stream.created(**config).when(publish(stream))
    assert stream.state.versions["1"].state.value == "Pending"
    assert stream.state.versions["1"].update is None
    finish(stream, "1", "p1", "p2")
    assert stream.state.versions["1"].state.value == "Active"
    assert stream.state.latest.revision_id == "p1"


def test_managed_instances_run_versions_alone(stream: Any) -> None:
    """Given a function of managed instances, then its $LATEST is ActiveNonInvocable."""
    stream.created(**MANAGED)
    assert stream.state.latest.state.value == "ActiveNonInvocable"
    configure(stream, Timeout=9)
    assert stream.state.latest.state.value == "ActiveNonInvocable"


def test_latest_published_is_replaced(stream: Any) -> None:
    """Given managed instances, when published to LATEST_PUBLISHED twice with a change, then there is one of it."""
    stream.created(**MANAGED)
    (event,) = stream.when(publish(stream, to_latest_published=True))
    assert event.version == LATEST_PUBLISHED
    assert stream.when(publish(stream, to_latest_published=True)) == ()
    configure(stream, Timeout=9)
    stream.when(publish(stream, to_latest_published=True))
    assert stream.state.versions.keys() == {LATEST, LATEST_PUBLISHED}
    assert stream.state.versions[LATEST_PUBLISHED].config["Timeout"] == 9
    (event,) = stream.when(publish(stream))
    assert event.version == "1"


def test_a_version_is_deleted_once(orders: Any) -> None:
    """Given a version, when it is deleted, then it is gone; when deleted again, then nothing happens."""
    orders.published()
    assert orders.when(delete(orders, "1")) == (VersionDeleted(at_ms=7_000, version="1"),)
    assert orders.state.versions.keys() == {LATEST}
    assert orders.when(delete(orders, "1")) == ()


def test_what_aliases_invoke_stays(orders: Any) -> None:
    """Given aliases of a version, one for a share alone, when it is deleted, then the conflict names them."""
    orders.published(2)
    for name, version, weights in (("b", "1", {}), ("a", "2", {"1": 0.0})):
        orders.when(
            CreateAlias(
                resource=orders.name, at_ms=4_000, name=name, version=version, weights=weights, revision_id="a1"
            )
        )
    refusal = orders.refuses(delete(orders, "1"))
    assert (refusal.code, refusal.message) == (
        "ResourceConflictException",
        "Unable to delete version because the following aliases reference it: [a, b]",
    )


@pytest.mark.parametrize(
    ("qualifier", "message"),
    [
        (LATEST, "$LATEST version cannot be deleted without deleting the function."),
        ("live", "Deletion of aliases is not currently supported."),
    ],
)
def test_what_is_no_version_to_delete(orders: Any, qualifier: str, message: str) -> None:
    """Given a function, when $LATEST or an alias is deleted as a version, then AWS's words for each."""
    assert orders.refuses(delete(orders, qualifier)).message == message


def test_numbers_are_never_used_again(orders: Any) -> None:
    """Given versions that were deleted, and then the function, when published anew, then the numbers go on."""
    orders.published(2)
    orders.when(delete(orders, "2"))
    configure(orders, Timeout=9)
    (event,) = orders.when(publish(orders))
    assert event.version == "3"
    orders.given(FunctionDeleted(at_ms=8_000)).created()
    (event,) = orders.when(publish(orders))
    assert event.version == "4"


def test_a_failed_version_stays_failed(stream: Any) -> None:
    """Given a version in preparation, when that fails, then the version is Failed with AWS's reason code."""
    stream.created(**MANAGED).when(publish(stream))
    failure = Status("Failed", "no image", "InvalidImage")
    stream.given(PreparationFinished(at_ms=6_000, version="1", revision_id="p2", failure=failure))
    assert stream.state.versions["1"].state == failure
    assert stream.state.versions["1"].update is None
