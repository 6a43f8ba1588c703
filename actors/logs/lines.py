"""The lines that AWS writes around a function's own output, as text and as JSON, and which levels let them through.

Formats: log_formats.tsv. The JSON ones are the Telemetry API's records (FACTS.md section 4, "Telemetry events").
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from relambda.actors.domain.names import partition

MEBIBYTE = 1024 * 1024
SYSTEM_LEVELS = ("DEBUG", "INFO", "WARN")
APPLICATION_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_OTHER_NAMES = {"WARNING": "WARN", "CRITICAL": "FATAL"}
"""Python's names of levels."""
_INFO = APPLICATION_LEVELS.index("INFO")


@dataclass(frozen=True, slots=True)
class Report:
    """What REPORT says of an invocation; times in milliseconds, `init_ms` 0 for a warm start.

    `status` is success, error (the function or its process failed), failure (the environment did), or timeout.
    """

    request_id: str
    duration_ms: float
    init_ms: float
    memory_mb: int
    status: str = "success"
    error_type: str = ""
    produced_bytes: int = 0
    restore_ms: float = 0.0
    """How long the snapshot's restore took that this invocation waited for, 0 if for none."""
    traced: tuple[str, str] | None = None
    """The ids of its trace and segment, when the trace is recorded."""

    @property
    def billed_ms(self) -> int:
        """Whole milliseconds, rounded up."""
        return int(-(-self.duration_ms // 1))

    def used_mb(self, peak_bytes: int) -> int:
        """The most memory used, in MB, rounded up; never more than there was."""
        return min(self.memory_mb, max(1, -(-peak_bytes // MEBIBYTE)))


@dataclass(frozen=True, slots=True)
class InitReport:
    """How an init failed; `phase` is init or invoke."""

    duration_ms: float
    phase: str
    status: str
    error_type: str = ""


def stream_name(function: str, version: str, group: str, day_ms: int, environment: str) -> str:
    """The log stream of an execution environment: `YYYY/MM/DD/[VERSION]` and 32 hex digits.

    In a group that is not the function's own the function's name comes before the version.
    """
    day = datetime.fromtimestamp(day_ms / 1000, UTC).strftime("%Y/%m/%d")
    own = group == f"/aws/lambda/{function}"
    return f"{day}/{'' if own else function}[{version}]{environment}"


def iso(at_ms: int) -> str:
    """A time as AWS writes it in lines, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def runtime_version(runtime: str, region: str) -> tuple[str, str]:
    """A managed runtime's version, and its ARN, as INIT_START names them; the ARN is the one the API shows."""
    found = re.match(r"([a-z]+)\.?(.*)", runtime)
    language, release = found.groups() if found else (runtime, "")
    digest = hashlib.sha256(runtime.encode()).hexdigest()
    arn = f"arn:{partition(region)}:lambda:{region}::runtime:{digest}"
    return f"{language}:{release.removesuffix('.x')}.v1", arn


def init_start(version: str, arn: str) -> str:
    """INIT_START."""
    return f"INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}\n"


def start(request_id: str, version: str) -> str:
    """START."""
    return f"START RequestId: {request_id} Version: {version}\n"


def end(request_id: str) -> str:
    """END."""
    return f"END RequestId: {request_id}\n"


def report(figures: Report, peak_bytes: int, *, with_status: bool = True) -> str:
    """REPORT; the status of a failure stands at its end, and not that of an error the function itself told."""
    line = (
        f"REPORT RequestId: {figures.request_id}\tDuration: {figures.duration_ms:.2f} ms\t"
        f"Billed Duration: {figures.billed_ms} ms\tMemory Size: {figures.memory_mb} MB\t"
        f"Max Memory Used: {figures.used_mb(peak_bytes)} MB\t"
    )
    if figures.init_ms:
        line += f"Init Duration: {figures.init_ms:.2f} ms\t"
    if figures.restore_ms:
        line += f"Restore Duration: {figures.restore_ms:.2f} ms\t"
        line += f"Billed Restore Duration: {-(-figures.restore_ms // 1):.0f} ms\t"
    if with_status and figures.status != "success":
        line += f"Status: {figures.status}"
        line += f"\tError Type: {figures.error_type}" if figures.error_type and figures.status != "timeout" else ""
    if figures.traced is not None:
        trace, segment = figures.traced
        line += f"\nXRAY TraceId: {trace}\tSegmentId: {segment}\tSampled: true\t"
    return f"{line}\n"


def init_report(figures: InitReport) -> str:
    """INIT_REPORT, for an init that failed."""
    line = f"INIT_REPORT Init Duration: {figures.duration_ms:.2f} ms\tPhase: {figures.phase}\tStatus: {figures.status}"
    return f"{line}\tError Type: {figures.error_type}\n" if figures.error_type else f"{line}\n"


def extension(name: str, state: str, events: Sequence[str], error_type: str) -> str:
    """EXTENSION."""
    line = f"EXTENSION\tName: {name}\tState: {state}\tEvents: [{', '.join(events)}]"
    return f"{line}\tError Type: {error_type}\n" if error_type else f"{line}\n"


def subscription(api: str, name: str, types: Sequence[str]) -> str:
    """TELEMETRY or LOGS, by the API; AWS was seen to begin types with a capital here, and only here."""
    listed = ", ".join(each.capitalize() for each in types)
    return f"{api.upper()}\tName: {name}\tState: Subscribed\tTypes: [{listed}]\n"


def restore_start(version: str, arn: str) -> str:
    """RESTORE_START."""
    return f"RESTORE_START Runtime Version: {version}\tRuntime Version ARN: {arn}\n"


def restore_report(duration_ms: float) -> str:
    """RESTORE_REPORT, of a restore that succeeded."""
    return f"RESTORE_REPORT Restore Duration: {duration_ms:.2f} ms\n"


def last_words(at_ms: int, request_id: str, error_type: str, message: str) -> str:
    """The line of an invocation that the platform ended: by its timeout, or since its runtime was no more."""
    if error_type == "Sandbox.Timedout":
        return f"{iso(at_ms)} {request_id} {message}\n\n"
    return f"RequestId: {request_id} Error: {message}\n{error_type}\n"


def platform(at_ms: int, type_: str, record: Mapping[str, Any]) -> str:
    """A JSON line of the platform's own."""
    return json.dumps({"time": iso(at_ms), "type": f"platform.{type_}", "record": record}, separators=(",", ":")) + "\n"


def report_record(figures: Report, peak_bytes: int) -> dict[str, Any]:
    """The record of platform.report."""
    metrics: dict[str, Any] = {
        "durationMs": round(figures.duration_ms, 3),
        "billedDurationMs": figures.billed_ms,
        "memorySizeMB": figures.memory_mb,
        "maxMemoryUsedMB": figures.used_mb(peak_bytes),
    }
    if figures.init_ms:
        metrics["initDurationMs"] = round(figures.init_ms, 3)
    if figures.restore_ms:
        metrics["restoreDurationMs"] = round(figures.restore_ms, 3)
        metrics["billedRestoreDurationMs"] = int(-(-figures.restore_ms // 1))
    return {**_identity(figures), "metrics": metrics}


def runtime_done_record(figures: Report) -> dict[str, Any]:
    """The record of platform.runtimeDone."""
    metrics = {"durationMs": round(figures.duration_ms, 3), "producedBytes": figures.produced_bytes}
    return {**_identity(figures), "metrics": metrics}


def _identity(figures: Report) -> dict[str, Any]:
    identity = {"requestId": figures.request_id, "status": figures.status}
    return {**identity, "errorType": figures.error_type} if figures.error_type else identity


def system_level(type_: str, status: str = "success") -> str:
    """The level of a platform event (log_formats.tsv, "system log level map")."""
    if status != "success" or type_ == "logsDropped":
        return "WARN"
    return "DEBUG" if type_ in {"initStart", "initRuntimeDone", "runtimeDone"} else "INFO"


def system_passes(level: str, least: str) -> bool:
    """Whether a platform event of a level is written when the function asks for `least`."""
    return SYSTEM_LEVELS.index(level) >= SYSTEM_LEVELS.index(least)


def application_passes(line: str, least: str) -> bool:
    """Whether a line of the function's is written; one that is no JSON, or has no level, counts as INFO."""
    wanted = APPLICATION_LEVELS.index(least)
    return wanted == 0 or _level(line) >= wanted


def _level(line: str) -> int:
    if not line.lstrip().startswith("{"):
        return _INFO
    try:
        level = json.loads(line).get("level")
    except (ValueError, RecursionError):
        return _INFO
    name = str(level).upper()
    name = _OTHER_NAMES.get(name, name)
    return APPLICATION_LEVELS.index(name) if name in APPLICATION_LEVELS else _INFO
