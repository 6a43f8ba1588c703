"""An HTTP answer before any framework has seen it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

AWS_JSON = "application/x-amz-json-1.1"


class Stream(Protocol):
    """The pieces of a body that is made while it is sent."""

    def __iter__(self) -> Iterator[bytes]:
        """The pieces, each to be sent at once."""
        ...

    def close(self) -> None:
        """Nobody wants more of it; called once it was begun or not, at its end or before."""
        ...


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers and the whole body of an answer, or its stream; whoever sends it adds Content-Length."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    stream: Stream | None = None
