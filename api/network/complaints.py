"""What the network's parts warn of while they are set up: their users should see it, and not the log alone."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_NETWORK = logging.getLogger(__package__)


class _Keeper(logging.Handler):
    """Keeps the messages of warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.kept.append(record.getMessage())


@contextmanager
def complaints() -> Iterator[list[str]]:
    """A list that gets every warning until the end of the block; the log gets them all the same."""
    keeper = _Keeper()
    _NETWORK.addHandler(keeper)
    try:
        yield keeper.kept
    finally:
        _NETWORK.removeHandler(keeper)
