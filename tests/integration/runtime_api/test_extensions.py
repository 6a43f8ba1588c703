"""The Extensions API: who may register when, what events come, and when an environment is idle (runtime_apis.tsv)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

Reader = Callable[[Any], tuple[int, dict[str, str], bytes]]
External = Callable[..., list[Any]]
Of = Callable[[Any, str], Any]
REGISTER, NEXT = "/2020-01-01/extension/register", "/2020-01-01/extension/event/next"
RESPONSE = "/runtime/invocation/1/response"


def document_of(answer: tuple[int, dict[str, str], bytes]) -> dict[str, Any]:
    return dict(json.loads(answer[2]))


def test_registration_tells_of_the_function(sandbox: Any, external: External) -> None:
    """Given an expected extension, when it registers, then it gets an id and the function's facts, and all have."""
    (extension,) = external("monitor")
    answer = extension.register("INVOKE", "SHUTDOWN", **{"Lambda-Extension-Accept-Feature": "accountId"})
    facts = {"functionName": "f", "functionVersion": "$LATEST", "handler": "main.handler", "accountId": "111111111111"}
    assert answer == (200, facts)
    assert extension.identifier
    assert sandbox.heard.hear_environment() == ("registered",)
    (told,) = sandbox.session.extensions()
    assert (told.name, told.external, told.events, told.state) == (
        "monitor",
        True,
        ("INVOKE", "SHUTDOWN"),
        "Registered",
    )


def test_the_init_is_over_when_all_have_asked(sandbox: Any, external: External, reply_of: Reader) -> None:
    """Given a runtime and an extension, when only one of them waits, then the init goes on; an event waits for both."""
    (extension,) = external("slow")
    extension.register("INVOKE")
    assert sandbox.heard.hear_environment() == ("registered",)
    runtime = sandbox.parked()
    assert sandbox.heard.hear() == ("next",)
    sandbox.session.assign(sandbox.event("1", b"7", trace_id="Root=1"))
    assert sandbox.heard.environment_silent
    waiting = extension.parked()
    assert reply_of(runtime)[2] == b"7"
    assert sandbox.heard.hear_environment() == ("idle",)
    assert document_of(reply_of(waiting)) == {
        "eventType": "INVOKE",
        "deadlineMs": 4_102_444_800_000,
        "requestId": "1",
        "invokedFunctionArn": "arn:aws:lambda:us-east-1:1:function:f",
        "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1"},
    }


def answering(sandbox: Any, path: str, *headers: str) -> bytes:
    """The head of an answer to invocation 1."""
    lines = [f"POST /2018-06-01/runtime/invocation/1/{path} HTTP/1.1", f"Host: {sandbox.host}", *headers, "", ""]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("path", ["response", "error"])
@pytest.mark.parametrize(
    ("headers", "pieces"),
    [
        (["Transfer-Encoding: chunked"], [b"4\r\nslow\r\n", b"0\r\n\r\n"]),
        (["Content-Length: 4"], [b"sl", b"ow"]),
    ],
)
def test_the_first_byte_of_an_answer_is_told(
    sandbox: Any, external: External, reply_of: Reader, path: str, headers: list[str], pieces: list[bytes]
) -> None:
    """Given an extension, when an answer comes in pieces, then its first byte is told before there is a second one."""
    (extension,) = external("listener")
    extension.register("INVOKE")
    runtime, waiting = sandbox.parked(), extension.parked()
    assert sandbox.heard.hear() == ("next",)
    sandbox.session.assign(sandbox.event("1"))
    assert reply_of(runtime)[0] == reply_of(waiting)[0] == 200

    runtime.sendall(answering(sandbox, path, *headers))
    assert sandbox.ask("GET", "/ping")[0] == 200
    assert sandbox.heard.no_beginning, "a head alone is no answer yet"
    runtime.sendall(pieces[0])
    sandbox.heard.hear_beginning()
    assert sandbox.heard.silent
    runtime.sendall(pieces[1])
    assert sandbox.heard.hear()[:2] == (path, "1")
    assert reply_of(runtime)[0] == 202
    assert sandbox.heard.no_beginning


