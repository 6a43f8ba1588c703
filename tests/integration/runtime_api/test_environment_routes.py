"""The metadata endpoint, and SnapStart's part of the Runtime API (runtime_apis.tsv)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

METADATA = "/2026-01-15/metadata/execution-environment"
RESTORE_NEXT = "/2018-06-01/runtime/restore/next"
RESTORE_ERROR = "/2018-06-01/runtime/restore/error"
Reader = Callable[[Any], tuple[int, dict[str, str], bytes]]


def request(sandbox: Any, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    client = sandbox.http()
    client.request(method, path, b"{}" if method == "POST" else None, headers)
    answer = client.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def test_metadata_tell_the_zone_to_who_has_the_token(sandbox: Any) -> None:
    """Given the environment's token, when metadata are asked for, then they come and may be kept for long."""
    status, headers, body = request(sandbox, "GET", METADATA, Authorization="Bearer metadata-token")
    assert (status, json.loads(body)) == (200, {"AvailabilityZoneID": "use1-az1"})
    assert headers["Cache-Control"] == "private, max-age=43200, immutable"


@pytest.mark.parametrize("token", ["", "Bearer other", "metadata-token", "Bearer metadata-token2"])
def test_metadata_are_not_for_others(sandbox: Any, token: str) -> None:
    """Given another token or none, when metadata are asked for, then they are refused."""
    assert request(sandbox, "GET", METADATA, Authorization=token)[::2] == (401, b"Unauthorized")
    assert request(sandbox, "POST", METADATA)[0] == 405


def test_a_snapshot_is_taken_before_the_runtime_goes_on(sandboxes: Callable[..., Any], reply_of: Reader) -> None:
    """Given a function with SnapStart, when its runtime waits to be restored, then it goes on when it is."""
    sandbox = sandboxes(snap_start=True)
    waiting = sandbox.raw(f"GET {RESTORE_NEXT} HTTP/1.1\r\nHost: {sandbox.host}\r\n\r\n".encode())
    assert sandbox.heard.hear_environment() == ("restore ready",)
    assert sandbox.ask("GET", "/runtime/invocation/next")[0] == 403
    sandbox.session.restore()
    assert reply_of(waiting)[::2] == (200, b"")
    runtime = sandbox.parked()
    assert sandbox.heard.hear_environment() == ("idle",)
    sandbox.session.assign(sandbox.event("1", b"1"))
    assert reply_of(runtime)[2] == b"1"


def test_a_failed_restore_is_heard(sandboxes: Callable[..., Any], reply_of: Reader) -> None:
    """Given a runtime that is restored, when its hooks fail, then that is heard once, and it may not go on."""
    sandbox = sandboxes(snap_start=True)
    with pytest.raises(RuntimeError, match="does not wait to be restored"):
        sandbox.session.restore()
    waiting = sandbox.raw(f"GET {RESTORE_NEXT} HTTP/1.1\r\nHost: {sandbox.host}\r\n\r\n".encode())
    assert sandbox.heard.hear_environment() == ("restore ready",)
    assert request(sandbox, "POST", RESTORE_ERROR)[0] == 403
    sandbox.session.restore()
    reply_of(waiting)
    error_type = {"Lambda-Runtime-Function-Error-Type": "Runtime.AfterRestoreError"}
    assert request(sandbox, "POST", RESTORE_ERROR, **error_type)[0] == 202
    kind, failure = sandbox.heard.hear_environment()
    assert (kind, failure.error_type, failure.body) == ("restore error", "Runtime.AfterRestoreError", b"{}")
    assert sandbox.ask("GET", "/runtime/invocation/next")[0] == 403


def test_without_snap_start_there_is_no_restore(sandbox: Any) -> None:
    """Given a function without SnapStart, when its runtime asks to be restored, then there is no such path."""
    assert request(sandbox, "GET", RESTORE_NEXT)[0] == 404
    assert request(sandbox, "POST", RESTORE_ERROR)[0] == 404
