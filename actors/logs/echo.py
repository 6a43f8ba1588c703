"""What the cloud's own log shows of functions' output: whole lines, so many characters of each invocation."""

import logging

_log = logging.getLogger("relambda.function")


class Echo:
    """Shows the lines of one environment until their characters are used up; an invocation's start gives new ones."""

    def __init__(self, name: str, characters: int) -> None:
        self._name, self._characters = name, characters
        self._left = characters
        self._said = False

    def begin(self) -> None:
        """An invocation starts."""
        self._left, self._said = self._characters, False

    def show(self, lines: list[str]) -> None:
        """Show those of these lines that fit as a whole; the first one that does not is the end of it."""
        if not _log.isEnabledFor(logging.INFO):
            return
        for line in lines:
            if len(line) > self._left:
                self._say_more()
                return
            self._left -= len(line)
            _log.info("%s: %s", self._name, line.rstrip("\r\n"))

    def _say_more(self) -> None:
        self._left = 0
        if self._characters and not self._said:
            _log.info("%s: ... (all of it: relambda logs %s)", self._name, self._name)
        self._said = True
