"""Recipes of runtime images that are built from packages: data files in `docker/images/recipes`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DOCKER_FOLDER = Path(__file__).resolve().parent.parent / "docker"
"""The init and the recipes, beside this package both in the source tree and in site-packages."""

_IMAGES = DOCKER_FOLDER / "images"
_LIBRARY_PATH = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
_ENVIRONMENT = {
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": _LIBRARY_PATH,
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}
"""The variables of every base image (env_by_runtime.tsv)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one runtime's image is made: a Debian root file system, then the family's shell script."""

    runtime: str
    family: str
    suite: str
    packages: tuple[str, ...]
    settings: Mapping[str, str]
    environment: Mapping[str, str]

    @property
    def script(self) -> Path:
        """The shell script that makes a root file system this runtime."""
        return _IMAGES / "families" / f"{self.family}.sh"

    @property
    def entrypoint(self) -> Path:
        """The script that all images have as `/lambda-entrypoint.sh`."""
        return _IMAGES / "lambda-entrypoint.sh"


def recipe_runtimes() -> list[str]:
    """Runtimes whose image can be built here, sorted."""
    return sorted(path.stem for path in (_IMAGES / "recipes").glob("*.toml"))


def read_recipe(runtime: str) -> Recipe:
    """The recipe of a runtime. Raises KeyError when there is none."""
    if runtime not in recipe_runtimes():
        raise KeyError(f"no recipe builds an image for {runtime!r}; there are: {', '.join(recipe_runtimes())}")
    content = tomllib.loads((_IMAGES / "recipes" / f"{runtime}.toml").read_text("utf-8"))
    return Recipe(
        runtime=runtime,
        family=content["family"],
        suite=content["suite"],
        packages=tuple(content["packages"]),
        settings=content.get("settings", {}),
        environment={**_ENVIRONMENT, **content.get("environment", {})},
    )
