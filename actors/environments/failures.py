"""How an invocation that the runtime did not answer is answered: the payloads that AWS makes itself.

FACTS.md section 4, "Payloads"; limits.tsv, "sync response payload".
"""

import errno
import json
import os
import signal
from dataclasses import dataclass

from relambda.actors.environments.phases import RESTORE_SECONDS

MAX_RESPONSE = 6_291_556
KILLED = 137
"""What a shell tells of a process that SIGKILL ended."""
LAUNCH_ERROR = "Extension.LaunchError"
_BY_SIGNAL = 128
_LAST_SIGNAL = 64
_NOT_EXECUTABLE = 126
_LAUNCH_ERRORS = {_NOT_EXECUTABLE: "permission denied", 127: "no such file or directory"}
"""What a shell tells of a file that it could not execute, and the system's words for it."""
_SHELL_ERRORS = {126: errno.ENOEXEC, 127: errno.ENOENT}
"""What a shell tells of a program that it has looked at before, and could not execute all the same."""
_BOOTSTRAPS = "/var/task/bootstrap /opt/bootstrap"
_EXITED = "Runtime exited with error: "


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an execution environment failed an invocation: AWS's error type, and the message or the whole body."""

    error_type: str
    message: str = ""
    body: bytes = b""
    """What the runtime itself reported, passed through unchanged."""

    @property
    def status(self) -> str:
        """The status of its invocation as the log tells it (log_formats.tsv, "REPORT with failure")."""
        return {"Sandbox.Timedout": "timeout", "Sandbox.Failure": "failure"}.get(self.error_type, "error")

    @property
    def words(self) -> str:
        """The message, be it the runtime's own."""
        try:
            return str(json.loads(self.body)["errorMessage"]) if self.body else self.message
        except (ValueError, KeyError, TypeError):
            return self.error_type

    def payload(self, request_id: str) -> bytes:
        """The answer's payload for an invocation."""
        if self.body:
            return self.body
        message = f"RequestId: {request_id} Error: {self.message}"
        return json.dumps({"errorType": self.error_type, "errorMessage": message}, separators=(",", ":")).encode()


def timed_out(seconds: float) -> Failure:
    """The function ran for longer than its timeout."""
    return Failure("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")


def init_timed_out(seconds: float) -> Failure:
    """The environment did not become ready in time."""
    return Failure("Sandbox.Timedout", f"The execution environment was not ready after {seconds:.2f} seconds")


def restore_timed_out() -> Failure:
    """The runtime's hooks ran for longer than a restore may take (limits.tsv, "restore phase")."""
    return Failure("Runtime.RestoreHookUserTimeout", f"Restore timed out after {RESTORE_SECONDS:.2f} seconds")


def exited(code: int) -> Failure:
    """The runtime ended without an answer; `code` as a shell tells it."""
    if code == 0:
        return Failure("Runtime.ExitError", "Runtime exited without providing a reason")
    if _BY_SIGNAL < code <= _BY_SIGNAL + _LAST_SIGNAL:
        return Failure("Runtime.ExitError", f"{_EXITED}signal: {_signal(code - _BY_SIGNAL)}")
    return Failure("Runtime.ExitError", f"{_EXITED}exit status {code}")


def invalid_entrypoint(program: str, code: int) -> Failure:
    """The runtime's program could not be executed; "" when there is none. `code` is the system's error or a shell's.

    The words are those that AWS was seen to answer, and its Runtime Interface Emulator: "Troubleshoot invocation
    issues in Lambda".
    """
    error = _SHELL_ERRORS.get(code, code)
    if not program:
        words = f"Couldn't find valid bootstrap(s): [{_BOOTSTRAPS}]"
    elif error == errno.ENOENT and "/" not in program:
        words = f'exec: "{program}": executable file not found in $PATH'
    else:
        words = f"fork/exec {program}: {os.strerror(error).lower()}"
    return Failure("Runtime.InvalidEntrypoint", words)


def extension_ended(name: str, code: int, reported: str, *, registered: bool) -> Failure:
    """An extension ended though nobody bade it; `code` as a shell tells it, `reported` the type it gave before.

    The words are those that AWS was seen to log.
    """
    if code in _LAUNCH_ERRORS and not registered:
        return Failure(LAUNCH_ERROR, f"fork/exec /opt/extensions/{name}: {_LAUNCH_ERRORS[code]}")
    words = exited(code).message.removeprefix(_EXITED) if code else "exit code 0"
    return Failure(reported or "Extension.Crash", words)


def launch_reason(code: int) -> str:
    """Why an extension's file could not be executed, as AWS was seen to log it in the line EXTENSION."""
    return "PermissionDenied" if code == _NOT_EXECUTABLE else "UnknownError"


def too_many_extensions(reason: str) -> Failure:
    """There are more external extensions than an environment may have."""
    return Failure("Extension.TooManyExtensions", reason)


def _signal(number: int) -> str:
    """A signal as AWS names it: in the words of the platform's own strsignal, in lower case."""
    try:
        return (signal.strsignal(number) or str(number)).lower()
    except ValueError:
        return str(number)


def sandbox_failed(reason: str) -> Failure:
    """The container could not be started, or ended by itself."""
    return Failure("Sandbox.Failure", reason)
