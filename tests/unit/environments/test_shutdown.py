"""The end of an environment's processes: what is waited for, how long, and in which order."""

from typing import Any

import pytest

from relambda.actors.environments.shutdown import Shutdown, Step
from relambda.actors.runtime_api.session import ExtensionInfo

EXTERNAL = ExtensionInfo("outside", external=True, events=("INVOKE", "SHUTDOWN"), state="Ready", error_type="")
SILENT = ExtensionInfo("silent", external=True, events=("INVOKE",), state="Ready", error_type="")
INTERNAL = ExtensionInfo("inside", external=False, events=("INVOKE",), state="Ready", error_type="")
NOT_REGISTERED = ExtensionInfo("unseen", external=True, events=(), state="Started", error_type="")


class Environment:
    """A session with these extensions, and what is done to it, in order."""

    def __init__(self, *extensions: ExtensionInfo) -> None:
        self._extensions = extensions
        self.done: list[Any] = []
        self.waits: list[tuple[float, Step]] = []
        session: Any = self
        self.shutdown_ = Shutdown(
            "spindown", session, lambda: 1_000, lambda *wait: self.waits.append(wait), lambda: self.done.append("kill")
        )

    def extensions(self) -> tuple[ExtensionInfo, ...]:
        return self._extensions

    def shutdown(self, reason: str, deadline_ms: int) -> tuple[str, ...]:
        self.done.append((reason, deadline_ms))
        return tuple(one.name for one in self._extensions if "SHUTDOWN" in one.events)

    def begin(self, *, runtime_runs: bool = True) -> Shutdown:
        self.shutdown_.begin((lambda: self.done.append("term")) if runtime_runs else None)
        return self.shutdown_


@pytest.mark.parametrize("extensions", [(), (NOT_REGISTERED,)])
def test_without_extensions_all_are_killed_at_once(extensions: tuple[ExtensionInfo, ...]) -> None:
    """Given no extension that has registered, when the environment shuts down, then nothing is waited for."""
    environment = Environment(*extensions)
    environment.begin()
    assert (environment.done, environment.waits) == (["kill"], [])


def test_the_runtime_goes_first_and_extensions_hear_then() -> None:
    """Given an external extension, when runtime and extension end in time, then all is over with the second."""
    environment = Environment(EXTERNAL)
    shutdown = environment.begin()
    assert (environment.done, environment.waits) == (["term"], [(0.3, Step.RUNTIME)])
    shutdown.runtime_exited()
    assert environment.done == ["term", ("spindown", 2_700)]
    assert environment.waits[1:] == [(1.7, Step.EXTENSIONS)]
    shutdown.extension_exited("outside")
    assert environment.done[2:] == ["kill"]


def test_each_step_has_its_time() -> None:
    """Given a runtime and an extension that do not end, when their times are over, then the next step comes, once."""
    environment = Environment(EXTERNAL, SILENT)
    shutdown = environment.begin()
    shutdown.late(Step.RUNTIME)
    shutdown.late(Step.RUNTIME)
    shutdown.runtime_exited()
    shutdown.extension_exited("silent")
    assert environment.done == ["term", ("spindown", 2_700)]
    shutdown.late(Step.EXTENSIONS)
    shutdown.late(Step.EXTENSIONS)
    assert environment.done[2:] == ["kill"]


def test_a_runtime_with_internal_extensions_has_half_a_second() -> None:
    """Given internal extensions alone, when the runtime does not end, then it is killed after its while."""
    environment = Environment(INTERNAL)
    shutdown = environment.begin()
    assert environment.waits == [(0.5, Step.RUNTIME)]
    shutdown.late(Step.RUNTIME)
    assert environment.done == ["term", ("spindown", 2_700), "kill"]


def test_a_runtime_that_is_gone_is_not_waited_for() -> None:
    """Given a runtime that has exited, when the environment shuts down, then its extensions hear at once."""
    environment = Environment(EXTERNAL)
    environment.begin(runtime_runs=False)
    assert environment.done == [("spindown", 2_700)]