def test_nobody_waits_for_the_first_byte_without_extensions(running: Any) -> None:
    """Given a runtime alone, when it answers, then nothing is told of the answer's beginning."""
    assert running.ask("POST", RESPONSE, b"1")[0] == 202
    assert running.heard.hear() == ("response", "1", b"1")
    assert running.heard.no_beginning


def test_an_empty_answer_has_no_first_byte(sandbox: Any, external: External, reply_of: Reader) -> None:
    """Given an extension, when an answer is empty, then it is heard, without a beginning."""
    (extension,) = external("listener")
    extension.register("INVOKE")
    runtime, _waiting = sandbox.parked(), extension.parked()
    assert sandbox.heard.hear() == ("next",)
    sandbox.session.assign(sandbox.event("1"))
    assert reply_of(runtime)[0] == 200
    assert sandbox.ask("POST", RESPONSE, b"")[0] == 202
    assert sandbox.heard.hear() == ("response", "1", b"")
    assert sandbox.heard.no_beginning


def test_an_invocation_ends_when_all_have_asked_again(sandbox: Any, external: External, reply_of: Reader) -> None:
    """Given an answered invocation, when its extension still works, then the answer was heard, and the end was not."""
    (extension,) = external("slow")
    extension.register("INVOKE")
    runtime, waiting = sandbox.parked(), extension.parked()
    assert [sandbox.heard.hear_environment() for _ in range(2)] == [("registered",), ("idle",)]
    sandbox.session.assign(sandbox.event("1"))
    reply_of(runtime)
    reply_of(waiting)
    assert sandbox.ask("POST", RESPONSE, b"1")[0] == 202
    assert [sandbox.heard.hear() for _ in range(2)] == [("next",), ("response", "1", b"1")]
    sandbox.parked()
    assert sandbox.heard.hear() == ("next",)
    assert sandbox.heard.environment_silent
    extension.parked()
    assert sandbox.heard.hear_environment() == ("idle",)


def test_without_extensions_an_answer_ends_the_invocation(running: Any) -> None:
    """Given a runtime alone, when it answers, then the environment is idle before the runtime asks again, and once."""
    assert running.heard.hear_environment() == ("idle",)
    running.ask("POST", RESPONSE, b"1")
    assert running.heard.hear_environment() == ("idle",)
    running.session.assign(running.event("2", b"2"))
    assert running.ask("GET", "/runtime/invocation/next")[1] == b"2"
    assert running.heard.environment_silent


def test_internal_extensions_take_part_in_invocations_alone(sandbox: Any, extension_of: Of, reply_of: Reader) -> None:
    """Given extensions that were not expected, when they register, then SHUTDOWN is refused and INVOKE is not."""
    refused, taken = extension_of(sandbox, "bad"), extension_of(sandbox, "inside")
    status, document = refused.register("SHUTDOWN")
    assert (status, document["errorType"]) == (403, "Extension.InvalidEventType")
    assert document["errorMessage"] == "ShutdownEventNotSupportedForInternalExtension"
    assert taken.register("INVOKE")[0] == 200
    sandbox.parked()
    waiting = taken.parked()
    assert sandbox.heard.hear_environment() == ("idle",)
    sandbox.session.assign(sandbox.event("1"))
    assert document_of(reply_of(waiting))["eventType"] == "INVOKE"


def test_shutdown_reaches_those_who_want_it(sandbox: Any, external: External, reply_of: Reader) -> None:
    """Given two extensions, when the environment shuts down, then the one that wants to know hears when it asks."""
    told, not_told = external("told", "not-told")
    told.register("SHUTDOWN")
    not_told.register("INVOKE")
    waiting = told.parked()
    assert sandbox.session.shutdown("spindown", 1234) == ("told",)
    wanted = {"eventType": "SHUTDOWN", "shutdownReason": "spindown", "deadlineMs": 1234}
    assert document_of(reply_of(waiting)) == wanted


