"""Provisioned concurrency: requests, how they end, and what AWS refuses."""

from typing import Any

import pytest

from relambda.actors.domain.concurrency_config import ConcurrencyReserved, Share
from relambda.actors.domain.functions import FunctionDeleted
from relambda.actors.domain.provisioned import (
    DeleteProvisionedConcurrency,
    FinishProvisioning,
    ProvisionedConcurrencyDeleted,
    ProvisionedConcurrencyFinished,
    ProvisionedConcurrencyRequested,
    PutProvisionedConcurrency,
    following_alias,
)
from relambda.actors.domain.publishing import VersionDeleted

ACCOUNT = Share(available=1000, minimum_unreserved=100)
NUMBERS = (
    "RequestedProvisionedConcurrentExecutions",
    "AllocatedProvisionedConcurrentExecutions",
    "AvailableProvisionedConcurrentExecutions",
)


def put(stream: Any, qualifier: str, requested: int = 5, share: Share = ACCOUNT) -> PutProvisionedConcurrency:
    return PutProvisionedConcurrency(
        resource=stream.name, at_ms=9_000, qualifier=qualifier, requested=requested, share=share
    )


def finish(stream: Any, qualifier: str, version: str, requested: int = 5, failure: str = "") -> FinishProvisioning:
    return FinishProvisioning(
        resource=stream.name,
        at_ms=9_500,
        qualifier=qualifier,
        version=version,
        requested=requested,
        failure=failure,
    )


def delete(stream: Any, qualifier: str) -> DeleteProvisionedConcurrency:
    return DeleteProvisionedConcurrency(resource=stream.name, at_ms=9_900, qualifier=qualifier)


def numbers(stream: Any, qualifier: str) -> tuple[Any, ...]:
    config = stream.state.provisioned[qualifier]
    return (*(config[member] for member in NUMBERS), config["Status"])


def test_a_request_begins_with_nothing_and_becomes_ready(orders: Any) -> None:
    """Given a version, when it is provisioned, then it is in progress with 0 of 5, and ready with 5 once finished."""
    orders.published()
    assert orders.when(put(orders, "1")) == (
        ProvisionedConcurrencyRequested(at_ms=9_000, qualifier="1", version="1", requested=5),
    )
    assert numbers(orders, "1") == (5, 0, 0, "IN_PROGRESS")
    assert orders.state.provisioned["1"]["LastModified"] == "1970-01-01T00:00:09+0000"
    orders.when(finish(orders, "1", "1"))
    assert numbers(orders, "1") == (5, 5, 5, "READY")


def test_a_request_can_fail(orders: Any) -> None:
    """Given a request, when its environments do not start, then it has failed for the reason that is told."""
    orders.published().when(put(orders, "1"))
    orders.when(finish(orders, "1", "1", failure="FUNCTION_ERROR_INIT_FAILURE"))
    assert numbers(orders, "1") == (5, 0, 0, "FAILED")
    assert orders.state.provisioned["1"]["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"


@pytest.mark.parametrize(("version", "requested"), [("2", 5), ("1", 4)])
def test_what_was_started_for_something_else_finishes_nothing(orders: Any, version: str, requested: int) -> None:
    """Given a request, when environments for another one are there, then that is no event."""
    orders.published(2).when(put(orders, "1"))
    assert orders.when(finish(orders, "1", version, requested)) == ()


def test_asked_again_it_starts_over(orders: Any) -> None:
    """Given 5 that are ready, when 8 are asked for, then 5 stay while the others come; of 3, 3 stay."""
    orders.published().when(put(orders, "1"))
    orders.when(finish(orders, "1", "1"))
    orders.when(put(orders, "1", 8))
    assert numbers(orders, "1") == (8, 5, 5, "IN_PROGRESS")
    orders.when(put(orders, "1", 3))
    assert numbers(orders, "1") == (3, 3, 3, "IN_PROGRESS")


def test_it_moves_with_its_alias(orders: Any) -> None:
    """Given a provisioned alias, when it points to another version, then its environments start anew there."""
    orders.published(2).pointing("live", "1").when(put(orders, "live"))
    orders.when(finish(orders, "live", "1"))
    orders.pointing("live", "2")
    moved = following_alias(orders.state, "live")
    assert moved.provisioned["live"]["Version"] == "2"
    assert moved.provisioned["live"]["Status"] == "IN_PROGRESS"
    assert moved.provisioned["live"]["AllocatedProvisionedConcurrentExecutions"] == 0
    assert following_alias(moved, "live") is moved
    assert following_alias(moved, "other") is moved


def test_a_version_and_its_alias_cannot_both_have_it(orders: Any) -> None:
    """Given one of the two provisioned, when the other is asked for, then AWS's two texts refuse it."""
    orders.published().pointing("live", "1").pointing("next", "1").when(put(orders, "live"))
    refusal = orders.refuses(put(orders, "1"))
    assert (refusal.code, refusal.message) == (
        "ResourceConflictException",
        "Version is pointed by a Provisioned Concurrency alias",
    )
    orders.when(delete(orders, "live"))
    orders.when(put(orders, "1"))
    taken = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
    assert orders.refuses(put(orders, "live")).message == taken
    assert orders.refuses(put(orders, "next")).message == taken


@pytest.mark.parametrize(
    ("qualifier", "message"),
    [
        ("$LATEST", "Provisioned Concurrency Configs cannot be applied to unpublished function versions."),
        ("draft", "Provisioned Concurrency Configs cannot be applied to unpublished function versions."),
        ("7", "Function not found: arn:aws:lambda:us-east-1:111111111111:function:orders:7"),
        ("nowhere", "Cannot find alias arn: arn:aws:lambda:us-east-1:111111111111:function:orders:nowhere"),
        ("split", "Alias with weights can not be used with Provisioned Concurrency"),
    ],
)
def test_what_cannot_be_provisioned(orders: Any, qualifier: str, message: str) -> None:
    """Given $LATEST, what is not there, or a split alias, when it is asked for, then it is refused in AWS's words."""
    orders.published(2).pointing("draft", "$LATEST").pointing("split", "1", {"2": 0.5})
    assert orders.refuses(put(orders, qualifier)).message == message


@pytest.mark.parametrize(
    "config",
    [
        {"SnapStart": {"ApplyOn": "PublishedVersions"}},
        {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}},
        {"CapacityProviderConfig": {}},
    ],
)
def test_functions_that_cannot_have_it(stream: Any, config: dict[str, Any]) -> None:
    """Given SnapStart, tenants or managed instances, when it is asked for, then it is refused."""
    stream.created(**config).published()
    assert stream.refuses(put(stream, "1")).code == "InvalidParameterValueException"


