"""The wire layer against botocore's own serialiser and parser: what a real client sends and understands."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relambda.api.wire.errors import UNMODELLED, ServiceError
from relambda.api.wire.model import Member, Service, Shape, load
from relambda.api.wire.parse import parse_input
from relambda.api.wire.response import Response
from relambda.api.wire.serialize import serialize
from relambda.api.wire.service import read_head
from relambda.api.wire.signature import Caller

LAMBDA = load("lambda")
ACCOUNT = "123456789012"
Answerer = Callable[[AWSPreparedRequest], Response]


class Wire:
    """A real Lambda client whose requests are answered here in the place of a network."""

    def __init__(self) -> None:
        session = Session()
        session.set_credentials(ACCOUNT, "any")
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=True)
        self.client = session.create_client(
            "lambda", region_name="eu-west-1", endpoint_url="http://127.0.0.1:1", config=config
        )
        self.client.meta.events.register("before-send.lambda", self._answer)
        self.answerer: Answerer | None = None

    def call(self, operation: str, given: dict[str, Any], answerer: Answerer) -> dict[str, Any]:
        """Call an operation by its model name."""
        self.answerer = answerer
        names = self.client.meta.method_to_api_mapping
        method = next(method for method, name in names.items() if name == operation)
        return dict(getattr(self.client, method)(**given))

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        assert self.answerer is not None
        answer = self.answerer(request)
        return AWSResponse(request.url, answer.status, answer.headers, _Raw(answer.body))


class _Raw(BytesIO):
    """A response body as urllib3 offers one."""

    def stream(self, **_: Any) -> Any:
        yield self.getvalue()


@pytest.fixture(scope="module")
def wire() -> Wire:
    """One client for all of a module's calls; making one takes longer than all of them."""
    return Wire()


# ---- values of a shape, made from the model


def _text(shape: Shape, alphabet: st.SearchStrategy[str], shortest: int = 0) -> st.SearchStrategy[str]:
    if shape.enum:
        return st.sampled_from(shape.enum)
    shortest = max(shortest, int(shape.minimum or 0))
    return st.text(alphabet, min_size=shortest, max_size=max(shortest, min(int(shape.maximum or 12), shortest + 12)))


def _number(shape: Shape) -> st.SearchStrategy[Any]:
    low, high = shape.minimum, shape.maximum
    if shape.kind in {"integer", "long"}:
        return st.integers(int(low if low is not None else 0), int(high if high is not None else 2**31 - 1))
    return st.floats(low or 0.0, high or 1.0)


