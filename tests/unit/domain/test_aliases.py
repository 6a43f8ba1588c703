"""Aliases: what they point to, how they share invocations, and what AWS refuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.domain.aliases import (
    AliasCreated,
    AliasDeleted,
    AliasUpdated,
    CreateAlias,
    DeleteAlias,
    UpdateAlias,
)
from relambda.actors.domain.concurrency_config import Share
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.provisioned import FinishProvisioning, PutProvisionedConcurrency
from relambda.actors.domain.refusals import Refusal
from relambda.actors.domain.routing import resolve
from relambda.actors.domain.state import FunctionState

STALE = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)


def create(stream: Any, version: str = "1", name: str = "live", **given: Any) -> CreateAlias:
    return CreateAlias(resource=stream.name, at_ms=5_000, name=name, version=version, revision_id="a1", **given)


def update(stream: Any, name: str = "live", **given: Any) -> UpdateAlias:
    return UpdateAlias(resource=stream.name, at_ms=6_000, name=name, revision_id="a2", **given)


def delete(stream: Any, name: str = "live") -> DeleteAlias:
    return DeleteAlias(resource=stream.name, at_ms=7_000, name=name)


def test_a_name_for_a_version(orders: Any) -> None:
    """Given a version, when an alias is created, then it points there, without RoutingConfig."""
    orders.published()
    assert orders.when(create(orders, description="now")) == (
        AliasCreated(at_ms=5_000, name="live", version="1", description="now", weights={}, revision_id="a1"),
    )
    assert orders.state.aliases["live"] == {
        "Name": "live",
        "FunctionVersion": "1",
        "Description": "now",
        "RevisionId": "a1",
    }


def test_creating_it_leaves_the_function_alone(orders: Any) -> None:
    """Given a version, when an alias is created, then $LATEST keeps its revision."""
    orders.published()
    before = orders.state.latest
    orders.when(create(orders))
    assert orders.state.latest is before


def test_its_row_is_in_the_view(orders: Any) -> None:
    """Given an alias, when it is deleted, then the view loses its row."""
    orders.published()
    made = AliasCreated(at_ms=5_000, name="live", version="1", description="", weights={}, revision_id="a1")
    key = ("aliases", f"{orders.name.key}/live")
    assert orders.rows(made)[key]["FunctionVersion"] == "1"
    assert orders.rows(AliasDeleted(at_ms=7_000, name="live")) == {key: None}


@pytest.mark.parametrize(
    ("version", "weights", "code", "message", "typed"),
    [
        (
            "1",
            {"2": 0.5, "3": 0.1},
            "InvalidParameterValueException",
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
            True,
        ),
        (
            "1",
            {"1": 0.5},
            "InvalidParameterValueException",
            "Invalid function version 1. Function version 1 is already included in routing configuration.",
            True,
        ),
        ("10", {}, "ResourceNotFoundException", "Function not found: {arn}:10", True),
        ("1", {"10": 0.5}, "ResourceNotFoundException", "Function not found: {arn}:10", True),
        (
            LATEST,
            {"1": 0.5},
            "InvalidParameterValueException",
            "$LATEST is not supported for an alias pointing to more than 1 version",
            False,
        ),
    ],
)
def test_targets_that_aws_refuses(
    orders: Any, version: str, weights: dict[str, float], code: str, message: str, typed: bool
) -> None:
    """Given two versions, when an alias is created or pointed so, then AWS's refusal, `Type` left out where it is."""
    orders.published(2)
    expected = (code, message.format(arn=orders.name.arn()), typed)
    refusal = orders.refuses(create(orders, version, weights=weights))
    assert (refusal.code, refusal.message, refusal.typed) == expected
    orders.when(create(orders, "2"))
    refusal = orders.refuses(update(orders, version=version, weights=weights))
    assert (refusal.code, refusal.message, refusal.typed) == expected


def test_latest_may_have_a_name(orders: Any) -> None:
    """Given $LATEST alone, when an alias is created for it, then it is."""
    orders.when(create(orders, LATEST))
    assert orders.state.aliases["live"]["FunctionVersion"] == LATEST


def test_a_name_is_given_once(orders: Any) -> None:
    """Given an alias, when it is created again, then the conflict names its ARN."""
    orders.published().when(create(orders))
    refusal = orders.refuses(create(orders))
    assert (refusal.code, refusal.message) == (
        "ResourceConflictException",
        f"Alias already exists: {orders.name.arn('live')}",
    )


