"""Steps of building a runtime image that run on this machine: tools, bare Debian systems, fetched packages."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from relambda.actors.engine.contract import EngineError
from relambda.actors.images.recipe import IMAGES_FOLDER, Base, Recipe

Progress = Callable[[str], None]
_STEP_SECONDS = 900


def require_tools(recipe: Recipe, progress: Progress) -> None:
    """Make sure of mmdebstrap, and npm for Node, with apt-get if there is one. Raises EngineError."""
    if os.geteuid() != 0:
        raise EngineError("building a runtime image unpacks Debian packages and needs root: run it with sudo")
    needed = ["mmdebstrap", *(["npm"] if recipe.family == "node" else [])]
    missing = [tool for tool in needed if not shutil.which(tool)]
    if not missing:
        return
    names = " and ".join(missing)
    if not shutil.which("apt-get"):
        raise EngineError(f"building a runtime image needs {names} and there is no apt-get: run it on Debian or Ubuntu")
    progress(f"installing {names} with apt-get")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "update", "-qq"], quiet, progress)
    _run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing], quiet, progress)


def base_file_system(base: Base, work: Path, cache: Path | None, progress: Progress) -> Path:
    """The tar of a base's root file system: the one in `cache`, a folder that may be missing, or a new one.

    Raises EngineError.
    """
    kept = cache / f"{base.tag}.tar" if cache else None
    if kept and kept.is_file():
        progress(f"using the Debian {base.suite} kept in {kept}")
        return kept
    made = work / f"{base.tag}.tar"
    progress(f"fetching Debian {base.suite} with {', '.join(base.packages)}")
    variables = {"SUITE": base.suite, "PACKAGES": ",".join(base.packages), "OUTPUT": str(made)}
    _run(["sh", str(IMAGES_FOLDER / "base.sh")], variables, progress)
    if kept:
        _keep(made, kept)
    return made


def _keep(made: Path, kept: Path) -> None:
    """A cache that cannot be written to, or is full, only costs time."""
    partial = kept.with_name(f"{kept.name}.{os.getpid()}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, partial)
        partial.rename(kept)
    except OSError:
        partial.unlink(missing_ok=True)


def fetch_context(folder: Path, settings: Mapping[str, str], work: Path, progress: Progress) -> Path:
    """A new folder with another one's Dockerfile and all that it copies. Raises EngineError."""
    context = Path(tempfile.mkdtemp(prefix=folder.name, dir=work))
    shutil.copytree(folder, context, dirs_exist_ok=True)
    if (context / "fetch.sh").is_file():
        progress(f"fetching packages for {' '.join(settings.values()) or folder.name}")
        variables = {**settings, "CONTEXT": str(context), "HOST_PYTHON": sys.executable}
        _run(["sh", str(context / "fetch.sh")], variables, progress)
    return context


def _run(command: Sequence[str], variables: Mapping[str, str], progress: Progress) -> None:
    """Run one step to its end; its standard output is progress, its standard error is kept for the failure."""
    with tempfile.TemporaryFile() as complaints:
        step = subprocess.Popen(
            command,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
        )
        assert step.stdout is not None
        with step, step.stdout:
            for line in step.stdout:
                progress(line.decode(errors="replace").rstrip())
            code = step.wait(_STEP_SECONDS)
        if code != 0:
            complaints.seek(0)
            said = complaints.read()[-2000:].decode(errors="replace").strip()
            raise EngineError(f"building a runtime image failed: `{' '.join(command)}` exited with {code}: {said}")
