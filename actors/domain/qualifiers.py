"""Qualifiers: the versions and aliases of a function, and all that hangs on each of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from relambda.actors.domain.state import FunctionState

_HANGING = ("policies", "urls", "invoke_configs", "provisioned", "runtime_management", "scaling")


def is_version(qualifier: str) -> bool:
    """Whether a qualifier is a version's: $LATEST, $LATEST.PUBLISHED or a number; an alias's has neither form."""
    return qualifier.startswith("$") or qualifier.isdecimal()


def known(state: FunctionState, qualifier: str) -> bool:
    """Whether there is such a version or alias."""
    return qualifier in state.versions or qualifier in state.aliases


def without(state: FunctionState, qualifier: str) -> FunctionState:
    """The state after the end of a version or alias: nothing hangs on its qualifier any more.

    For whoever folds the end of a version or an alias; the version or alias itself is theirs to remove.
    """
    kept: dict[str, Any] = {}
    for member in _HANGING:
        held: Mapping[str, Any] = getattr(state, member)
        if qualifier in held:
            kept[member] = dropped(held, qualifier)
    return replace(state, **kept) if kept else state


def dropped(held: Mapping[str, Any], qualifier: str) -> dict[str, Any]:
    """A map without one qualifier."""
    return {other: value for other, value in held.items() if other != qualifier}
