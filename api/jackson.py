"""Why a text is no JSON, in the words of the parser behind Lambda, Jackson (error_messages_observed.tsv).

Two answers of Lambda are recorded; the others are that parser's own messages for the commonest mistakes. Only what a
faster parser has refused comes here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

_SOURCE = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}]"
_TOKENS = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"
_WHITE, _DIGITS = b" \t\r\n", b"0123456789"
_WORDS = (b"true", b"false", b"null")
_LONGEST_TOKEN = 256
_SIZES = ((1, 0x00, 0x7F), (2, 0xC0, 0xDF), (3, 0xE0, 0xEF), (4, 0xF0, 0xF7))
"""How many bytes a character of UTF-8 has, by its first byte."""
_CLOSERS = {b"{": "Object", b"[": "Array"}
_ENDS = {b"{": b"}", b"[": b"]"}


_Part: TypeAlias = "Callable[[], _Part | None]"


class _Wrong(Exception):  # noqa: N818 - the finding, on its way out
    """What is wrong, and behind how many bytes the parser stood."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.what, self.at = what, at


def complaint(text: bytes) -> str | None:
    """What the parser says of a text, with line and column; None for a text that it takes."""
    try:
        _Reader(text).read()
    except _Wrong as wrong:
        return f"{wrong.what}\n at {_place(text, wrong.at)}"
    return None


def _place(text: bytes, at: int) -> str:
    line = text.count(b"\n", 0, at) + 1
    return _SOURCE.format(line=line, column=at - (text.rfind(b"\n", 0, at) + 1) + 1)


def _character(code: int) -> str:
    if code < 0x20 or 0x7F <= code <= 0x9F:
        return f"(CTRL-CHAR, code {code})"
    shown = f" / 0x{code:x}" if code > 0xFF else ""
    return f"'{chr(code)}' (code {code}{shown})"


@dataclass(slots=True)
class _Reader:
    """Goes through a text once, without recursion, and raises at the first mistake."""

    text: bytes
    at: int = 0
    open: list[tuple[bytes, int]] = field(default_factory=list)
    """Brackets that are not closed, and where they are."""

    def read(self) -> None:
        """Read values until all brackets are closed and the text is over: each part tells which one comes next."""
        part: _Part | None = self._value
        while part is not None:
            part = part()

    def _skip(self) -> bytes:
        """The next byte that is no white space; b"" at the end."""
        while self.at < len(self.text) and self.text[self.at] in _WHITE:
            self.at += 1
        return self.text[self.at : self.at + 1]

    def _value(self) -> "_Part":
        first = self._skip()
        if not first:
            raise self._ended()
        if first in _CLOSERS:
            return self._begin(first)
        if first == b'"':
            self._string()
        elif first in _DIGITS or first == b"-":
            self._number()
        else:
            self._word()
        return self._behind

    def _begin(self, bracket: bytes) -> "_Part":
        self.open.append((bracket, self.at))
        self.at += 1
        if self._skip() == _ENDS[bracket]:
            return self._behind
        return self._field if bracket == b"{" else self._value

    def _behind(self) -> "_Part | None":
        """Behind a value: the end of its bracket, or a comma and the next value; nothing more when there is none."""
        found = self._skip()
        if not self.open:
            return self._value if found else None
        if not found:
            raise self._ended()
        bracket, _ = self.open[-1]
        self.at += 1
        if found == _ENDS[bracket]:
            self.open.pop()
            return self._behind
        if found != b",":
            self.at -= 1
            raise self._unexpected(f"was expecting comma to separate {_CLOSERS[bracket]} entries")
        return self._field if bracket == b"{" else self._value

    def _field(self) -> "_Part":
        found = self._skip()
        if not found:
            raise self._ended()
        if found != b'"':
            raise self._unexpected("was expecting double-quote to start field name")
        self._string()
        found = self._skip()
        if not found:
            raise self._ended()
        if found != b":":
            raise self._unexpected("was expecting a colon to separate field name and value")
        self.at += 1
        return self._value

    def _string(self) -> None:
        self.at += 1
        while self.at < len(self.text):
            code = self.text[self.at]
            if code == 0x22:
                self.at += 1
                return
            if code == 0x5C:
                self._escape()
            elif code < 0x20:
                what = f"Illegal unquoted character ({_character(code)})"
                raise _Wrong(f"{what}: has to be escaped using backslash to be included in string value", self.at)
            else:
                self._decoded()
        raise _Wrong("Unexpected end-of-input in VALUE_STRING", self.at)

    def _escape(self) -> None:
        escaped = self.text[self.at + 1 : self.at + 2]
        if escaped == b"u":
            self.at += 6
        elif escaped and escaped in b'"\\/bfnrt':
            self.at += 2
        elif escaped:
            raise _Wrong(f"Unrecognized character escape {_character(escaped[0])}", self.at + 2)
        else:
            self.at += 1

    def _number(self) -> None:
        if self.text[self.at : self.at + 1] == b"-":
            self.at += 1
        if self.text[self.at : self.at + 1] == b"0" and self.text[self.at + 1 : self.at + 2].isdigit():
            raise _Wrong("Invalid numeric value: Leading zeroes not allowed", self.at + 1)
        while self.at < len(self.text) and self.text[self.at] in b"+-.eE0123456789":
            self.at += 1

    def _word(self) -> None:
        """true, false or null; anything else that begins like a word is a token nobody knows."""
        start = self.at
        for word in _WORDS:
            if self.text.startswith(word, start) and not self._names(start + len(word)):
                self.at += len(word)
                return
        if not self._names(start):
            raise self._unexpected(f"expected a valid value ({_TOKENS})")
        shown = ""
        while self.at < len(self.text):
            character = self._decoded()
            if not (character.isalnum() or character in "_$"):
                break
            shown += character
            if len(shown) >= _LONGEST_TOKEN:
                shown += "..."
                break
        raise _Wrong(f"Unrecognized token '{shown}': was expecting ({_TOKENS})", self.at)

    def _names(self, at: int) -> bool:
        """Whether a name could begin or go on here."""
        following = self.text[at : at + 1]
        return following.isalpha() or following in {b"_", b"$"}

    def _decoded(self) -> str:
        """The character here, which the text goes on behind."""
        lead = self.text[self.at]
        size = next((number for number, first, last in _SIZES if first <= lead <= last), 0)
        if not size:
            raise _Wrong(f"Invalid UTF-8 start byte 0x{lead:x}", self.at + 1)
        for beyond in range(self.at + 1, min(self.at + size, len(self.text))):
            if self.text[beyond] >> 6 != 0b10:
                raise _Wrong(f"Invalid UTF-8 middle byte 0x{self.text[beyond]:x}", beyond + 1)
        character = self.text[self.at : self.at + size].decode(errors="replace")
        self.at += size
        return character[0]

    def _unexpected(self, expected: str) -> _Wrong:
        return _Wrong(f"Unexpected character ({_character(self.text[self.at])}): {expected}", self.at)

    def _ended(self) -> _Wrong:
        if not self.open:
            return _Wrong("Unexpected end-of-input", self.at)
        bracket, begun = self.open[-1]
        start = f"(start marker at {_place(self.text, begun)})"
        return _Wrong(f"Unexpected end-of-input: expected close marker for {_CLOSERS[bracket]} {start}", self.at)