@pytest.mark.parametrize(("phase", "state"), [("init", "InitError"), ("exit", "ExitError")])
def test_errors_of_extensions_are_heard(sandbox: Any, external: External, phase: str, state: str) -> None:
    """Given a registered extension, when it reports an error, then that is heard, and it may do nothing more."""
    (extension,) = external("broken")
    extension.register("INVOKE")
    assert sandbox.heard.hear_environment() == ("registered",)
    status, _, document = extension.fail(phase, "")
    assert (status, document["errorType"]) == (403, "Extension.MissingHeader")
    assert extension.fail(phase, "Extension.Oops")[0] == 202
    kind, name, heard, failure = sandbox.heard.hear_environment()
    assert (kind, name, heard, failure.error_type) == ("extension error", "broken", phase, "Extension.Oops")
    status, _, document = extension.ask("GET", NEXT)
    assert (status, document["errorType"]) == (403, "Extension.InvalidExtensionState")
    assert f"from {state} to Ready" in document["errorMessage"]


def test_what_is_out_of_turn_is_refused(sandbox: Any, external: External, extension_of: Of) -> None:
    """Given requests that break the rules, when they come, then each is refused with the kind that AWS gives it."""

    def kind(status: int, document: Any) -> tuple[int, str]:
        return status, document["errorType"]

    (extension,) = external("one")
    stranger = extension_of(sandbox, "stranger")
    assert kind(*stranger.ask("GET", NEXT)[::2]) == (403, "Extension.MissingExtensionIdentifier")
    stranger.identifier = "no-uuid"
    assert kind(*stranger.ask("GET", NEXT)[::2]) == (403, "Extension.InvalidExtensionIdentifier")
    stranger.identifier = "00000000-0000-0000-0000-000000000000"
    assert kind(*stranger.ask("GET", NEXT)[::2]) == (403, "Extension.UnknownExtensionIdentifier")
    stranger.identifier = ""
    assert kind(*extension_of(sandbox, "").register("INVOKE")) == (403, "Extension.InvalidExtensionName")
    assert kind(*extension.register("NOTHING")) == (403, "Extension.InvalidEventType")
    assert kind(*stranger.ask("POST", REGISTER, b"[")[::2]) == (403, "InvalidRequestFormat")
    assert extension.register("INVOKE")[0] == 200
    assert kind(*extension.register("INVOKE")) == (403, "Extension.InvalidExtensionState")
    for number in range(9):
        assert extension_of(sandbox, f"more-{number}").register()[0] == 200
    assert kind(*extension_of(sandbox, "eleventh").register()) == (403, "Extension.TooManyExtensions")
    sandbox.parked()
    assert sandbox.heard.hear() == ("next",)
    assert kind(*extension_of(sandbox, "late").register()) == (403, "Extension.RegistrationClosed")


def test_reset_forgets_extensions(sandbox: Any, external: External) -> None:
    """Given a registered extension that waits, when the session is reset, then it is cut off and unknown."""
    (extension,) = external("gone")
    extension.register("INVOKE")
    waiting = extension.parked()
    sandbox.parked()
    assert [sandbox.heard.hear_environment() for _ in range(2)] == [("registered",), ("idle",)]
    sandbox.session.reset()
    assert waiting.recv(1) == b""
    assert sandbox.session.extensions() == ()
    assert extension.ask("GET", NEXT)[2]["errorType"] == "Extension.UnknownExtensionIdentifier"


def test_more_than_ten_are_too_many(sandbox: Any) -> None:
    """Given eleven files, when they are expected, then that is the caller's to refuse."""
    with pytest.raises(ValueError, match="10 extensions, and 11"):
        sandbox.session.expect_extensions([str(number) for number in range(11)])
