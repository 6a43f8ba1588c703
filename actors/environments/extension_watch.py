"""The ends that an environment's extensions come to by themselves: each breaks the environment."""

from typing import TYPE_CHECKING

from relambda.actors.environments import failures, phases
from relambda.actors.environments.deadlines import Break
from relambda.actors.environments.instance_messages import ExtensionOverdue

if TYPE_CHECKING:
    from relambda.actors.environments.instance import Instance


class ExtensionWatch:
    """One environment's, on its actor's thread. `break_` ends what runs, and all processes."""

    def __init__(self, instance: "Instance", break_: Break) -> None:
        self._instance, self._break = instance, break_
        self._starts = 0
        self._errors: dict[str, str] = {}

    def begin(self, starts: int) -> None:
        """They are started anew, so many times by now."""
        self._starts, self._errors = starts, {}

    def failed(self, name: str, error_type: str) -> None:
        """One has reported an error. Its exit tells the code; one that does not exit is not waited for."""
        self._errors[name] = error_type
        overdue = ExtensionOverdue(name, self._starts)
        self._instance.room.scheduler.after(phases.EXIT_SECONDS, lambda: self._instance.tell(overdue))

    def gone(self, name: str, code: int) -> None:
        """One has ended, or does not though it should."""
        registered = any(one.name == name and one.state != "Started" for one in self._instance.session.extensions())
        failure = failures.extension_ended(name, code, self._errors.get(name, ""), registered=registered)
        if failure.error_type == failures.LAUNCH_ERROR:
            self._instance.session.did_not_launch(name, failures.launch_reason(code))
        self._break(failure, "failure", None)
