"""The lines of an environment's log: AWS's own, and the function's as it wrote them, as text and as JSON."""

import itertools
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.actors.domain.names import ResourceName
from relambda.actors.logs.lines import InitReport, Report, extension, last_words, stream_name, subscription
from relambda.actors.logs.output import MAX_LINE, OutputLines
from relambda.actors.logs.text import LogText
from relambda.actors.logs.words import Ended, InitFailed, InitStarted, Started, Told, Word, Wrote

NAME = ResourceName("function", "111111111111", "eu-west-1", "f")
AT_MS = 1_704_067_200_123
MEBIBYTE = 1024 * 1024


def text(peak_bytes: int = 36 * MEBIBYTE, **logging: str) -> LogText:
    """The log of a function; keyword arguments are its LoggingConfig."""
    config = {"Runtime": "python3.11", "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/f", **logging}}
    version = cast("Any", SimpleNamespace(version="$LATEST", config=config))
    return LogText(NAME, version, lambda: peak_bytes, lambda _: None)


def lines(log: LogText, *words: Word) -> list[str]:
    """What is written of words."""
    return [line for word in words for line in log.write(AT_MS, word)]


def types(written: list[str]) -> list[str]:
    """The types of JSON lines, "" for a function's own."""
    return [json.loads(line).get("type", "") for line in written]


def report(**members: Any) -> Report:
    """The figures of an invocation."""
    return Report(**{"request_id": "ID", "duration_ms": 3.014, "init_ms": 0.0, "memory_mb": 128, **members})


def test_an_invocation_as_text() -> None:
    """Given a cold invocation, then its lines are those recorded from AWS, to the last tab."""
    written = lines(text(), Started("ID"), Wrote(b"hello\n"), Ended(report(init_ms=110.1)))

    assert written == [
        "START RequestId: ID Version: $LATEST\n",
        "hello\n",
        "END RequestId: ID\n",
        (
            "REPORT RequestId: ID\tDuration: 3.01 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\t"
            "Max Memory Used: 36 MB\tInit Duration: 110.10 ms\t\n"
        ),
    ]


@pytest.mark.parametrize(
    ("status", "error_type", "words", "end"),
    [
        ("success", "", "", ""),
        ("error", "Function.ValueError", "", ""),
        ("error", "Runtime.Unknown", "", ""),
        ("timeout", "Sandbox.Timedout", "timed out", "Status: timeout"),
        ("error", "Runtime.ExitError", "exited", "Status: error\tError Type: Runtime.ExitError"),
        ("error", "Extension.Crash", "exited", "Status: error\tError Type: Extension.Crash"),
        ("error", "Runtime.ImportModuleError", "no such", "Status: error\tError Type: Runtime.ImportModuleError"),
    ],
)
def test_how_a_report_ends(status: str, error_type: str, words: str, end: str) -> None:
    """Given an invocation that the platform ended, then REPORT says so; of a function's own error it is silent."""
    *_, last = lines(text(), Ended(report(status=status, error_type=error_type), last_words=words))
    assert last.endswith(f"Max Memory Used: 36 MB\t{end}\n")


def test_the_platforms_last_words() -> None:
    """Given a timeout or an exit, then AWS's line stands before END."""
    exit_line = last_words(AT_MS, "ID", "Runtime.ExitError", "Runtime exited with error: exit status 1")
    assert exit_line == "RequestId: ID Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n"
    timeout = last_words(AT_MS, "ID", "Sandbox.Timedout", "Task timed out after 3.00 seconds")
    assert timeout == "2024-01-01T00:00:00.123Z ID Task timed out after 3.00 seconds\n\n"

    written = lines(text(), Started("ID"), Wrote(b"unfinished"), Ended(report(), last_words=exit_line))
    assert written[1:3] == ["unfinished", exit_line]


def test_inits() -> None:
    """Given an init, then INIT_START names the runtime with the ARN of the API, and INIT_REPORT how it failed."""
    failed = InitFailed(InitReport(9990.0, "init", "timeout"))
    begun, told = lines(text(), InitStarted(), failed)

    assert begun.startswith("INIT_START Runtime Version: python:3.11.v1\tRuntime Version ARN: arn:aws:lambda:eu-west-1")
    assert told == "INIT_REPORT Init Duration: 9990.00 ms\tPhase: init\tStatus: timeout\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            subscription("Telemetry", "collector", ["platform", "function"]),
            "TELEMETRY\tName: collector\tState: Subscribed\tTypes: [Platform, Function]\n",
        ),
        (
            subscription("Logs", "agent", ["extension"]),
            "LOGS\tName: agent\tState: Subscribed\tTypes: [Extension]\n",
        ),
        (
            extension("collector", "Ready", ["INVOKE", "SHUTDOWN"], ""),
            "EXTENSION\tName: collector\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n",
        ),
        (
            extension("agent", "LaunchError", [], "PermissionDenied"),
            "EXTENSION\tName: agent\tState: LaunchError\tEvents: []\tError Type: PermissionDenied\n",
        ),
    ],
)
def test_lines_about_extensions(line: str, expected: str) -> None:
    """Given what becomes of extensions, then the lines are those that AWS was seen to write."""
    assert line == expected


