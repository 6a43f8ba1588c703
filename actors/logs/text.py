"""What of an execution environment's words is written, in the function's format and at its levels."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.version import Version
from relambda.actors.logs import lines
from relambda.actors.logs.output import OutputLines
from relambda.actors.logs.words import (
    Closed,
    Ended,
    InitFailed,
    InitStarted,
    Marked,
    Started,
    Told,
    Word,
    Wrote,
)


class LogText:
    """Makes events of words, in order. For one thread.

    `peak` reads the memory used so far, 0 when it cannot; `show` gets the function's own lines.
    """

    def __init__(
        self, resource: ResourceName, version: Version, peak: Callable[[], int], show: Callable[[list[str]], None]
    ) -> None:
        self._resource, self._version = resource, version.version
        self._peak, self._show = peak, show
        self._runtime: str | None = version.config.get("Runtime")
        logging = version.config["LoggingConfig"]
        self._json = logging["LogFormat"] == "JSON"
        self._application: str = logging.get("ApplicationLogLevel", "TRACE") if self._json else "TRACE"
        self._system: str = logging.get("SystemLogLevel", "DEBUG")
        self._output = OutputLines()
        self._last_peak = 0

    def write(self, at_ms: int, word: Word) -> Iterator[str]:
        """The messages that a word comes to."""
        match word:
            case Wrote():
                yield from self._wrote(at_ms, word)
            case Started(request_id):
                yield from self._own(self._output.flush())
                yield from self._started(at_ms, request_id)
            case Ended():
                yield from self._own(self._output.flush())
                yield from self._ended(at_ms, word)
            case Marked(_, peak):
                self._last_peak = max(self._last_peak, peak)
            case InitStarted():
                yield from self._init_started(at_ms)
            case InitFailed(report):
                yield from self._own(self._output.flush())
                yield from self._init_failed(at_ms, report)
            case Told(line, type_, record):
                yield from self._own(self._output.flush())
                yield from self._platform(at_ms, type_, record) if self._json else (line,)
            case Closed():
                yield from self._own(self._output.flush())

    def _wrote(self, at_ms: int, word: Wrote) -> Iterator[str]:
        if word.dropped:
            yield from self._own(self._output.flush())
            yield from self._dropped(at_ms, word.dropped)
        yield from self._own(self._output.feed(word.data))

    def _own(self, found: list[str]) -> Iterator[str]:
        """The function's own lines; an event is never empty, so an empty line keeps its line end."""
        self._show(found)
        if self._application != "TRACE":
            found = [line for line in found if lines.application_passes(line, self._application)]
        yield from found

    def _started(self, at_ms: int, request_id: str) -> Iterator[str]:
        if not self._json:
            yield lines.start(request_id, self._version)
            return
        yield from self._platform(at_ms, "start", {"requestId": request_id, "version": self._version})

    def _ended(self, at_ms: int, ended: Ended) -> Iterator[str]:
        figures = ended.report
        self._last_peak = max(self._last_peak, self._peak())
        if self._json:
            yield from self._platform(at_ms, "runtimeDone", lines.runtime_done_record(figures), figures.status)
            yield from self._platform(at_ms, "report", lines.report_record(figures, self._last_peak), figures.status)
            return
        if ended.last_words:
            yield ended.last_words
        yield lines.end(figures.request_id)
        yield lines.report(figures, self._last_peak, with_status=bool(ended.last_words))

    def _init_started(self, at_ms: int) -> Iterator[str]:
        if self._runtime is None:
            return
        version, arn = lines.runtime_version(self._runtime, self._resource.region)
        if not self._json:
            yield lines.init_start(version, arn)
            return
        record = {
            "initializationType": "on-demand",
            "phase": "init",
            "runtimeVersion": version,
            "runtimeVersionArn": arn,
            "functionName": self._resource.name,
            "functionVersion": self._version,
        }
        yield from self._platform(at_ms, "initStart", record)

    def _init_failed(self, at_ms: int, report: lines.InitReport) -> Iterator[str]:
        if not self._json:
            yield lines.init_report(report)
            return
        metrics = {"durationMs": round(report.duration_ms, 3)}
        record = {
            "initializationType": "on-demand",
            "phase": report.phase,
            "status": report.status,
            "errorType": report.error_type,
            "metrics": metrics,
        }
        yield from self._platform(at_ms, "initReport", record, report.status)

    def _dropped(self, at_ms: int, size: int) -> Iterator[str]:
        reason = "The log could not be written as fast as the function wrote."
        if self._json:
            record = {"reason": reason, "droppedBytes": size}
            yield from self._platform(at_ms, "logsDropped", record)
        else:
            yield f"LOGS_DROPPED\tReason: {reason}\tDropped Bytes: {size}\n"

    def _platform(self, at_ms: int, type_: str, record: Mapping[str, Any], status: str = "success") -> Iterator[str]:
        if lines.system_passes(lines.system_level(type_, status), self._system):
            yield lines.platform(at_ms, type_, record)
