"""Why a payload is no JSON: the two answers that are recorded of Lambda, and its parser's words for common mistakes."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relambda.api.jackson import complaint

WHERE = " at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {}, column: {}]"
VALUE = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"
RECORDED = [
    (b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt", "Invalid UTF-8 start byte 0x87", 3),
    (b"\x99\xeb,j\x07\xa1zYh", f"Unexpected character ((CTRL-CHAR, code 153)): expected a valid value ({VALUE})", 1),
]
OTHERS = [
    (b"hello", f"Unrecognized token 'hello': was expecting ({VALUE})", 6),
    (b"{'a': 1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name", 2),
    (b'{"a": 1,}', "Unexpected character ('}' (code 125)): was expecting double-quote to start field name", 9),
    (b'{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value", 6),
    (b'{"a": 1 "b"}', "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries", 9),
    (b"[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 4),
    (b"[1,]", f"Unexpected character (']' (code 93)): expected a valid value ({VALUE})", 4),
    (b'{"a": tru}', f"Unrecognized token 'tru': was expecting ({VALUE})", 11),
    (b"007", "Invalid numeric value: Leading zeroes not allowed", 2),
    (b'"\\x"', "Unrecognized character escape 'x' (code 120)", 4),
]


@pytest.mark.parametrize(("text", "what", "column"), [*RECORDED, *OTHERS])
def test_what_is_wrong(text: bytes, what: str, column: int) -> None:
    """Given a text that is no JSON, then the parser's words tell what is wrong, and where."""
    assert complaint(text) == f"{what}\n{WHERE.format(1, column)}"


def test_what_is_not_closed() -> None:
    """Given an object that is not closed, then it is told where it began; lines are counted."""
    begun, ended = WHERE[4:].format(1, 1), WHERE.format(2, 8)
    expected = f"Unexpected end-of-input: expected close marker for Object (start marker at {begun})\n{ended}"
    assert complaint(b'{\n"a": [1]'[:9]) is not None
    assert complaint(b'{\n "a": 1') == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@given(JSON, st.booleans())
def test_json_is_not_complained_about(document: Any, ascii_: bool) -> None:
    """Given any JSON document, then there is no complaint."""
    assert complaint(json.dumps(document, ensure_ascii=ascii_).encode()) is None


@given(st.binary() | st.text("{}[]\",:0 1tn\\u'\n").map(str.encode))
@example(b"[" * 100_000)
@example(b'{"a":' * 50_000)
def test_any_bytes_are_read(text: bytes) -> None:
    """Given any bytes, however deep they nest, then the reader ends, and complains of nothing that is JSON."""
    found = complaint(text)
    try:
        text.decode()
        msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return
    assert found is None
