"""A checkpoint: updates of operations that are taken all or none, for a token that serves once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Event, event
from relambda.actors.domain.durable import OnExecution
from relambda.actors.domain.durable_names import sequence_of
from relambda.actors.domain.durable_operations import Update, apply
from relambda.actors.domain.durable_pause import REPEAT_MS, pause_took
from relambda.actors.domain.durable_state import DurableState, OperationState, Request, durable
from relambda.actors.domain.refusals import Refusal, invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeCheckpoint(OnExecution):
    """Save what the function has done so far."""

    token: str
    updates: Sequence[Json] = ()
    client_token: str = ""


@event("DurableCheckpointTaken")
@dataclass(frozen=True, slots=True, kw_only=True)
class DurableCheckpointTaken(Event):
    """The token has served; the next checkpoint brings the next one."""

    client_token: str


def wrong_token() -> Refusal:
    """The token is not the one to bring now."""
    return invalid("Invalid checkpoint token.")


@durable.decides(TakeCheckpoint)
def take(state: DurableState, command: TakeCheckpoint) -> Iterable[Event]:
    """What follows from the updates, in order, each on the state that the former ones lead to."""
    if not state.id or state.id != command.execution_id:
        raise wrong_token()
    sequence = sequence_of(command.token, state.id)
    if _repeated(state, command, sequence):
        return
    if sequence != state.sequence:
        raise wrong_token()
    if state.status not in {"RUNNING", "PAUSING"}:
        raise invalid(f"The durable execution takes no checkpoint: its status is {state.status}.")
    _check_order(command.updates)
    now = state
    for given in command.updates:
        for each in apply(Update(command.resource, now, given, command.at_ms)):
            now = durable.evolve(now, each)
            yield each
    yield from pause_took(now, command.at_ms)
    yield DurableCheckpointTaken(at_ms=command.at_ms, client_token=command.client_token)


@durable.evolves(DurableCheckpointTaken)
def taken(state: DurableState, event: DurableCheckpointTaken) -> DurableState:
    """The token has served."""
    request = Request(event.client_token, f"checkpoint {state.sequence}", event.at_ms)
    return replace(state, sequence=state.sequence + 1, request=request)


def changed_since(state: DurableState, token: str) -> list[OperationState]:
    """Operations that a token's bearer has not seen as they are now, in the order of their starts."""
    sequence = sequence_of(token, state.id) or 0
    return [each for each in state.operations.values() if each.touched >= sequence]


def _repeated(state: DurableState, command: TakeCheckpoint, sequence: int | None) -> bool:
    last = state.request
    if last is None or not command.client_token or command.at_ms - last.at_ms >= REPEAT_MS:
        return False
    return (last.client_token, last.what) == (command.client_token, f"checkpoint {sequence}")


def _check_order(updates: Sequence[Json]) -> None:
    """An operation comes once, or is started and closed; the end of the execution is last (durable.tsv)."""
    begun = dict[str, str]()
    for number, given in enumerate(updates):
        if given["Type"] == "EXECUTION" and number != len(updates) - 1:
            raise invalid("Invalid updates: the end of the execution is not the last one.")
        if given["Id"] in begun:
            pair = given["Type"] in {"STEP", "CONTEXT"} and begun[given["Id"]] == "START" != given["Action"]
            if not pair:
                raise invalid(f"Invalid updates: operation {given['Id']} is updated more than once.")
        begun[given["Id"]] = given["Action"]
