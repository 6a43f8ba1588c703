"""What the wire tests share: Lambda's model, and one request taken through the layer as the front end does."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from relambda.api.wire.model import Service, load
from relambda.api.wire.service import read_head, read_input


@pytest.fixture(scope="session")
def lambda_model() -> Service:
    """Lambda's service model."""
    return load("lambda")


@pytest.fixture(scope="session")
def ask() -> Callable[..., tuple[str, dict[str, Any]]]:
    """Reads one request; answers its operation's name and its input."""

    def read(
        method: str, path: str, query: str = "", *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[str, dict[str, Any]]:
        head = read_head(load("lambda"), method, path, query, None)
        return head.operation.name, read_input(head, headers or {}, body)

    return read
