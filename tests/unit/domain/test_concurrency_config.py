"""Reserved concurrency: given a function, when it is reserved or released, then events or AWS's refusals."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relambda.actors.domain.concurrency_config import (
    ConcurrencyReleased,
    ConcurrencyReserved,
    DeleteConcurrency,
    PutConcurrency,
    Share,
    claim,
)
from relambda.actors.domain.provisioned import ProvisionedConcurrencyRequested
from relambda.actors.domain.refusals import Refusal

ACCOUNT = Share(available=1000, minimum_unreserved=100)


def put(stream: Any, reserved: int, share: Share = ACCOUNT) -> PutConcurrency:
    return PutConcurrency(resource=stream.name, at_ms=9_000, reserved=reserved, share=share)


def delete(stream: Any) -> DeleteConcurrency:
    return DeleteConcurrency(resource=stream.name, at_ms=9_000)


def provision(count: int) -> ProvisionedConcurrencyRequested:
    return ProvisionedConcurrencyRequested(at_ms=8_000, qualifier="1", version="1", requested=count)


def test_a_reservation_is_the_functions(orders: Any) -> None:
    """Given a function, when concurrency is reserved, then its head holds it, and the same again is no event."""
    assert orders.when(put(orders, 40)) == (ConcurrencyReserved(at_ms=9_000, reserved=40),)
    assert orders.state.head.reserved_concurrency == 40
    assert orders.when(put(orders, 40)) == ()


def test_none_at_all_may_be_reserved(orders: Any) -> None:
    """Given an account with nothing to spare, when 0 is reserved, then it is: that takes nothing from anybody."""
    assert orders.when(put(orders, 0, Share(available=100, minimum_unreserved=100)))


def test_nobody_has_it(stream: Any) -> None:
    """Given no function, when concurrency is reserved, then the refusal's ARN ends in $LATEST; deleting, not."""
    assert stream.refuses(put(stream, 1)).message == f"Function not found: {stream.name.arn('$LATEST')}"
    assert stream.refuses(delete(stream)).message == f"Function not found: {stream.name.arn()}"


def test_the_accounts_minimum_stays(orders: Any) -> None:
    """Given 1000 of which 100 must stay unreserved, when 901 are reserved, then AWS's untyped refusal says so."""
    refusal = orders.refuses(put(orders, 901))
    assert refusal.code == "InvalidParameterValueException"
    assert refusal.message == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
        "below its minimum value of [100]."
    )
    assert not refusal.typed


@given(
    available=st.integers(0, 2000), minimum=st.integers(0, 200), former=st.integers(0, 50), asked=st.integers(0, 2000)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_takes_no_more_is_never_refused(
    stream: Any, available: int, minimum: int, former: int, asked: int
) -> None:
    """Given any account, when a function reserves, then it is refused only if it takes more and the minimum breaks."""
    orders = type(stream)().created().given(ConcurrencyReserved(at_ms=1, reserved=former))
    command = put(orders, asked, Share(available, minimum))
    if asked > former and available - asked < minimum:
        assert not orders.refuses(command).typed
    else:
        orders.when(command)
        assert orders.state.head.reserved_concurrency == asked


def test_what_is_provisioned_must_fit(orders: Any) -> None:
    """Given 2 provisioned, when 1 is reserved, then AWS's own odd text refuses it; 2 are taken."""
    orders.published().given(provision(2))
    refusal = orders.refuses(put(orders, 1))
    assert refusal.message == (
        " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2]."
    )
    assert not refusal.typed
    assert orders.when(put(orders, 2))


def test_a_reservation_is_given_back(orders: Any) -> None:
    """Given a reservation, when it is deleted, then it is gone, and deleting it again is no event and no error."""
    orders.given(ConcurrencyReserved(at_ms=1, reserved=5))
    assert orders.when(delete(orders)) == (ConcurrencyReleased(at_ms=9_000),)
    assert orders.state.head.reserved_concurrency is None
    assert orders.when(delete(orders)) == ()


@pytest.mark.parametrize(("reserved", "provisioned", "claimed"), [(None, 0, 0), (None, 7, 7), (10, 7, 10), (0, 0, 0)])
def test_a_claim_is_the_reservation_or_what_is_provisioned(
    orders: Any, reserved: int | None, provisioned: int, claimed: int
) -> None:
    """Given a reservation and provisioned concurrency, then the second comes out of the first, or of the account."""
    if reserved is not None:
        orders.given(ConcurrencyReserved(at_ms=1, reserved=reserved))
    assert claim(orders.state.head, provisioned) == claimed


def test_refused_requests_leave_nothing(orders: Any) -> None:
    """Given a refused reservation, then the state is what it was."""
    before = orders.state
    with pytest.raises(Refusal):
        orders.when(put(orders, 5000))
    assert orders.state is before
