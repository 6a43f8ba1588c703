"""LAMBDA_DEBUG_MODE_CONFIG_PATH: which functions are debugged, read from YAML, again whenever the file changes."""

import logging
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relambda.actors.environments.debugging import Debugging, DebugTarget, Targets
from relambda.actors.images.recipe import DOCKER_FOLDER
from relambda.api.settings.option import SettingsError
from relambda.api.settings.settings import Settings

_log = logging.getLogger(__name__)
_KEYS = frozenset({"debug-port", "timeout-disable", "wait-for-client", "debugger"})
_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+(:[\w$.-]+)?")
EXAMPLE = "functions: {arn:aws:lambda:us-east-1:000000000000:function:NAME: {debug-port: 19891}}"


class DebugConfig:
    """The file, and what it last said; a change that cannot be read is warned of, and changes nothing."""

    def __init__(self, path: Path) -> None:
        """Read it for the first time. Raises SettingsError."""
        self._path = path
        self._read = _state(path)
        self._targets = read_targets(path)

    def targets(self) -> Targets:
        """What it says now; called on any thread, at each start of a container."""
        state = _state(self._path)
        if state != self._read:
            self._read = state
            try:
                self._targets = read_targets(self._path)
            except SettingsError as error:
                _log.warning("%s; what it said before stays", error)
        return self._targets


def config_of(settings: Settings) -> DebugConfig | None:
    """The configuration of debug mode; None out of it, or when no file is named. Raises SettingsError."""
    if not settings.debug_mode or not settings.debug_mode_config_path:
        return None
    return DebugConfig(Path(settings.debug_mode_config_path).expanduser())


def debugging_of(settings: Settings) -> Debugging:
    """What the user set about debugging. Raises SettingsError."""
    wrapper, config = settings.state_dir / "debugpy.sh", config_of(settings)
    if config is None:
        return Debugging(dict, wrapper)
    shutil.copy(DOCKER_FOLDER / "debugpy.sh", wrapper)
    wrapper.chmod(0o755)
    return Debugging(config.targets, wrapper)


def _state(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def read_targets(path: Path) -> Targets:
    """The functions that the file names, by ARN. Raises SettingsError: what is wrong, where, and what it may say."""
    import yaml  # noqa: PLC0415 - few use it, and all wait for it at the start

    try:
        document = yaml.safe_load(path.read_text("utf-8"))
        targets = {arn: _target(arn, given) for arn, given in _functions(document).items()}
        _check_ports(targets)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        raise SettingsError(
            f"LAMBDA_DEBUG_MODE_CONFIG_PATH={str(path)!r} is not understood: {error}; allowed is YAML such as {EXAMPLE}"
        ) from error
    return targets


def _functions(document: Any) -> Mapping[str, Any]:
    functions = document.get("functions") if isinstance(document, dict) else None
    if not isinstance(functions, dict):
        raise ValueError("there is no mapping `functions`")  # noqa: TRY004 - the caller's one kind of error
    return functions


def _target(arn: Any, given: Any) -> DebugTarget:
    if not _ARN.fullmatch(str(arn)) or not isinstance(given, dict):
        raise ValueError(f"{arn!r} is no ARN of a function with a mapping behind it")
    if unknown := given.keys() - _KEYS:
        raise ValueError(f"{sorted(map(str, unknown))} of {arn} is not among {sorted(_KEYS)}")
    port = given.get("debug-port")
    if type(port) is not int or not 0 < port < 65536:
        raise ValueError(f"debug-port of {arn} is no port: {port!r}")
    if given.get("debugger", "auto") not in {"auto", "none"}:
        raise ValueError(f"debugger of {arn} is neither auto nor none: {given['debugger']!r}")
    return DebugTarget(
        port=port,
        timeouts=not _flag(arn, given, "timeout-disable"),
        waits=_flag(arn, given, "wait-for-client"),
        starts_debugger=given.get("debugger", "auto") == "auto",
    )


def _flag(arn: str, given: Mapping[str, Any], key: str) -> bool:
    value = given.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"{key} of {arn} is neither true nor false: {value!r}")  # noqa: TRY004 - as above
    return value


def _check_ports(targets: Targets) -> None:
    owners: dict[int, str] = {}
    for arn, target in targets.items():
        if (other := owners.setdefault(target.port, arn)) != arn:
            raise ValueError(f"{other} and {arn} have the same debug-port {target.port}")
