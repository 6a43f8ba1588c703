"""Concurrency: places for invocations, and when there is none."""

import pytest

from relambda.actors.concurrency import Concurrency
from relambda.actors.domain.names import Scope, function_name
from relambda.actors.domain.refusals import Refusal

HERE = Scope("111111111111", "us-east-1")
ONE, OTHER = function_name(HERE, "one"), function_name(HERE, "other")


def test_an_account_has_as_many_places_as_its_limit() -> None:
    """The invocation past the account's limit is refused, and one that ends makes room."""
    concurrency = Concurrency(2)
    first = concurrency.acquire(ONE)
    concurrency.acquire(OTHER)
    with pytest.raises(Refusal) as refused:
        concurrency.acquire(ONE)
    assert refused.value.code == "TooManyRequestsException"
    assert refused.value.members["Reason"] == "ConcurrentInvocationLimitExceeded"
    first()
    concurrency.acquire(ONE)


def test_a_reservation_is_a_limit_and_a_claim() -> None:
    """A function runs up to its reservation, and the others have what is left."""
    concurrency = Concurrency(3)
    concurrency.reserve(ONE, 2)
    concurrency.acquire(ONE)
    concurrency.acquire(ONE)
    with pytest.raises(Refusal) as refused:
        concurrency.acquire(ONE)
    assert refused.value.members["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    concurrency.acquire(OTHER)
    with pytest.raises(Refusal, match="Rate Exceeded"):
        concurrency.acquire(OTHER)


def test_other_accounts_and_regions_have_places_of_their_own() -> None:
    """What one scope uses takes nothing from another."""
    concurrency = Concurrency(1)
    concurrency.acquire(ONE)
    concurrency.acquire(function_name(Scope("222222222222", "us-east-1"), "one"))
    concurrency.acquire(function_name(Scope("111111111111", "eu-west-1"), "one"))
    assert concurrency.running() == 3


def test_waiting_for_idle_ends_with_the_last_invocation() -> None:
    """wait_idle tells False while something runs and True when nothing does."""
    concurrency = Concurrency(1)
    release = concurrency.acquire(ONE)
    assert not concurrency.wait_idle(0)
    release()
    assert concurrency.wait_idle(0)