def test_no_function_no_alias(stream: Any) -> None:
    """Given no function, then creating names the version, updating the alias, deleting the function."""
    assert stream.refuses(create(stream)).message == f"Function not found: {stream.name.arn('1')}"
    assert stream.refuses(update(stream)).message == f"Alias not found: {stream.name.arn('live')}"
    assert stream.refuses(delete(stream)).message == f"Function not found: {stream.name.arn()}"


def test_what_an_update_leaves_out_stays(orders: Any) -> None:
    """Given a shared alias, when its description changes, then target and shares stay; the revision is new."""
    orders.published(2).when(create(orders, weights={"2": 0.3}))
    assert orders.when(update(orders, description="other")) == (
        AliasUpdated(at_ms=6_000, name="live", version="1", description="other", weights={"2": 0.3}, revision_id="a2"),
    )


def test_an_update_of_nothing_is_an_update(orders: Any) -> None:
    """Given an alias, when nothing of it is changed, then its revision changes all the same."""
    orders.published().when(create(orders))
    assert orders.when(update(orders)) != ()
    assert orders.state.aliases["live"]["RevisionId"] == "a2"


def test_empty_weights_end_the_sharing(orders: Any) -> None:
    """Given a shared alias, when it is updated with no weights, then RoutingConfig is gone."""
    orders.published(2).when(create(orders, weights={"2": 0.3}))
    assert "RoutingConfig" in orders.state.aliases["live"]
    orders.when(update(orders, weights={}))
    assert "RoutingConfig" not in orders.state.aliases["live"]


def test_a_kept_share_counts_against_a_new_target(orders: Any) -> None:
    """Given an alias that shares with version 2, when it is pointed to 2 with nothing said of shares, then refused."""
    orders.published(2).when(create(orders, weights={"2": 0.3}))
    assert orders.refuses(update(orders, version="2")).message == (
        "Invalid function version 2. Function version 2 is already included in routing configuration."
    )


def test_updates_may_be_bound_to_a_revision(orders: Any) -> None:
    """Given an alias, when updated with another revision, then 412; with its own, then it is updated."""
    orders.published().when(create(orders))
    refusal = orders.refuses(update(orders, expected_revision_id="other"))
    assert (refusal.code, refusal.message) == ("PreconditionFailedException", STALE)
    assert orders.when(update(orders, expected_revision_id="a1")) != ()


def test_deleting_twice_is_no_error(orders: Any) -> None:
    """Given an alias, when it is deleted, then it is gone; when deleted again, then nothing happens."""
    orders.published().when(create(orders))
    assert orders.when(delete(orders)) == (AliasDeleted(at_ms=7_000, name="live"),)
    assert orders.state.aliases == {}
    assert orders.when(delete(orders)) == ()


def test_provisioned_concurrency_goes_with_it(orders: Any) -> None:
    """Given a provisioned alias, when it is pointed elsewhere, then what it had provisioned starts over there."""
    orders.published(2).when(create(orders))
    where = {"resource": orders.name, "qualifier": "live", "requested": 5}
    orders.when(PutProvisionedConcurrency(at_ms=8_000, share=Share(available=1000, minimum_unreserved=100), **where))
    orders.when(FinishProvisioning(at_ms=8_500, version="1", **where))
    orders.when(update(orders, version="2"))
    config = orders.state.provisioned["live"]
    assert (config["Version"], config["Status"]) == ("2", "IN_PROGRESS")


def test_what_hangs_on_it_goes_with_it(orders: Any) -> None:
    """Given a provisioned alias, when it is deleted, then nothing is provisioned any more."""
    orders.published().when(create(orders))
    share = Share(available=1000, minimum_unreserved=100)
    orders.when(
        PutProvisionedConcurrency(resource=orders.name, at_ms=8_000, qualifier="live", requested=5, share=share)
    )
    orders.when(delete(orders))
    assert orders.state.provisioned == {}


NAME = ResourceName("function", "111111111111", "us-east-1", "orders")


@given(weight=st.floats(0, 1), chance=st.floats(0, 1, exclude_max=True))
def test_shares_decide_which_version_runs(weight: float, chance: float) -> None:
    """For every share and chance: the other version runs exactly when the chance is below its share."""
    alias = {"FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": weight}}}
    state = FunctionState(aliases={"live": alias})
    assert resolve(NAME, state, "live", chance) == ("2" if chance < weight else "1")


def test_a_qualifier_that_means_nothing() -> None:
    """Given no such alias, when it is resolved, then the function is not found, by the qualified ARN."""
    with pytest.raises(Refusal, match=r":orders:gone$"):
        resolve(NAME, FunctionState(), "gone", 0.0)
