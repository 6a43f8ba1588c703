"""How gunicorn serves a cloud: one worker process with threads, which alone opens the state directory.

Threads are made when requests need them, never ahead: measured, 1,032 allowed ones cost nothing while idle and about
19 KB each once used. A request beyond them would wait, so there are more of them than concurrent invocations.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from relambda.api.settings.settings import Settings
from relambda.api.stopping import CLOSE_SECONDS, DRAIN_SECONDS, STOP_SECONDS
from relambda.api.worker import CloudWorker
from relambda.api.wsgi import Gateway

MAX_THREADS = 4096
CONTROL_THREADS = 32
IDLE_CONNECTIONS = 1024
SWITCH_SECONDS = 0.0005
"""One busy Python thread holds up the others for this long at most (the default makes every ask take 5 ms)."""


def threads(settings: Settings) -> int:
    """As many as invocations may run at once, bounded, and some for everything else."""
    return min(settings.limit_concurrent_executions, MAX_THREADS) + CONTROL_THREADS


def options(settings: Settings, gateway: Gateway, on_ready: Callable[[int], None]) -> dict[str, Any]:
    """Gunicorn's settings for a cloud; `on_ready` gets the master's pid, in the worker, once it serves."""
    return _server(settings) | _limits() | _logging(settings) | _hooks(gateway, on_ready)


def _server(settings: Settings) -> dict[str, Any]:
    return {
        "worker_class": CloudWorker,
        "workers": 1,
        "threads": threads(settings),
        "worker_connections": threads(settings) + IDLE_CONNECTIONS,
        "preload_app": False,
        "max_requests": 0,
        "keepalive": 75,
        "timeout": 300,
        "graceful_timeout": STOP_SECONDS,
        "control_socket_disable": True,
        "proc_name": "relambda",
        "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir(),  # noqa: S108
    }


def _limits() -> dict[str, Any]:
    return {
        "limit_request_line": 8190,
        "limit_request_fields": 200,
        "limit_request_field_size": 32_768,
    }


def _logging(settings: Settings) -> dict[str, Any]:
    return {
        "loglevel": "info" if settings.debug else "warning",
        "errorlog": "-",
        "accesslog": "-" if settings.debug else None,
    }


def _hooks(gateway: Gateway, on_ready: Callable[[int], None]) -> dict[str, Any]:
    def post_fork(_arbiter: Any, worker: Any) -> None:
        # A copy that only this process sees: it must be through before the master kills it.
        worker.cfg.set("graceful_timeout", DRAIN_SECONDS)
        sys.setswitchinterval(SWITCH_SECONDS)

    def post_worker_init(worker: Any) -> None:
        # A terminal sends these to both processes; the master alone decides.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if gateway.doors is not None and gateway.gate is not None:
            worker.serve_tls(gateway.doors.https_name, gateway.gate)
        worker.on_drain = gateway.drain
        on_ready(worker.ppid)

    def worker_exit(_arbiter: Any, _worker: Any) -> None:
        for late in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
            signal.signal(late, signal.SIG_IGN)
        gateway.close(CLOSE_SECONDS)

    return {"post_fork": post_fork, "post_worker_init": post_worker_init, "worker_exit": worker_exit}
