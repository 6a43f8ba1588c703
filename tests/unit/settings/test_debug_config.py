"""The file of debugged functions: what it may say, and what is said of what it may not."""

import os
from pathlib import Path

import pytest

from relambda.actors.environments.debugging import DebugTarget
from relambda.api.settings.debug_config import DebugConfig, config_of, debugging_of, read_targets
from relambda.api.settings.option import SettingsError
from relambda.api.settings.settings import Settings

ONE = "arn:aws:lambda:us-east-1:000000000000:function:one"
TWO = "arn:aws:lambda:us-east-1:000000000000:function:two:7"


def written(folder: Path, text: str) -> Path:
    """A file that says this."""
    path = folder / "debug.yaml"
    path.write_text(text)
    return path


def test_functions_by_arn(tmp_path: Path) -> None:
    """Each has a port; timeouts count and the debugger is started unless told otherwise."""
    options = "{debug-port: 19892, timeout-disable: true, wait-for-client: true, debugger: none}"
    path = written(tmp_path, f"functions:\n  {ONE}:\n    debug-port: 19891\n  {TWO}: {options}\n")
    assert read_targets(path) == {
        ONE: DebugTarget(19891),
        TWO: DebugTarget(19892, timeouts=False, waits=True, starts_debugger=False),
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("functions: [", "while parsing"),
        ("[]", "no mapping `functions`"),
        ("functions:", "no mapping `functions`"),
        ("functions: {one: {debug-port: 1}}", "no ARN of a function"),
        (f"functions: {{{ONE}: 19891}}", "no ARN of a function"),
        (f"functions: {{{ONE}: {{debug-port: 0}}}}", "is no port: 0"),
        (f"functions: {{{ONE}: {{debug-port: true}}}}", "is no port: True"),
        (f"functions: {{{ONE}: {{}}}}", "is no port: None"),
        (f"functions: {{{ONE}: {{debug-port: 1, timeout-disable: 1}}}}", "neither true nor false: 1"),
        (f"functions: {{{ONE}: {{debug-port: 1, debugger: gdb}}}}", "neither auto nor none: 'gdb'"),
        (f"functions: {{{ONE}: {{debug-port: 1, port: 2}}}}", "'port'"),
        (f"functions: {{{ONE}: {{debug-port: 1}}, '{TWO}': {{debug-port: 1}}}}", "the same debug-port 1"),
    ],
)
def test_what_is_not_understood_is_told(tmp_path: Path, text: str, reason: str) -> None:
    """The message names the option, the file, what is wrong, and shows what is allowed."""
    path = written(tmp_path, text)
    with pytest.raises(SettingsError, match="debug-port: 19891") as refusal:
        read_targets(path)
    assert str(refusal.value).startswith(f"LAMBDA_DEBUG_MODE_CONFIG_PATH={str(path)!r}")
    assert reason in str(refusal.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """Debug mode with a file that is not there does not start."""
    with pytest.raises(SettingsError, match="No such file"):
        DebugConfig(tmp_path / "none")


def test_a_change_is_read_and_a_bad_one_is_not(tmp_path: Path) -> None:
    """Given a file that is edited while the cloud runs, then the next start of a container heeds what is understood."""
    path = written(tmp_path, f"functions: {{{ONE}: {{debug-port: 1}}}}")
    config = DebugConfig(path)
    for moment, (text, port) in enumerate([("debug-port: 2", 2), ("debug-port: none", 2), ("debug-port: 3", 3)], 1):
        path.write_text(f"functions: {{{ONE}: {{{text}}}}}")
        os.utime(path, (moment, moment))
        assert config.targets()[ONE].port == port
    path.unlink()
    assert config.targets()[ONE].port == 3


def test_nothing_is_debugged_out_of_debug_mode(tmp_path: Path) -> None:
    """LAMBDA_DEBUG_MODE=0 does not read the file, and debug mode needs one."""
    environ = {"LAMBDA_DEBUG_MODE_CONFIG_PATH": str(tmp_path / "none"), "RELAMBDA_STATE_DIR": str(tmp_path)}
    assert config_of(Settings.read(environ)) is None
    assert config_of(Settings.read({"LAMBDA_DEBUG_MODE": "1"})) is None
    assert debugging_of(Settings.read(environ)).targets() == {}
    assert not list(tmp_path.iterdir())
