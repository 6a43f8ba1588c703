"""Which functions a spare sandbox can become."""

from dataclasses import replace
from pathlib import Path

import pytest

from relambda.actors.engine.contract import Mount, SandboxSpec
from relambda.actors.pool.spare import MAX_ENTRIES, fits


@pytest.fixture
def spec(tmp_path: Path) -> SandboxSpec:
    """An ordinary function: a little code, a layer, variables."""
    for name in ("code", "layer"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    mounts = [
        Mount(tmp_path / "code", "/var/task", fixed=True),
        Mount(tmp_path / "layer", "/opt", fixed=True),
        Mount(tmp_path, "/etc/passwd"),
    ]
    return SandboxSpec("name", "image", ("handler",), {"A": "1"}, 128, "host", mounts)


def test_an_ordinary_function_fits(spec: SandboxSpec) -> None:
    """Given code and layers that never change, and are small, then a spare sandbox will do."""
    assert fits(spec)


@pytest.mark.parametrize(
    "change",
    [
        {"working_directory": "/elsewhere"},
        {"tmp_mb": 513},
        {"ports": (5678,)},
        {"environment": {"UID": "1"}},
        {"environment": {"odd.name": "1"}},
        {"mounts": []},
    ],
    ids=["directory", "disk", "debugger", "variable of the shell", "name that is none", "image"],
)
def test_what_only_a_start_can_give_does_not_fit(spec: SandboxSpec, change: dict[str, object]) -> None:
    """Given a function that needs what a started container cannot be given, then it starts one of its own."""
    assert not fits(replace(spec, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("target", ["/var/task", "/opt"])
def test_a_folder_that_changes_does_not_fit(spec: SandboxSpec, target: str) -> None:
    """Given hot code, or a hot layer, then its folder has to be mounted."""
    mounts = [replace(mount, fixed=mount.fixed and mount.target != target) for mount in spec.mounts]
    assert not fits(replace(spec, mounts=mounts))


def test_many_files_do_not_fit(spec: SandboxSpec, tmp_path: Path) -> None:
    """Given a layer of one file more than is linked, then it is mounted."""
    large = tmp_path / "large"
    large.mkdir()
    for number in range(MAX_ENTRIES):
        (large / str(number)).touch()
    spec = replace(spec, mounts=[spec.mounts[0], Mount(large, "/opt", fixed=True)])
    assert fits(spec)
    other = tmp_path / "larger"
    large.rename(other)
    (other / "more").touch()
    assert not fits(replace(spec, mounts=[spec.mounts[0], Mount(other, "/opt", fixed=True)]))
