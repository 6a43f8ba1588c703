"""Reserved concurrency: what a function has for itself of its account's concurrency, and is held to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.names import LATEST
from relambda.actors.domain.refusals import invalid, not_found
from relambda.actors.domain.state import FunctionState, Head, function


@dataclass(frozen=True, slots=True)
class Share:
    """What an account leaves to a function: its concurrency less what all other functions claim.

    It is read from views while the account's arithmetic is held still, so it is true until the command is decided.
    """

    available: int
    minimum_unreserved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PutConcurrency(Command):
    """Reserve concurrency for a function; 0 lets it not be invoked at all."""

    reserved: int
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteConcurrency(Command):
    """Give a function's reserved concurrency back to its account."""


@event("ConcurrencyReserved")
@dataclass(frozen=True, slots=True, kw_only=True)
class ConcurrencyReserved(Event):
    """A function has concurrency for itself from now on."""

    reserved: int


@event("ConcurrencyReleased")
@dataclass(frozen=True, slots=True, kw_only=True)
class ConcurrencyReleased(Event):
    """A function shares the account's unreserved concurrency again."""


def provisioned_total(provisioned: Mapping[str, Json]) -> int:
    """How much provisioned concurrency a function has asked for, over all its versions and aliases."""
    return sum(config["RequestedProvisionedConcurrentExecutions"] for config in provisioned.values())


def claim(head: Head | None, provisioned: int) -> int:
    """What a function takes from its account's unreserved concurrency.

    Provisioned concurrency comes out of the function's reserved concurrency, or else out of the account's (Developer
    Guide, "Configuring provisioned concurrency for a function").
    """
    reserved = head.reserved_concurrency if head else None
    return provisioned if reserved is None else reserved


@function.decides(PutConcurrency)
def put_concurrency(state: FunctionState, command: PutConcurrency) -> Iterable[Event]:
    """A reservation that its provisioned concurrency fits into, and that leaves the account its minimum."""
    if state.latest is None:
        raise not_found(f"Function not found: {command.resource.arn(LATEST)}")
    asked, share, provisioned = command.reserved, command.share, provisioned_total(state.provisioned)
    if asked < provisioned:
        raise invalid(
            f" ReservedConcurrentExecutions  {asked} should not be lower than function's total provisioned "
            f"concurrency [{provisioned}].",
            typed=False,
        )
    takes_more = asked > claim(state.head, provisioned)
    if takes_more and share.available - asked < share.minimum_unreserved:
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{share.minimum_unreserved}].",
            typed=False,
        )
    if state.head is None or state.head.reserved_concurrency != asked:
        yield ConcurrencyReserved(at_ms=command.at_ms, reserved=asked)


@function.evolves(ConcurrencyReserved)
def concurrency_reserved(state: FunctionState, event: ConcurrencyReserved) -> FunctionState:
    """The reservation is there."""
    return _reserving(state, event.reserved)


@function.decides(DeleteConcurrency)
def delete_concurrency(state: FunctionState, command: DeleteConcurrency) -> Iterable[Event]:
    """The end of the reservation; one that is not there is no error."""
    if state.latest is None:
        raise not_found(f"Function not found: {command.resource.arn()}")
    if state.head is not None and state.head.reserved_concurrency is not None:
        yield ConcurrencyReleased(at_ms=command.at_ms)


@function.evolves(ConcurrencyReleased)
def concurrency_released(state: FunctionState, event: ConcurrencyReleased) -> FunctionState:
    """The reservation is gone."""
    del event
    return _reserving(state, None)


def _reserving(state: FunctionState, reserved: int | None) -> FunctionState:
    assert state.head is not None
    return replace(state, head=replace(state.head, reserved_concurrency=reserved))
