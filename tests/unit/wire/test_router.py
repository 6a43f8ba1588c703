"""Requests find their operation by raw path, method and query."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.api.wire.errors import ServiceError
from relambda.api.wire.model import Service
from relambda.api.wire.router import parse_query, router_of

Ask = Callable[..., tuple[str, dict[str, Any]]]

ARN = "arn:aws:lambda:us-east-1:111111111111:function:f:1/durable-execution/e/i"


def test_every_operation_is_found_by_its_own_binding(lambda_model: Service) -> None:
    """Each of the 91 operations answers to its method and path, with its members decoded."""
    router = router_of(lambda_model)
    assert len(lambda_model.operation_names()) == 91
    for name in lambda_model.operation_names():
        operation = lambda_model.operation(name)
        raw_path = "/".join(quote(ARN, safe="") if part.startswith("{") else part for part in operation.path.split("/"))

        match = router.route(operation.method, raw_path, {key: [value] for key, value in operation.query})

        assert match.operation is operation
        assert set(match.uri.values()) <= {ARN}
        assert len(match.uri) == operation.path.count("{")


@given(name=st.text(min_size=1))
def test_any_text_survives_one_path_segment(lambda_model: Service, name: str) -> None:
    """A percent-encoded segment, slashes and all, is decoded to exactly what was sent."""
    encoded = quote(name, safe="")

    match = router_of(lambda_model).route("GET", f"/2015-03-31/functions/{encoded}", {})

    assert match.uri == {"FunctionName": name}


@pytest.mark.parametrize(
    ("path", "query", "operation"),
    [
        ("/2018-10-31/layers", "", "ListLayers"),
        ("/2018-10-31/layers", "find=LayerVersion&Arn=x", "GetLayerVersionByArn"),
        ("/2018-10-31/layers", "find=Other", "ListLayers"),
        ("/2019-09-30/functions/f/provisioned-concurrency", "Qualifier=1", "GetProvisionedConcurrencyConfig"),
        ("/2019-09-30/functions/f/provisioned-concurrency", "List=ALL", "ListProvisionedConcurrencyConfigs"),
        ("/2015-03-31/functions/", "", "ListFunctions"),
        ("/2015-03-31/event-source-mappings/", "", "ListEventSourceMappings"),
    ],
)
def test_queries_and_trailing_slashes(lambda_model: Service, path: str, query: str, operation: str) -> None:
    """Operations on one path are told apart by their query; a trailing slash changes nothing."""
    match = router_of(lambda_model).route("GET", path, parse_query(query))

    assert match.operation.name == operation


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", ""),
        ("GET", "/2015-03-31"),
        ("GET", "/2015-03-31/functions//policy"),
        ("GET", "/2015-03-31/functions/f/unknown"),
        ("PATCH", "/2015-03-31/functions/f"),
        ("GET", "2015-03-31/functions"),
        ("GET", "/" * 8000),
    ],
)
def test_what_no_operation_has_is_unknown(lambda_model: Service, method: str, path: str) -> None:
    """An unknown path or method is AWS's UnknownOperationException."""
    with pytest.raises(ServiceError) as refused:
        router_of(lambda_model).route(method, path, {})

    assert refused.value.code == "UnknownOperationException"


@pytest.mark.parametrize(
    ("path", "query"), [("/2015-03-31/functions/%ff", ""), ("/2015-03-31/functions", "Marker=%ff")]
)
def test_broken_percent_encoding_is_refused(ask: Ask, path: str, query: str) -> None:
    """Bytes that are no UTF-8 are refused rather than replaced."""
    with pytest.raises(ServiceError) as refused:
        ask("GET", path, query)

    assert refused.value.code == "SerializationException"


def test_query_fields_keep_order_blanks_and_repeats() -> None:
    """A repeated key keeps every value, a blank one its blank, a plus is a space."""
    assert parse_query("a=1&b=&a=x+y%2B&&c") == {"a": ["1", "x y+"], "b": [""], "c": [""]}
