"""The time a cloud lives with one log: its store, its actors and its containers, begun and ended together."""

import logging
import uuid
from dataclasses import dataclass

from relambda.actors import codec
from relambda.actors.clock import Clock, Scheduler
from relambda.actors.concurrency import Concurrency
from relambda.actors.domain.limits import Limits
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.state import Head
from relambda.actors.domain.version import Version
from relambda.actors.engine.contract import Engine, EngineError
from relambda.actors.engine.docker_engine import DockerEngine
from relambda.actors.engine.late import LateEngine
from relambda.actors.hot_reload.folder import Roots
from relambda.actors.hot_reload.hot_reload import HotReload
from relambda.actors.hot_reload.tree import Ignored
from relambda.actors.hot_reload.watcher import Watcher
from relambda.actors.kinds import STARTS
from relambda.actors.packages.packages import Packages
from relambda.actors.packages.sweeper import TreeSweeper
from relambda.actors.packages.trees import needed_trees
from relambda.actors.pool.pooled_engine import PooledEngine
from relambda.actors.preparation import Preparation
from relambda.actors.rebuild import rebuild_views
from relambda.actors.room import Options, Room
from relambda.actors.runtime_api.listener import RuntimeApi
from relambda.actors.system import ActorSystem
from relambda.actors.traces.daemon import TraceDaemon
from relambda.api.code_storage import CodeStorage
from relambda.api.network.bridge import surroundings
from relambda.api.network.injection import Injection
from relambda.api.records import Records, start_trace_daemon
from relambda.api.settings.debug_config import debugging_of
from relambda.api.settings.image_names import candidates_of
from relambda.api.settings.sandboxes import container_options
from relambda.api.settings.settings import Settings
from relambda.api.views import Views
from relambda.store.blobs import Blobs
from relambda.store.log import LmdbStore
from relambda.store.state_dir import StateDirectory

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tenure:
    """What is replaced as a whole when a snapshot is imported."""

    store: LmdbStore
    blobs: Blobs
    views: Views
    room: Room
    system: ActorSystem
    trace_daemon: TraceDaemon | None
    code_storage: CodeStorage

    @classmethod
    def begin(
        cls,
        settings: Settings,
        limits: Limits,
        directory: StateDirectory,
        cloud_id: str,
        clock: Clock,
        records: Records,
        injection: Injection | None,
    ) -> "Tenure":
        """Open the log, sweep what a killed cloud left, start the actors that have unfinished work."""
        store = LmdbStore.open(
            directory.current() / "log", codec.event_types(), power_safe=settings.durability == "power"
        )
        rebuild_views(store)
        blobs = Blobs(directory.blobs_path)
        scheduler = Scheduler(clock)
        containers = container_options(settings, injection.name_server if injection else "")
        docker = LateEngine(lambda: DockerEngine(cloud_id, containers, offline=settings.offline))
        host = _sweep(docker)
        runtime_api = RuntimeApi(host, longest_response=limits.payload_size)
        runtime_api.start()
        daemon = start_trace_daemon(host, records.traces)
        packages = Packages(settings.state_dir / "packages")
        engine = PooledEngine(
            docker,
            packages,
            runtime_api.rename,
            settings.docker_flags.environment,
            size=settings.pool_size,
            total=settings.pool_total,
        )
        roots = Roots(settings.hot_reload_roots)
        trust = injection.trust if injection else None
        preparation = Preparation(
            engine,
            candidates_of(settings),
            packages,
            blobs,
            roots,
            trust,
            engine.expect,
            ignore_architecture=settings.ignore_architecture,
            prebuild=settings.prebuild_images,
        )
        system = ActorSystem(STARTS, clock, scheduler)
        views = Views(store)
        room = Room(
            store=store,
            blobs=blobs,
            packages=packages,
            trees=TreeSweeper(packages, lambda: _needed(views)),
            engine=engine,
            runtime_api=runtime_api,
            concurrency=Concurrency(limits.concurrent_executions),
            preparation=preparation,
            hot_reload=hot_reload_of(settings, roots, preparation),
            debugging=debugging_of(settings),
            surroundings=surroundings(settings, engine, daemon, trust),
            logs=records.logs,
            traces=records.traces,
            clock=clock,
            scheduler=scheduler,
            post=system,
            options=options_of(settings),
            new_id=lambda: str(uuid.uuid4()),
        )
        _reserve(views, room.concurrency)
        system.open(room)
        room.trees.start()
        storage = CodeStorage(limits.total_code_size, lambda scope: views.usage(scope)[1])
        return cls(store, blobs, views, room, system, daemon, storage)

    def end(self, timeout: float) -> int:
        """Wait for running invocations, then stop everything; about `timeout` seconds at most. The log's last head."""
        self.system.stop(timeout)
        self.room.preparation.stop()
        self.room.trees.stop()
        self.room.hot_reload.stop()
        self.room.runtime_api.stop(1.0)
        if self.trace_daemon is not None:
            self.trace_daemon.stop(1.0)
        try:
            self.room.engine.sweep(keep=True)
        except EngineError as error:
            _log.warning("containers may be left over: %s", error)
        self.room.engine.close()
        self.room.scheduler.stop()
        head = self.store.head()
        self.store.close()
        return head

    def engine_name(self) -> str:
        """The engine's name and version, or why there is none."""
        try:
            return self.room.engine.ping()
        except EngineError as error:
            return f"unavailable: {error}"


def _reserve(views: Views, concurrency: Concurrency) -> None:
    """Count what functions have reserved, before any of their actors has started."""
    for key, value in views.scan("functions", ""):
        reserved = codec.from_row(Head, value).reserved_concurrency
        if reserved is not None:
            concurrency.reserve(ResourceName("function", *key.split("/", 2)), reserved)


def _needed(views: Views) -> frozenset[str]:
    """The unpacked trees that all versions of all functions need."""
    return needed_trees(codec.from_row(Version, value) for _, value in views.scan("versions", ""))


def hot_reload_of(settings: Settings, roots: Roots, preparation: Preparation) -> HotReload:
    """What the user set about folders in the place of code."""
    ignored = Ignored(settings.hot_reload_ignore)
    return HotReload(roots, ignored, Watcher(ignored, polling=settings.hot_reload_polling), preparation.mounts)


def options_of(settings: Settings) -> Options:
    """What the user set about functions and instances."""
    return Options(
        keepalive=settings.keepalive_ms / 1000,
        environment_timeout=float(settings.runtime_environment_timeout),
        state_transition=settings.state_transition_ms / 1000,
        retry_base_delay=float(settings.retry_base_delay),
    )


def _sweep(engine: Engine) -> str:
    """Remove containers that a killed cloud left; the address for the Runtime API."""
    try:
        if swept := engine.sweep():
            _log.info("removed %d containers that an earlier run left", swept)
        return engine.runtime_api_host()
    except EngineError as error:
        _log.warning("functions cannot run until this is mended and the cloud started again: %s", error)
        return "127.0.0.1"