def _values(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    if shape.kind == "structure":
        return _structures(shape, depth + 1)
    if shape.kind == "list":
        assert shape.item is not None
        low = int(shape.minimum or 0)
        return st.lists(_values(shape.item.shape, depth + 1), min_size=low, max_size=max(low, 2))
    if shape.kind == "map":
        assert shape.key is not None
        assert shape.value is not None
        keys, values = _values(shape.key.shape, depth + 1), _values(shape.value.shape, depth + 1)
        low = int(shape.minimum or 0)
        return st.dictionaries(keys, values, min_size=low, max_size=max(low, 2))
    return _scalars(shape)


def _scalars(shape: Shape) -> st.SearchStrategy[Any]:
    if shape.kind == "string":
        return _text(shape, st.characters(codec="utf-8"))
    if shape.kind == "boolean":
        return st.booleans()
    if shape.kind == "blob":
        return st.binary(max_size=40)
    if shape.kind == "timestamp":
        return st.integers(0, 2**32).map(float)
    return _number(shape)


def _member_values(member: Member, depth: int) -> st.SearchStrategy[Any]:
    shape = member.shape
    if member.place == "header":
        return _text(shape, st.characters(min_codepoint=33, max_codepoint=126), 1)
    if member.place == "statusCode":
        return st.sampled_from((200, 201, 202))
    if member.place == "uri" and shape.kind == "string":
        return _text(shape, st.characters(codec="utf-8"), 1)
    if member.place == "querystring" and shape.item is not None:
        return st.lists(_values(shape.item.shape), min_size=1, max_size=3)
    return _values(shape, depth)


STREAM_TYPE = {"InvokeWithResponseStream": {"ResponseStreamContentType": "application/vnd.amazon.eventstream"}}
"""The Content-Type header, which the model binds to a member, is there unless the output has another."""

TOKENS = frozenset({"ClientToken"})
"""Members that botocore fills in by itself when they are missing."""


def _structures(shape: Shape, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    always = {
        name
        for name, member in shape.members.items()
        if name in shape.required or member.place == "statusCode" or (depth == 1 and name in TOKENS)
    }
    made = {
        name: _member_values(member, depth)
        for name, member in shape.members.items()
        if not member.shape.event_stream and (depth < 5 or name in always)
    }
    optional = {name: values for name, values in made.items() if name not in always}
    return st.fixed_dictionaries({name: made[name] for name in made if name in always}, optional=optional)


def _with_times(shape: Shape, value: Any) -> Any:
    """The value with its epoch seconds as the datetimes that botocore takes and gives."""
    if shape.kind == "timestamp":
        return datetime.fromtimestamp(value, UTC)
    if shape.kind == "structure":
        return {name: _with_times(shape.members[name].shape, item) for name, item in value.items()}
    if shape.kind == "list" and shape.item is not None:
        return [_with_times(shape.item.shape, item) for item in value]
    if shape.kind == "map" and shape.value is not None:
        return {key: _with_times(shape.value.shape, item) for key, item in value.items()}
    return value


# ---- the laws


@pytest.mark.parametrize("operation", LAMBDA.operation_names())
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_real_client_is_understood_and_understands(wire: Wire, operation: str, data: st.DataObject) -> None:
    """What boto3 sends is read as what it was given, and what is answered it reads as what was meant."""
    bound = LAMBDA.operation(operation)
    given_input = data.draw(_values(bound.input)) if bound.input else {}
    output = data.draw(_values(bound.output)) if bound.output else {}
    understood: dict[str, Any] = {}

    def answer(request: AWSPreparedRequest) -> Response:
        head, body = _head(request), _body(request)
        assert head.operation.name == operation
        assert head.caller == Caller(ACCOUNT, "eu-west-1", "lambda", ACCOUNT)
        understood.update(parse_input(head.match, head.query, _headers(request), body))
        return serialize(bound, output, request_id="r-1")

    sent = _with_times(bound.input, given_input) if bound.input else {}
    received = wire.call(operation, sent, answer)

    assert understood == _without_empty_payload(bound.input, given_input)
    assert received.pop("ResponseMetadata")["RequestId"] == "r-1"
    meant = _with_times(bound.output, _without_streams(bound.output, output)) if bound.output else {}
    assert _read(received) == STREAM_TYPE.get(operation, {}) | meant


def _head(request: AWSPreparedRequest) -> Any:
    parts = urlsplit(request.url)
    return read_head(LAMBDA, request.method, parts.path, parts.query, _headers(request).get("Authorization"))


def _headers(request: AWSPreparedRequest) -> dict[str, str]:
    return {
        name: value.decode("ascii") if isinstance(value, bytes) else value for name, value in request.headers.items()
    }


def _body(request: AWSPreparedRequest) -> bytes:
    body = request.body
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body or b"")


def _without_empty_payload(shape: Shape | None, given_input: dict[str, Any]) -> dict[str, Any]:
    """An empty payload and none are the same on the wire, where a structure is `{}` either way."""
    if shape is None or shape.payload is None or given_input.get(shape.payload):
        return given_input
    if shape.members[shape.payload].shape.kind == "structure":
        return given_input | {shape.payload: {}}
    return {name: value for name, value in given_input.items() if name != shape.payload}


def _without_streams(shape: Shape, output: dict[str, Any]) -> dict[str, Any]:
    return output if shape.payload == "EventStream" else _without_empty_payload(shape, output)


def _read(received: dict[str, Any]) -> dict[str, Any]:
    """What was received with its streams read: a payload to its end, an event stream not at all."""
    received.pop("EventStream", None)
    if hasattr(received.get("Payload"), "read"):
        received["Payload"] = received["Payload"].read()
        if not received["Payload"]:
            del received["Payload"]
    return received


@pytest.mark.parametrize("code", LAMBDA.error_codes())
def test_modelled_errors_become_the_clients_exceptions(wire: Wire, code: str) -> None:
    """Each exception of the model is raised by boto3 as its class, with message, status and type."""
    operation = next(name for name in LAMBDA.operation_names() if code in LAMBDA.operation(name).errors)
    shape = LAMBDA.error_shape(code)
    assert shape is not None

    with pytest.raises(getattr(wire.client.exceptions, code), match="what went wrong") as raised:
        wire.call(operation, _least(operation), lambda _: ServiceError(code, "what went wrong").response("r-1"))

    answer = raised.value.response
    assert answer["Error"]["Code"] == code
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == shape.error_status
    assert answer.get("Type") == ("Service" if shape.server_fault else "User")


@pytest.mark.parametrize("code", UNMODELLED)
def test_other_errors_become_client_errors(wire: Wire, code: str) -> None:
    """An error outside the model is a ClientError with its code and message."""
    with pytest.raises(ClientError) as raised:
        wire.call("ListFunctions", {}, lambda _: ServiceError(code, "what went wrong").response("r-1"))

    assert raised.value.response["Error"] == {"Code": code, "Message": "what went wrong"}


def _least(operation: str) -> dict[str, Any]:
    """Some input that passes botocore's own checks."""
    shape = LAMBDA.operation(operation).input
    return {} if shape is None else {name: _least_value(shape.members[name].shape) for name in shape.required}


def _least_value(shape: Shape) -> Any:
    if shape.kind == "structure":
        return {name: _least_value(shape.members[name].shape) for name in shape.required}
    if shape.item is not None:
        return [_least_value(shape.item.shape)] * int(shape.minimum or 0)
    plain: dict[str, Any] = {"map": {}, "blob": b"", "boolean": True}
    return plain.get(shape.kind, "x" * int(shape.minimum or 1) if shape.kind == "string" else int(shape.minimum or 1))


def test_the_model_is_the_installed_botocores() -> None:
    """All operations that botocore knows are routed, each under its own name."""
    service = Service(_raw_model())

    assert service.operation_names() == LAMBDA.operation_names()


def _raw_model() -> dict[str, Any]:
    return dict(Session().get_component("data_loader").load_service_model("lambda", "service-2"))
