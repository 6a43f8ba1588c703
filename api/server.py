"""Serves one cloud until it is told to stop: the master process, its listeners and its log."""

import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError

from relambda.actors.engine.contract import EngineError
from relambda.api import gunicorn_conf
from relambda.api.cli import log_file
from relambda.api.cloud_file import CloudFile, Process, own_version, url_of
from relambda.api.exit_codes import ExitCode
from relambda.api.network.authority import AuthorityError
from relambda.api.network.doorkeeper import Doorkeeper
from relambda.api.network.doors import Doors
from relambda.api.network.listening import address_of
from relambda.api.settings.option import SettingsError
from relambda.api.settings.settings import Settings
from relambda.api.stopping import CLOSE_SECONDS
from relambda.api.wsgi import Gateway
from relambda.store.errors import StoreError

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
log = logging.getLogger("relambda.server")


class Master(Arbiter):
    """Gunicorn's master, for a cloud that one worker serves: no second worker, no reload, a gentle Ctrl-C."""

    def __init__(self, server: "Server") -> None:
        self._log_path = log_file.path_of(server.settings.state_dir)
        super().__init__(server)

    handle_int = Arbiter.handle_term
    handle_hup = Arbiter.handle_term

    def init_signals(self) -> None:
        """Keep hang-ups ignored if they were (nohup)."""
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        super().init_signals()
        if ignored:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def manage_workers(self) -> None:
        """Each second: keep the worker there, and the log bounded."""
        super().manage_workers()
        log_file.trim(self._log_path)

    def refuse(self) -> None:
        """Answer a signal that would start a second worker: the state directory is for one."""
        log.warning("this signal does nothing: a cloud has one worker; use `relambda stop` and `relambda start`")

    handle_ttin = handle_ttou = handle_usr2 = handle_winch = refuse


class Server(BaseApplication):
    """A cloud as gunicorn sees it; the first of the sockets are those that the user asked for, in that order."""

    def __init__(
        self,
        settings: Settings,
        bound: Sequence[socket.socket],
        doors: Doors | None,
        announce: Callable[[CloudFile], None],
        warnings: Sequence[str] = (),
    ) -> None:
        listens = tuple(address_of(one) for one in bound)
        self.settings = replace(settings, gateway_listen=listens)
        asked = settings.gateway_listen
        public = urlsplit(f"//{settings.localstack_host}").hostname
        names = frozenset(name.lower() for name in (public, *(listen.host for listen in asked)) if name)
        self._gateway = Gateway(self.settings, Doorkeeper(listens[: len(asked)], names), doors)
        self._descriptors = [one.detach() for one in bound]
        if doors is not None:
            self._descriptors.append(doors.https.detach())
        self._announce, self._warnings = announce, tuple(warnings)
        super().__init__()

    def load_config(self) -> None:
        """Hand over our settings, and the sockets that are bound already."""
        options = gunicorn_conf.options(self.settings, self._gateway, self._ready)
        for name, value in options.items():
            self.cfg.set(name, value)
        self.cfg.set("on_exit", self._stopped)
        self.cfg.set("bind", [f"fd://{descriptor}" for descriptor in self._descriptors])

    def load(self) -> Any:
        """Open the cloud, in the worker. What it refuses ends the master too, with the message alone."""
        try:
            return self._gateway.app()
        except (StoreError, EngineError, SettingsError, AuthorityError, OSError) as error:
            self._gateway.close(CLOSE_SECONDS)
            raise AppImportError(f"the cloud did not start: {error}") from error

    def run(self) -> NoReturn:
        """Serve until a signal says stop; exits with an ExitCode."""
        master = os.getpid()
        try:
            Master(self).run()
        except SystemExit as end:
            if os.getpid() != master:
                raise  # the worker's own end, whose code tells the master what happened
            raise SystemExit(ExitCode.FAILED if end.code else ExitCode.OK) from None
        raise SystemExit(ExitCode.FAILED)

    def _stopped(self, master: Arbiter) -> None:
        CloudFile.remove(self.settings.state_dir, master.pid)

    def _ready(self, master: int) -> None:
        found = CloudFile(
            Process.of(master),
            Process.of(os.getpid()),
            url_of(self.settings.gateway_listen[0]),
            own_version(),
            datetime.now(UTC).isoformat(timespec="milliseconds"),
            self._warnings,
        )
        found.write(self.settings.state_dir)
        self._announce(found)


def configure_logging(*, debug: bool) -> None:
    """Send our own log to standard error; gunicorn's goes there already."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    root = logging.getLogger("relambda")
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if debug else logging.INFO)
