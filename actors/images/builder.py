"""Runtime images that are built on this machine from packages, for use without a registry of images."""

import os
import tempfile
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from docker import APIClient
from docker.errors import DockerException, ImageNotFound
from requests.exceptions import RequestException

from relambda.actors.engine.client import find_engine
from relambda.actors.engine.contract import EngineError
from relambda.actors.images.recipe import Base, Recipe, hash_of, read_recipe, recipe_runtimes
from relambda.actors.images.runtime_images import LOCAL, TAGS, image_candidates, local_image
from relambda.actors.images.steps import Progress, base_file_system, fetch_context, require_tools

__all__ = ["RuntimeImage", "build", "image_candidates", "list_images", "outdated"]

LABEL = "relambda.runtime"
"""Label of an image that was built here; its value is the runtime."""
_BUILT = {"relambda.built": "offline"}
"""Label of these, of their bases and of their native parts."""

_RECIPE = "relambda.recipe"
"""Label of such an image; its value is the digest of the recipe."""

_BUILD_SECONDS = 900
_CALL_SECONDS = 60
_LIBRARY_PATH = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
_CONTRACT = (
    "ENV LANG=en_US.UTF-8",
    "ENV TZ=:UTC",
    "ENV PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    f"ENV LD_LIBRARY_PATH={_LIBRARY_PATH}",
    "ENV LAMBDA_TASK_ROOT=/var/task",
    "ENV LAMBDA_RUNTIME_DIR=/var/runtime",
    "WORKDIR /var/task",
    'ENTRYPOINT ["/lambda-entrypoint.sh"]',
)
"""What every base image of AWS says of itself (env_by_runtime.tsv; FACTS.md section 3)."""


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


def build(runtimes: Sequence[str], progress: Progress, cache: Path | None = None) -> list[str]:
    """Build the images of runtimes side by side, and give the names they have in the engine from now on.

    `cache` is a folder that keeps bare Debian systems between builds. `progress` is called on several threads. Raises
    EngineError: no recipe, not root, no mmdebstrap, or a step that failed, with the end of what it said.
    """
    recipes = [_recipe(runtime) for runtime in runtimes]
    for recipe in recipes:
        require_tools(recipe, progress)
    engine = find_engine()
    with (
        tempfile.TemporaryDirectory(prefix="relambda-image-") as work,
        engine.client(_BUILD_SECONDS) as client,
        ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="images") as workers,
    ):
        builder = _Builder(client, Path(work), cache, progress)
        return list(workers.map(builder.build, recipes))


def _labels() -> list[str]:
    return [f"LABEL {name}={value}" for name, value in _BUILT.items()]


def outdated(images: Mapping[str, str]) -> list[str]:
    """Of runtimes and their images, those whose image was built here by another recipe than this release's.

    Raises EngineError.
    """
    built = [runtime for runtime, image in images.items() if image == local_image(runtime)]
    with find_engine().client(_CALL_SECONDS, pool=1) as client:
        return [runtime for runtime in built if _recipe_of(client, images[runtime]) != _recipe(runtime).digest]


def _recipe_of(client: APIClient, image: str) -> str:
    try:
        labels = client.inspect_image(image)["Config"]["Labels"]  # type: ignore[no-untyped-call]
    except (DockerException, RequestException) as error:
        raise EngineError(f"the engine does not tell of the image {image}: {error}") from error
    return str((labels or {}).get(_RECIPE, ""))


def _recipe(runtime: str) -> Recipe:
    try:
        return read_recipe(runtime)
    except KeyError as error:
        raise EngineError(error.args[0]) from None


class _Builder:
    """Builds images; those that stand on the same base, or hold the same native part, wait for the first to make it."""

    def __init__(self, client: APIClient, work: Path, cache: Path | None, progress: Progress) -> None:
        self._client, self._work, self._cache, self._progress = client, work, cache, progress
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def build(self, recipe: Recipe) -> str:
        """Build one runtime's image; its name. Raises EngineError."""
        arguments = {**recipe.settings, "BASE": self._base(recipe.base)}
        if recipe.tools:
            arguments["NATIVE"] = self._native(recipe.native_folder, recipe.tools)
        context = fetch_context(recipe.folder, recipe.settings, self._work, self._progress)
        name = local_image(recipe.runtime)
        labels = {LABEL: recipe.runtime, _RECIPE: recipe.digest, **_BUILT}
        self._dockerfile(context, name, arguments, labels)
        return name

    def _native(self, folder: Path, tools: Base) -> str:
        """The name of the image that holds what a family has to compile, present from now on."""
        files = sorted(path for path in folder.iterdir() if path.is_file())
        name = f"{LOCAL}/native:{folder.parent.name}-{hash_of(tools.tag, *files)}"
        with self._locks[name]:
            if not self._present(name):
                base = self._base(tools)
                context = fetch_context(folder, {}, self._work, self._progress)
                self._dockerfile(context, name, {"BASE": base}, _BUILT)
        return name

    def _base(self, base: Base) -> str:
        """The name of a base in the engine, present from now on."""
        name = f"{LOCAL}/base:{base.tag}"
        with self._locks[name]:
            if not self._present(name):
                self._import(base_file_system(base, self._work, self._cache, self._progress), name)
        return name

    def _present(self, name: str) -> bool:
        try:
            self._client.inspect_image(name)  # type: ignore[no-untyped-call]
        except ImageNotFound:
            return False
        except (DockerException, RequestException) as error:
            raise EngineError(f"the engine does not tell whether the image {name} is present: {error}") from error
        return True

    def _import(self, tar: Path, name: str) -> None:
        repository, _, tag = name.rpartition(":")
        try:
            self._client.import_image(str(tar), repository=repository, tag=tag, changes=[*_CONTRACT, *_labels()])
            self._client.inspect_image(name)  # type: ignore[no-untyped-call]
        except (DockerException, RequestException) as error:
            raise EngineError(f"the engine did not take the image {name}: {error}") from error

    def _dockerfile(self, context: Path, name: str, arguments: dict[str, str], labels: dict[str, str]) -> None:
        """Build without a network: all that is needed was fetched."""
        self._progress(f"building {name}")
        said: list[str] = []
        try:
            for line in self._client.build(
                path=str(context),
                tag=name,
                buildargs=arguments,
                labels=labels,
                network_mode="none",
                rm=True,
                forcerm=True,
                decode=True,
            ):
                said.append(str(line.get("stream") or line.get("error") or ""))
                if "error" in line:
                    raise EngineError(f"building {name} failed: {''.join(said)[-2000:]}")
        except (DockerException, RequestException) as error:
            raise EngineError(f"the engine did not build {name}: {error}") from error
