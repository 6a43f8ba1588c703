"""What the platform tells an environment's extensions through the Telemetry and Logs APIs; the rest of it the log too.

Events and their members: AWS, "Lambda Telemetry API Event schema reference" (FACTS.md section 4, "Telemetry events").
The figures are those of the log's lines. An event that nobody has subscribed to costs a look.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.version import Version
from relambda.actors.environments.init_phase import Phase
from relambda.actors.invocation import Invocation
from relambda.actors.logs.environment_log import EnvironmentLog
from relambda.actors.logs.lines import (
    Report,
    extension,
    report_record,
    restore_report,
    restore_start,
    runtime_done_record,
    runtime_version,
)
from relambda.actors.logs.lines import subscription as subscription_line
from relambda.actors.logs.output import OutputLines
from relambda.actors.runtime_api.session import ExtensionInfo
from relambda.actors.telemetry.subscription import Subscription
from relambda.actors.telemetry.telemetry import Telemetry

_MB: Final = 1024 * 1024


class PlatformEvents:
    """Publishes what happens in one environment. Any thread may call, but each `*_writes` is for one."""

    def __init__(
        self, log: EnvironmentLog, telemetry: Telemetry, resource: ResourceName, version: Version, instance_id: str
    ) -> None:
        self._log, self._telemetry = log, telemetry
        self._resource, self._version, self._instance_id = resource, version, instance_id
        self._function, self._extension = OutputLines(), OutputLines()
        self._json = version.config["LoggingConfig"]["LogFormat"] == "JSON"
        self.initialization_type = "snap-start" if version.snap_started else "on-demand"

    @property
    def heard(self) -> bool:
        """Whether somebody has subscribed, or still may."""
        return self._telemetry.heard

    def init_starts(self, phase: Phase) -> None:
        """Extensions and runtime start."""
        if self.heard:
            kind = {"initializationType": self.initialization_type, "phase": phase}
            self._publish("initStart", {**kind, **self._environment()})

    def restore_starts(self) -> None:
        """The runtime goes on from its snapshot."""
        record = self._environment()
        self._log.tells(restore_start(record["runtimeVersion"], record["runtimeVersionArn"]), "restoreStart", record)
        self._publish("restoreStart", record)

    def restore_ends(self, duration_ms: float) -> None:
        """The runtime's hooks have run, and it has asked for work."""
        record = {"status": "success", "metrics": {"durationMs": round(duration_ms, 3)}}
        self._log.tells(restore_report(duration_ms), "restoreReport", record)
        self._publish("restoreRuntimeDone", {"status": "success"})
        self._publish("restoreReport", record)

    def runtime_init_done(self, phase: Phase, status: str = "success", error_type: str = "") -> None:
        """The runtime has asked for work, or will not."""
        self._publish("initRuntimeDone", self._init(phase, status, error_type))

    def init_ends(self, phase: Phase, duration_ms: float, status: str = "success", error_type: str = "") -> None:
        """All have asked for work, or one will not."""
        metrics = {"metrics": {"durationMs": round(duration_ms, 3)}}
        self._publish("initReport", {**self._init(phase, status, error_type), **metrics})

    def extensions(self, extensions: Sequence[ExtensionInfo]) -> None:
        """The init is over, and where each extension is then."""
        for one in extensions:
            record: dict[str, Any] = {"name": one.name, "state": one.state, "events": list(one.events)}
            if one.error_type:
                record["errorType"] = one.error_type
            self._log.tells(extension(one.name, one.state, one.events, one.error_type), "extension", record)
            self._publish("extension", record)

    def subscribed(self, subscription: Subscription) -> None:
        """An extension has subscribed to telemetry, and hears of that first."""
        api, name, types = subscription.api, subscription.extension, subscription.types
        record = {"name": name, "state": "Subscribed", "types": list(types)}
        self._log.tells(subscription_line(api, name, types), f"{api.lower()}Subscription", record)
        self._publish(f"{api.lower()}Subscription", record)

    def starts(self, invocation: Invocation) -> None:
        """An invocation is given to the runtime."""
        if not self.heard:
            return
        record: dict[str, Any] = {"requestId": invocation.request_id, "version": invocation.version}
        if invocation.trace_id:
            record["tracing"] = {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id}
        self._publish("start", {**record, "tenantId": invocation.tenant_id} if invocation.tenant_id else record)

    def runtime_done(self, report: Report, answer_ms: tuple[float, float] | None = None) -> None:
        """The runtime has asked for work again, or will not; its answer began and was complete after `answer_ms`."""
        if not self.heard:
            return
        record = runtime_done_record(report)
        if answer_ms is not None:
            began, complete = answer_ms
            record["spans"] = [
                _span("responseLatency", began),
                _span("responseDuration", complete - began),
                _span("runtimeOverhead", report.duration_ms - complete),
            ]
        self._publish("runtimeDone", record)

    def ends(self, report: Report, peak_bytes: int, fault: str = "") -> None:
        """An invocation is over; `fault` is what the log says of one that the platform ended."""
        if not self.heard:
            return
        if fault:
            self._publish("fault", fault)
        self._publish("end", {"requestId": report.request_id})
        self._publish("report", report_record(report, peak_bytes))

    def function_writes(self, data: bytes) -> None:
        """The runtime wrote."""
        self._write("function", self._function, data)

    def extension_writes(self, data: bytes) -> None:
        """An extension wrote."""
        self._write("extension", self._extension, data)

    def _write(self, kind: str, lines: OutputLines, data: bytes) -> None:
        if self.heard:
            for line in lines.feed(data):
                self._telemetry.publish(kind, self._record(line))

    def _record(self, line: str) -> Any:
        """With the log format JSON a line that is an object is one; anything else is a text."""
        if self._json and line.startswith("{"):
            try:
                return json.loads(line)
            except (ValueError, RecursionError):
                return line
        return line

    def _environment(self) -> dict[str, Any]:
        release, arn = runtime_version(self._version.config.get("Runtime", ""), self._resource.region)
        return {
            "runtimeVersion": release,
            "runtimeVersionArn": arn,
            "functionName": self._resource.name,
            "functionVersion": self._version.version,
            "instanceId": self._instance_id,
            "instanceMaxMemory": self._version.config["MemorySize"] * _MB,
        }

    def _init(self, phase: Phase, status: str, error_type: str) -> dict[str, Any]:
        record = {"initializationType": self.initialization_type, "phase": phase, "status": status}
        return {**record, "errorType": error_type} if error_type else record

    def _publish(self, type_: str, record: Any) -> None:
        self._telemetry.publish(f"platform.{type_}", record)


def _span(name: str, duration_ms: float) -> dict[str, Any]:
    return {"name": name, "durationMs": round(duration_ms, 3)}