def test_it_must_fit_the_reservation(orders: Any) -> None:
    """Given 6 reserved and 4 of them provisioned, when 3 more are asked for, then they are refused; 2 are not."""
    orders.published(2).given(ConcurrencyReserved(at_ms=1, reserved=6)).when(put(orders, "1", 4))
    refusal = orders.refuses(put(orders, "2", 3))
    assert refusal.message == (
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
    )
    assert refusal.typed
    assert orders.when(put(orders, "2", 2))


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        (
            1001,
            "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].",
        ),
        (
            901,
            (
                "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                "below its minimum value of [100]."
            ),
        ),
    ],
)
def test_it_must_fit_the_account(orders: Any, requested: int, message: str) -> None:
    """Given no reservation, when more is asked for than the account can give, then AWS's untyped texts refuse it."""
    refusal = orders.published().refuses(put(orders, "1", requested))
    assert (refusal.code, refusal.message, refusal.typed) == ("InvalidParameterValueException", message, False)


def test_the_functions_other_requests_count_too(orders: Any) -> None:
    """Given 500 provisioned of 1000, when 401 more are asked for, then the account's minimum refuses it; 400 fit."""
    orders.published(2).when(put(orders, "1", 500))
    assert "minimum value of [100]" in orders.refuses(put(orders, "2", 401)).message
    assert orders.when(put(orders, "2", 400))


def test_it_is_deleted(orders: Any) -> None:
    """Given a request, when it is deleted, then it is gone; where there is none, that is no error and no event."""
    orders.published().pointing("live", "1").when(put(orders, "1"))
    assert orders.when(delete(orders, "live")) == ()
    assert orders.when(delete(orders, "1")) == (ProvisionedConcurrencyDeleted(at_ms=9_900, qualifier="1"),)
    assert orders.state.provisioned == {}
    assert orders.refuses(delete(orders, "$LATEST")).message == (
        "The function resource provided must be an alias or a published version."
    )
    assert orders.refuses(delete(orders, "8")).code == "ResourceNotFoundException"


def test_it_ends_with_its_version(orders: Any) -> None:
    """Given a provisioned version, when the version or the function is deleted, then nothing is left of it."""
    orders.published(2)
    orders.when(put(orders, "1"))
    orders.when(put(orders, "2"))
    orders.given(VersionDeleted(at_ms=9_600, version="1"))
    assert list(orders.state.provisioned) == ["2"]
    orders.given(FunctionDeleted(at_ms=9_700))
    assert orders.state.provisioned == {}


def test_what_is_in_progress_is_gone_on_with_after_a_restart(orders: Any) -> None:
    """Given a request in progress, then the view of unfinished streams names the function until it is finished."""
    orders.published()
    requested = ProvisionedConcurrencyRequested(at_ms=9_000, qualifier="1", version="1", requested=2)
    assert orders.rows(requested)["unfinished", orders.name.stream] == {}
    finished = ProvisionedConcurrencyFinished(at_ms=9_100, qualifier="1", failure="")
    assert orders.rows(finished)["unfinished", orders.name.stream] is None
