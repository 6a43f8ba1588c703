"""Recipes of runtime images that are built from packages: data files in `docker/images/recipes`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

DOCKER_FOLDER = Path(__file__).resolve().parents[2] / "docker"
"""The init and the recipes, beside this package both in the source tree and in site-packages."""

IMAGES_FOLDER = DOCKER_FOLDER / "images"
_RECIPES = IMAGES_FOLDER / "recipes"
_IN_EVERY_BASE = ("base.sh", "lambda-entrypoint.sh", "exec-wrapper.sh")


def hash_of(*made_of: object) -> str:
    """A short name of what something is made of: texts, and files by their content."""
    parts = (part.read_bytes() if isinstance(part, Path) else repr(part).encode() for part in made_of)
    return sha256(b"\0".join(parts)).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Base:
    """A bare Debian with some packages, on which the images of several runtimes stand."""

    suite: str
    packages: tuple[str, ...]

    @property
    def tag(self) -> str:
        """Its name in the engine and in a cache, which changes with whatever it is made of."""
        return f"{self.suite}-{hash_of(self.packages, *(IMAGES_FOLDER / name for name in _IN_EVERY_BASE))}"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one runtime's image is made: a base, then the family's folder, with a Dockerfile and what it copies."""

    runtime: str
    family: str
    base: Base
    tools: Base | None
    """Where the family's native part is compiled, if it has one."""
    settings: Mapping[str, str]
    """What the family's fetch.sh has in its environment and its Dockerfile as arguments."""

    @property
    def folder(self) -> Path:
        """The family's folder: a Dockerfile, and a fetch.sh where something comes from a registry of packages."""
        return IMAGES_FOLDER / self.family

    @property
    def native_folder(self) -> Path:
        """What is compiled on `tools`, the same for all of the family: a folder of the same kind."""
        return self.folder / "native"

    @property
    def digest(self) -> str:
        """A short name of all that the image is made of, but for the packages' releases."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return hash_of(self.base.tag, self.tools and self.tools.tag, sorted(self.settings.items()), *files)


def recipe_runtimes() -> list[str]:
    """Runtimes whose image can be built here, sorted."""
    return sorted(path.name.removesuffix(".toml") for path in _RECIPES.glob("*.toml"))


def read_recipe(runtime: str) -> Recipe:
    """The recipe of a runtime. Raises KeyError when there is none."""
    if runtime not in recipe_runtimes():
        raise KeyError(f"no recipe builds an image for {runtime!r}; there are: {', '.join(recipe_runtimes())}")
    content = tomllib.loads((_RECIPES / f"{runtime}.toml").read_text("utf-8"))
    suite, tools = content["suite"], content.get("tools")
    return Recipe(
        runtime=runtime,
        family=content["family"],
        base=Base(suite, tuple(content["packages"])),
        tools=Base(suite, tuple(tools)) if tools else None,
        settings=content.get("settings", {}),
    )
