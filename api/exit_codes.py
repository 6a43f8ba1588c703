"""What the command's exit codes mean."""

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """Exit codes of `relambda`; `relambda --help` lists them."""

    OK = 0, "it was done"
    FAILED = 1, "it could not be done; the message says why"
    USAGE = 2, "the command line is wrong"
    NOT_RUNNING = 3, "no cloud runs on the state directory"
    IN_USE = 4, "the state directory, or the port, belongs to another process"
    UNWELL = 5, "doctor found something that keeps functions from running"
    REFUSED = 6, "a snapshot was refused; nothing was changed"
    TIMED_OUT = 7, "it took longer than its bound"

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        """Make a code that knows its meaning."""
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code
