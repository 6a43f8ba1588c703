"""`relambda images`: the runtimes' images."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from platformdirs import user_cache_path
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from relambda.actors.engine.contract import EngineError, ImageUnavailableError
from relambda.actors.engine.docker_engine import DockerEngine
from relambda.actors.images.builder import build, list_images, outdated
from relambda.actors.images.recipe import recipe_runtimes
from relambda.actors.images.runtime_images import TAGS
from relambda.api.cli.output import CommandError, answer, json_option, offline_option
from relambda.api.cli.progress import messages
from relambda.api.settings.image_names import candidates_of
from relambda.api.settings.option import SettingsError
from relambda.api.settings.settings import Settings

RUNTIMES = click.Choice(sorted(TAGS))


@click.group
def images() -> None:
    """Pull, build or list the images that run functions."""


@images.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the runtimes whose image is present, or could be built here."""
    with _told():
        found = [image for image in list_images() if image.present or image.buildable]
    lines = (f"{image.runtime:<16} {image.present or '-':<44} {_note(image.buildable)}" for image in found)
    answer([asdict(image) for image in found], "\n".join(line.rstrip() for line in lines), as_json=as_json)


@images.command
@click.argument("runtimes", metavar="RUNTIME...", type=RUNTIMES, nargs=-1, required=True)
@click.option(
    "--or-build",
    is_flag=True,
    help="Build it from packages when no registry has it, or anew.",
)
@offline_option
@json_option
def pull(*, runtimes: tuple[str, ...], or_build: bool, as_json: bool) -> None:
    """Make sure that the image of each RUNTIME is present; one that is present is not pulled."""
    with _told(), _spinner(f"image of {', '.join(runtimes)}") as progress:
        found: dict[str, str] = {}
        missing: list[str] = []
        for runtime in runtimes:
            try:
                found[runtime] = _pull(runtime, progress)
            except ImageUnavailableError:
                if not or_build or runtime not in recipe_runtimes():
                    raise
                missing.append(runtime)
        missing += _stale(found, progress) if or_build else []
        built = dict(zip(missing, build(missing, progress, _cache()), strict=True)) if missing else {}
    _answer({runtime: built.get(runtime) or found[runtime] for runtime in runtimes}, as_json=as_json)


@images.command("build")
@click.argument("runtimes", metavar="RUNTIME...", type=RUNTIMES, nargs=-1, required=True)
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Keeps the bare Debian between builds.")
@json_option
def build_(*, runtimes: tuple[str, ...], cache: Path | None, as_json: bool) -> None:
    """Build the image of each RUNTIME from packages, without a registry of images; needs root and Debian's tools."""
    with _told(), _spinner(f"building for {', '.join(runtimes)}") as progress:
        names = build(runtimes, progress, cache or _cache())
    _answer(dict(zip(runtimes, names, strict=True)), as_json=as_json)


def _answer(images_: Mapping[str, str], *, as_json: bool) -> None:
    document = [{"runtime": runtime, "image": name} for runtime, name in images_.items()]
    answer(document, "\n".join(images_.values()), as_json=as_json)


def _pull(runtime: str, progress: Callable[[str], None]) -> str:
    settings = Settings.read(os.environ)
    with closing(DockerEngine("images", offline=settings.offline)) as engine:
        return engine.ensure_image(candidates_of(settings)(runtime), progress)


def _stale(found: Mapping[str, str], progress: Callable[[str], None]) -> list[str]:
    """Runtimes whose image is to be built again; without the rights to build, it is used as it is."""
    stale = outdated(found)
    if stale and os.geteuid() != 0:
        progress(f"built by another release: build it again with `sudo relambda images build {' '.join(stale)}`")
        return []
    return stale


def _cache() -> Path:
    return user_cache_path("relambda", ensure_exists=True)


def _note(buildable: bool) -> str:
    return "can be built here" if buildable else ""


@contextmanager
def _spinner(what: str) -> Iterator[Callable[[str], None]]:
    """Shows what is going on, and for how long, on standard error; a terminal sees it, a file gets lines."""
    console = messages()
    if not console.is_terminal:
        yield lambda line: console.print(f"{what}: {line}", markup=False)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda line: shown.update(task, description=f"{what}: {line}"[: console.width - 16])


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (EngineError, SettingsError) as error:
        raise CommandError(str(error)) from error
