"""An HTTP answer before any framework has seen it."""

from dataclasses import dataclass

AWS_JSON = "application/x-amz-json-1.1"


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers and the whole body of an answer; whoever sends it adds Content-Length."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
