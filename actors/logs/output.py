"""A function's output, cut anywhere as it came, put together into lines as CloudWatch Logs keeps them."""

import re

MAX_LINE = 256 * 1024
"""Bytes; a longer line becomes several events, as on AWS."""

_RECORD = re.compile(rb"\[(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL)\]|\d{4}-\d\d-\d\dT[\d:.]+Z\t")


class OutputLines:
    """Takes bytes, gives whole lines with their line ends; the last one waits for its end. For one thread."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now."""
        whole, end, rest = (self._rest + data).rpartition(b"\n")
        if not end or b"\r" in whole or max(len(whole), len(rest)) >= MAX_LINE:
            return self._feed_oddly(whole + end + rest)
        self._rest = rest
        return [f"{line}\n" for line in whole.decode(errors="replace").split("\n")]

    def _feed_oddly(self, data: bytes) -> list[str]:
        """Line by line, where some may be too long or have a CR."""
        *whole, self._rest = data.split(b"\n")
        found = [line + b"\n" for line in whole]
        while len(self._rest) > MAX_LINE:
            cut = _boundary(self._rest)
            found.append(self._rest[:cut])
            self._rest = self._rest[cut:]
        return [text for line in found for text in _texts(line)]

    def flush(self) -> list[str]:
        """The line that has no end yet: nothing more will come of it."""
        rest, self._rest = self._rest, b""
        return _texts(rest) if rest else []


def _texts(line: bytes) -> list[str]:
    """A line as text. Inside a record, the official runtime clients write CR for each line end of its message."""
    if b"\r" in line and _RECORD.match(line):
        line = line.rstrip(b"\r\n").replace(b"\r", b"\n") + b"\n"
    pieces = []
    while len(line) > MAX_LINE:
        cut = _boundary(line)
        pieces.append(line[:cut].decode(errors="replace"))
        line = line[cut:]
    return [*pieces, line.decode(errors="replace")]


def _boundary(line: bytes) -> int:
    """Where to cut a long line so that no character is cut."""
    cut = MAX_LINE
    while cut > MAX_LINE - 4 and line[cut] & 0xC0 == 0x80:
        cut -= 1
    return cut
