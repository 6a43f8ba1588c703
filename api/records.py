"""What a cloud keeps beside the event log, of what happened on this machine: function logs and traces.

It outlives restarts and imports, and is no part of pods.
"""

import logging
from dataclasses import dataclass

from relambda.actors.logs.writer import LogWriter
from relambda.actors.traces.daemon import TraceDaemon
from relambda.actors.traces.forward import DaemonForward
from relambda.actors.traces.sink import Forward, TraceSink
from relambda.api.settings.settings import Settings
from relambda.store.logs.logs_store import LogStore
from relambda.store.state_dir import StateDirectory
from relambda.store.traces import TraceStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Records:
    """Open from the start of a cloud to its end."""

    logs: LogWriter
    traces: TraceSink

    @classmethod
    def open(cls, settings: Settings, directory: StateDirectory) -> "Records":
        """Open both. Raises StoreError."""
        logs = LogWriter(LogStore(directory.logs_path, settings.logs_max_bytes), settings.truncate_stdout)
        traces = TraceSink(TraceStore(directory.traces_path, settings.traces_max_bytes), forwards_of(settings))
        return cls(logs, traces)

    def close(self) -> None:
        """Write what is left, and close both."""
        self.logs.stop()
        self.logs.store.close()
        self.traces.stop()
        self.traces.store.close()


def forwards_of(settings: Settings) -> list[Forward]:
    """Who else gets segments."""
    forwards: list[Forward] = []
    if settings.xray_daemon is not None:
        forwards.append(DaemonForward(settings.xray_daemon.host, settings.xray_daemon.port))
    if settings.otlp_endpoint:
        from relambda.actors.traces.otlp import OtlpForward  # noqa: PLC0415 - costs memory where it is not wanted

        forwards.append(OtlpForward(settings.otlp_endpoint))
    return forwards


def start_trace_daemon(host: str, traces: TraceSink) -> TraceDaemon | None:
    """Let functions send their segments; without a port for it a cloud runs on, and the log says so."""
    try:
        daemon = TraceDaemon(host, traces)
    except OSError as error:
        _log.warning("functions cannot send traces: %s", error)
        return None
    daemon.start()
    return daemon
