"""Runtime images that are built on this machine from packages, for use without a registry of images."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from docker import APIClient
from docker.errors import DockerException

from relambda.actors.engine import EngineError
from relambda.actors.engine_client import find_engine
from relambda.actors.image_recipe import DOCKER_FOLDER, Recipe, read_recipe, recipe_runtimes
from relambda.actors.runtime_images import TAGS, image_candidates, local_image

__all__ = ["RuntimeImage", "build", "image_candidates", "list_images", "main"]

LABEL = "relambda.runtime"
"""Label of an image that was built here; its value is the runtime."""

_BUILD_SECONDS = 900
_CALL_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RuntimeImage:
    """A runtime, the image that would run it now, and whether one can be built here. `present` is None for none."""

    runtime: str
    candidates: tuple[str, ...]
    present: str | None
    buildable: bool


def list_images(runtimes: Sequence[str] = tuple(TAGS)) -> list[RuntimeImage]:
    """What the engine holds for each runtime. Raises EngineUnavailableError."""
    with find_engine().client(_CALL_SECONDS, pool=1) as client:
        tags = {tag for image in client.images() for tag in image["RepoTags"] or ()}
    return [_runtime_image(runtime, tags) for runtime in runtimes]


def _runtime_image(runtime: str, tags: set[str]) -> RuntimeImage:
    candidates = tuple(image_candidates(runtime))
    present = next((name for name in candidates if name in tags), None)
    return RuntimeImage(runtime, candidates, present, runtime in recipe_runtimes())


def build(runtime: str, progress: Callable[[str], None], cache: Path | None = None) -> str:
    """Build a runtime's image and give the name it has in the engine from now on; takes about 40 seconds.

    `cache` is a folder that keeps the bare Debian between builds. Raises EngineError: no recipe, not root, no
    mmdebstrap, or a step that failed, with the end of what it said.
    """
    recipe = _recipe(runtime)
    _require_builder(progress)
    engine = find_engine()
    with tempfile.TemporaryDirectory(prefix="relambda-image-") as work:
        tar = _root_file_system(recipe, Path(work), cache, progress)
        with engine.client(_BUILD_SECONDS, pool=1) as client:
            return _import(client, recipe, tar, progress)


def _recipe(runtime: str) -> Recipe:
    try:
        return read_recipe(runtime)
    except KeyError as error:
        raise EngineError(error.args[0]) from None


def _require_builder(progress: Callable[[str], None]) -> None:
    if os.geteuid() != 0:
        raise EngineError("building a runtime image unpacks Debian packages and needs root: run it with sudo")
    if shutil.which("mmdebstrap"):
        return
    if not shutil.which("apt-get"):
        raise EngineError(
            "building a runtime image needs mmdebstrap and there is no apt-get: run it on Debian or Ubuntu"
        )
    progress("mmdebstrap is missing: installing it with apt-get")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "update", "-qq"], quiet, progress)
    _run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", "mmdebstrap"], quiet, progress)


def _root_file_system(recipe: Recipe, work: Path, cache: Path | None, progress: Callable[[str], None]) -> Path:
    output = work / "image.tar"
    kept = sha256(repr((recipe.suite, recipe.packages)).encode()).hexdigest()[:12]
    variables = {
        **os.environ,
        **recipe.settings,
        "SUITE": recipe.suite,
        "PACKAGES": ",".join(recipe.packages),
        "FAMILY": recipe.family,
        "OUTPUT": str(output),
        "WORK": str(work),
        "CACHE": str((cache or work / "none") / f"{recipe.suite}-{kept}.tar"),
        "HOST_PYTHON": sys.executable,
    }
    _run(["sh", str(DOCKER_FOLDER / "images" / "build.sh")], variables, progress)
    return output


def _run(command: Sequence[str], environment: Mapping[str, str], progress: Callable[[str], None]) -> None:
    """Run one step to its end; its standard output is progress, its standard error is kept for the failure."""
    with tempfile.TemporaryFile() as complaints:
        step = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
        )
        assert step.stdout is not None
        with step, step.stdout:
            for line in step.stdout:
                progress(line.decode(errors="replace").rstrip())
            code = step.wait(_BUILD_SECONDS)
        if code != 0:
            complaints.seek(0)
            said = complaints.read()[-2000:].decode(errors="replace").strip()
            raise EngineError(f"building a runtime image failed: `{' '.join(command)}` exited with {code}: {said}")


def _import(client: APIClient, recipe: Recipe, tar: Path, progress: Callable[[str], None]) -> str:
    name = local_image(recipe.runtime)
    repository, _, tag = name.rpartition(":")
    progress(f"giving it to the engine as {name}")
    changes = [
        *(f"ENV {name}={value}" for name, value in recipe.environment.items()),
        "WORKDIR /var/task",
        'ENTRYPOINT ["/lambda-entrypoint.sh"]',
        f"LABEL {LABEL}={recipe.runtime} relambda.built=offline",
    ]
    try:
        client.import_image(str(tar), repository=repository, tag=tag, changes=changes)
        client.inspect_image(name)  # type: ignore[no-untyped-call]
    except DockerException as error:
        raise EngineError(f"the engine did not take the image {name}: {error}") from error
    return name


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m relambda.actors.images build|list [runtime]`: the exit code."""
    parser = argparse.ArgumentParser(prog="relambda images", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="build a runtime's image from packages")
    building.add_argument("runtime", choices=recipe_runtimes())
    building.add_argument("--cache", type=Path, help="folder that keeps the bare Debian between builds")
    commands.add_parser("list", help="runtimes, and the image that is present for each")
    options = parser.parse_args(arguments)
    try:
        if options.command == "build":
            print(build(options.runtime, lambda line: print(line, flush=True), options.cache))
        else:
            _print_images()
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _print_images() -> None:
    for image in list_images():
        if image.present or image.buildable:
            print(f"{image.runtime}\t{image.present or '-'}\t{'buildable' if image.buildable else ''}")


if __name__ == "__main__":
    sys.exit(main())
