"""The rules between the rooms: who may import whom, and what the folder docker/ must not hold."""

import os
import subprocess
import sys
from pathlib import Path

import docker

ROOT = Path(__file__).parents[2]
ROOMS = ("actors", "api", "snapshots", "store")


def test_imports_go_one_way(tmp_path: Path) -> None:
    """Every contract of pyproject.toml holds: imports go one way, and each library stays in its room."""
    package = tmp_path / "relambda"
    package.mkdir()
    for room in ROOMS:
        (package / room).symlink_to(ROOT / room)
    lint_imports = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run(
        [lint_imports, "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_docker_is_the_sdk() -> None:
    """`import docker` is Docker's SDK, also when Python runs in the project's folder."""
    where = subprocess.run(
        [sys.executable, "-c", "import docker; print(docker.__file__)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout

    assert docker.__file__ is not None
    assert Path(where.strip()) == Path(docker.__file__)
    assert ROOT / "docker" not in Path(where.strip()).parents


def test_the_folder_docker_holds_no_python() -> None:
    """A Python file there would make a package of the SDK's name out of the folder."""
    assert not list((ROOT / "docker").rglob("*.py"))
