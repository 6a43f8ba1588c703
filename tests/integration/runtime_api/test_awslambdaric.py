"""The official Python runtime client, as a process of its own, against the Runtime API."""

import json
from collections.abc import Callable
from typing import Any

ECHO = "def handler(event, context):\n    return event\n"


def test_an_invocation_is_answered(sandbox: Any) -> None:
    """Given a runtime, when it gets an event, then its listener hears the handler's value, and the next call."""
    sandbox.start(ECHO)
    assert sandbox.heard.hear() == ("next",)
    for number in range(3):
        sandbox.session.assign(sandbox.event(f"id-{number}", b'{"n": %d}' % number))
        assert sandbox.heard.hear() == ("response", f"id-{number}", b'{"n": %d}' % number)
        assert sandbox.heard.hear() == ("next",)


def test_an_event_assigned_before_the_runtime_asks_waits_for_it(sandbox: Any) -> None:
    """Given an event that came first, when the runtime starts, then `next` is heard before the answer."""
    sandbox.session.assign(sandbox.event("early", b"1"))
    sandbox.start(ECHO)
    assert [sandbox.heard.hear() for _ in range(3)] == [("next",), ("response", "early", b"1"), ("next",)]


def test_a_handlers_exception_is_an_error(sandbox: Any) -> None:
    """Given a handler that raises, when it is invoked, then its error document comes through, and the runtime lives."""
    sandbox.start("def handler(event, context):\n    raise ValueError('bööm')\n")
    assert sandbox.heard.hear() == ("next",)
    sandbox.session.assign(sandbox.event("1"))
    kind, request_id, failure = sandbox.heard.hear()
    document = json.loads(failure.body)
    assert (kind, request_id, document["errorType"], document["errorMessage"]) == ("error", "1", "ValueError", "bööm")
    assert sandbox.heard.hear() == ("next",)


def test_a_missing_handler_is_an_init_error(sandbox: Any) -> None:
    """Given a module without the handler, when the runtime starts, then its init error is heard, and it exits."""
    process = sandbox.start(ECHO, "main.nosuch")
    kind, failure = sandbox.heard.hear()
    assert (kind, failure.error_type) == ("init error", "Runtime.HandlerNotFound")
    assert json.loads(failure.body)["errorMessage"] == "Handler 'nosuch' missing on module 'main'"
    assert process.wait(20) == 1


def test_a_runtime_that_crashes_is_followed_by_a_new_one(sandbox: Any) -> None:
    """Given a runtime that dies in an invocation, when the session is reset, then the next runtime serves anew."""
    process = sandbox.start("import os\ndef handler(event, context):\n    os._exit(3) if event else None\n")
    assert sandbox.heard.hear() == ("next",)
    sandbox.session.assign(sandbox.event("crash", b"1"))
    assert process.wait(20) == 3
    sandbox.session.reset()
    assert sandbox.heard.silent
    sandbox.start(ECHO)
    assert sandbox.heard.hear() == ("next",)
    sandbox.session.assign(sandbox.event("after", b"2"))
    assert sandbox.heard.hear() == ("response", "after", b"2")


def test_a_runtime_that_was_parked_when_it_was_killed_swallows_nothing(sandbox: Any) -> None:
    """Given a killed runtime, when an event is assigned, then the runtime after it gets the event."""
    process = sandbox.start(ECHO)
    assert sandbox.heard.hear() == ("next",)
    process.kill()
    process.wait(20)
    sandbox.session.assign(sandbox.event("kept", b"3"))
    sandbox.start(ECHO)
    assert sandbox.heard.hear() == ("response", "kept", b"3")


def test_six_megabytes_go_both_ways(sandbox: Any) -> None:
    """Given the largest payload, when it is echoed, then it comes back byte by byte."""
    sandbox.start(ECHO)
    assert sandbox.heard.hear() == ("next",)
    payload = json.dumps("x" * (6 * 1024 * 1024 - 2)).encode()
    sandbox.session.assign(sandbox.event("big", payload))
    assert sandbox.heard.hear() == ("response", "big", payload)


def test_too_large_a_response_is_the_callers_error(sandbox: Any) -> None:
    """Given a handler whose answer is too large, when it is invoked, then the caller's error is AWS's own."""
    sandbox.start("def handler(event, context):\n    return 'x' * 7_000_000\n")
    assert sandbox.heard.hear() == ("next",)
    sandbox.session.assign(sandbox.event("1"))
    kind, request_id, failure = sandbox.heard.hear()
    assert (kind, request_id, failure.error_type) == ("error", "1", "Function.ResponseSizeTooLarge")
    assert json.loads(failure.body) == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }


def test_all_members_of_an_event_reach_the_handler(sandbox: Any) -> None:
    """Given an event with every member, client context beyond ASCII, when it is handled, then the context has them."""
    sandbox.start(
        "def handler(event, context):\n"
        "    return [context.client_context.custom, context.identity.cognito_identity_id, context.tenant_id,\n"
        "            context.invoked_function_arn, context.get_remaining_time_in_millis() > 0]\n"
    )
    assert sandbox.heard.hear() == ("next",)
    more = {
        "client_context": '{\r\n"custom": {"ключ": "värde ☃"}}',
        "cognito_identity": '{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}',
        "tenant_id": "blue",
        "trace_id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1",
    }
    sandbox.session.assign(sandbox.event("1", **more))
    _, _, payload = sandbox.heard.hear()
    expected = [{"ключ": "värde ☃"}, "i", "blue", "arn:aws:lambda:us-east-1:1:function:f", True]
    assert json.loads(payload) == expected


def test_many_runtimes_are_told_apart(sandboxes: Callable[[], Any]) -> None:
    """Given eight runtimes at once, when each gets an event, then each listener hears its own runtime alone."""
    several = [sandboxes() for _ in range(8)]
    for sandbox in several:
        sandbox.start(ECHO)
    for number, sandbox in enumerate(several):
        sandbox.session.assign(sandbox.event(f"id-{number}", b"%d" % number))
    for number, sandbox in enumerate(several):
        assert sandbox.heard.hear() == ("next",)
        assert sandbox.heard.hear() == ("response", f"id-{number}", b"%d" % number)