@pytest.mark.parametrize(("level", "is_kept"), [("DEBUG", True), ("INFO", True), ("WARN", False)])
@pytest.mark.parametrize("type_", ["telemetrySubscription", "logsSubscription", "extension"])
def test_records_about_extensions(type_: str, level: str, is_kept: bool) -> None:
    """Given the JSON format, then subscriptions and extensions are told at the level INFO."""
    log = text(LogFormat="JSON", SystemLogLevel=level)
    record = {"name": "collector", "state": "Subscribed", "types": ["platform"]}
    written = lines(log, Told("not in JSON\n", type_, record))
    assert [json.loads(line)["record"] for line in written] == [record] * is_kept
    assert types(written) == [f"platform.{type_}"] * is_kept


def test_an_invocation_as_json() -> None:
    """Given the JSON format, then the platform's lines are the Telemetry API's records."""
    log = text(LogFormat="JSON", SystemLogLevel="DEBUG", ApplicationLogLevel="TRACE")
    started, done, told = lines(log, Started("ID"), Ended(report(init_ms=110.1)))

    assert json.loads(started) == {
        "time": "2024-01-01T00:00:00.123Z",
        "type": "platform.start",
        "record": {"requestId": "ID", "version": "$LATEST"},
    }
    assert types([done]) == ["platform.runtimeDone"]
    assert json.loads(told)["record"] == {
        "requestId": "ID",
        "status": "success",
        "metrics": {
            "durationMs": 3.014,
            "billedDurationMs": 4,
            "memorySizeMB": 128,
            "maxMemoryUsedMB": 36,
            "initDurationMs": 110.1,
        },
    }


@pytest.mark.parametrize(
    ("level", "kept"),
    [
        ("DEBUG", ["platform.start", "platform.runtimeDone", "platform.report", "platform.runtimeDone"]),
        ("INFO", ["platform.start", "platform.report", "platform.runtimeDone"]),
        ("WARN", ["platform.runtimeDone"]),
    ],
)
def test_system_log_levels(level: str, kept: list[str]) -> None:
    """Given a system log level, then what is below it is left out, and a failure counts as WARN."""
    log = text(LogFormat="JSON", SystemLogLevel=level, ApplicationLogLevel="INFO")
    written = lines(log, Started("ID"), Ended(report()), Ended(report(status="timeout")))
    assert types(written)[: len(kept)] == kept


@pytest.mark.parametrize(
    ("line", "level", "is_kept"),
    [
        ('{"level": "DEBUG"}', "INFO", False),
        ('{"level": "info"}', "INFO", True),
        ('{"level": "WARNING"}', "ERROR", False),
        ('{"level": "CRITICAL"}', "FATAL", True),
        ("no json", "INFO", True),
        ("no json", "WARN", False),
        ('{"level": 3}', "WARN", False),
        ("[1, 2", "INFO", True),
        ("[" * 100_000, "INFO", True),
        ('{"a":' * 100_000, "INFO", True),
        ('{"level": "DEBUG"}', "TRACE", True),
    ],
)
def test_application_log_levels(line: str, level: str, is_kept: bool) -> None:
    """Given an application log level, then lines below it are left out; what has no level counts as INFO."""
    log = text(LogFormat="JSON", SystemLogLevel="WARN", ApplicationLogLevel=level)
    assert bool(lines(log, Wrote(f"{line}\n".encode()))) is is_kept


def test_text_has_no_levels() -> None:
    """Given the text format, then nothing is left out."""
    assert lines(text(), Wrote(b'{"level": "TRACE"}\n')) == ['{"level": "TRACE"}\n']


def test_dropped_output_is_told() -> None:
    """Given output that was left out, then the log says so, in its format."""
    assert lines(text(), Wrote(b"be"), Wrote(b"", 7))[1].endswith("Dropped Bytes: 7\n")
    log = text(LogFormat="JSON", SystemLogLevel="WARN", ApplicationLogLevel="INFO")
    assert types(lines(log, Wrote(b"", 7))) == ["platform.logsDropped"]


def test_names_of_streams() -> None:
    """Given a function's own group, then AWS's name; in a group of several functions it has the function's too."""
    assert stream_name("f", "$LATEST", "/aws/lambda/f", AT_MS, "ab") == "2024/01/01/[$LATEST]ab"
    assert stream_name("f", "3", "/ours", AT_MS, "ab") == "2024/01/01/f[3]ab"


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_lines_do_not_depend_on_how_output_is_cut(data: bytes, cuts: list[int]) -> None:
    """Given the same bytes, cut anywhere, then the same lines, with every character of them."""
    whole = OutputLines()
    expected = [*whole.feed(data), *whole.flush()]
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = OutputLines()
    found = [line for low, high in itertools.pairwise(bounds) for line in pieces.feed(data[low:high])]

    assert found + pieces.flush() == expected
    if b"\r" not in data:
        assert "".join(expected) == data.decode(errors="replace")
        assert all(line.find("\n") in {-1, len(line) - 1} for line in expected)


def test_records_of_several_lines_stay_together() -> None:
    """Given a traceback as awslambdaric writes it, with CR within the record, then it is one event with line ends."""
    record = b"[ERROR] ValueError: boom\rTraceback (most recent call last):\r  File x\n"
    assert OutputLines().feed(record) == ["[ERROR] ValueError: boom\nTraceback (most recent call last):\n  File x\n"]


def test_a_long_line_becomes_several_events() -> None:
    """Given a line past the largest event, then it is cut between characters, and nothing is lost."""
    line = "é" * MAX_LINE
    pieces = OutputLines()
    found = [*pieces.feed(line.encode()), *pieces.flush()]

    assert "".join(found) == line
    assert all(len(piece.encode()) <= MAX_LINE for piece in found)
