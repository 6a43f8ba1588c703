"""Telling the init's words from the runtime's output in one stream of bytes (the format: `docker/init.sh`)."""

from collections.abc import Iterator
from dataclasses import dataclass

_LIMIT = 512
"""No frame is longer; so much and no more waits for the end of one."""

_END = b"\x1e\x00"


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes that the runtime wrote."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ExtensionOutput:
    """Bytes that an extension wrote: a stream of their own, without frames."""

    data: bytes


@dataclass(frozen=True, slots=True)
class RuntimeUnfit:
    """The runtime's program could not be executed; "" when there is none. `RuntimeExited` follows."""

    program: str
    code: int


@dataclass(frozen=True, slots=True)
class RuntimeExited:
    """The runtime ended by itself."""

    code: int


@dataclass(frozen=True, slots=True)
class ExtensionFound:
    """There is a file of that name among the extensions."""

    name: str


@dataclass(frozen=True, slots=True)
class ExtensionsTold:
    """All extensions that there are have been told; they are not started yet."""


@dataclass(frozen=True, slots=True)
class ExtensionExited:
    """An extension ended by itself, or could not be started."""

    name: str
    code: int


@dataclass(frozen=True, slots=True)
class Killed:
    """No process of the runtime or of an extension is left."""


@dataclass(frozen=True, slots=True)
class Marked:
    """All output before the mark came before this; the peak of memory in bytes, 0 if unknown."""

    mark: str
    memory_peak_bytes: int


Word = Output | RuntimeUnfit | RuntimeExited | ExtensionFound | ExtensionsTold | ExtensionExited | Killed | Marked


class FrameReader:
    """Splits a stream, given in chunks cut anywhere, into output and frames, in order. For one thread."""

    def __init__(self, token: str) -> None:
        self._begin = b"\x00\x1e" + token.encode() + b" "
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Word]:
        """What is complete now; only what may be the beginning of a frame is kept back."""
        data = self._rest + data
        position = 0
        while (begin := data.find(self._begin, position)) >= 0:
            end = data.find(_END, begin + len(self._begin), begin + _LIMIT)
            if end < 0 and len(data) - begin < _LIMIT:
                break
            if begin > position:
                yield Output(data[position:begin])
            position, word = self._frame(data, begin, end)
            yield word
        keep = begin if begin >= 0 else len(data) - self._beginning_at_end(data[position:])
        if keep > position:
            yield Output(data[position:keep])
        self._rest = data[keep:]

    def close(self) -> Iterator[Word]:
        """What was kept back, when the stream has ended."""
        if self._rest:
            yield Output(self._rest)
        self._rest = b""

    def _frame(self, data: bytes, begin: int, end: int) -> tuple[int, Word]:
        """The frame that begins there, and where it ends; bytes that are no frame after all are output."""
        body = begin + len(self._begin)
        word = _parse(data[body:end]) if end >= 0 else None
        if word is None:
            return body, Output(data[begin:body])
        return end + len(_END), word

    def _beginning_at_end(self, data: bytes) -> int:
        """How many bytes at the end may be the beginning of a frame."""
        for length in range(min(len(self._begin) - 1, len(data)), 0, -1):
            if self._begin.startswith(data[-length:]):
                return length
        return 0


def _parse(body: bytes) -> Word | None:
    word: Word | None = None
    match body.split(b" ", 2):
        case [b"exit", code] if code.isdigit():
            word = RuntimeExited(int(code))
        case [b"unfit", code, program] if code.isdigit():
            word = RuntimeUnfit(_name(program), int(code))
        case [b"extension", *name] if name:
            word = ExtensionFound(_name(b" ".join(name)))
        case [b"extensions"]:
            word = ExtensionsTold()
        case [b"gone", code, name] if code.isdigit():
            word = ExtensionExited(_name(name), int(code))
        case [b"killed"]:
            word = Killed()
        case [b"mark", mark, peak] if peak.isdigit():
            word = Marked(mark.decode("ascii", "replace"), int(peak))
    return word


def _name(name: bytes) -> str:
    return name.decode(errors="surrogateescape")
