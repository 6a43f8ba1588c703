"""`relambda snapshot`: the whole state as one file, out of a cloud and into one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from relambda.actors.codec import event_types
from relambda.api.cli import http_client
from relambda.api.cli.http_client import Progress
from relambda.api.cli.output import CommandError, answer, common_options, read_settings
from relambda.api.cli.progress import transfer_bar
from relambda.api.cloud_file import CloudFile
from relambda.api.exit_codes import ExitCode
from relambda.snapshots.errors import PodRefusedError
from relambda.snapshots.export import export_pod
from relambda.snapshots.load import import_pod
from relambda.store.errors import StoreBusyError, StoreError


@click.group
def snapshot() -> None:
    """Take the whole state along as one file."""


@snapshot.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@common_options
def export(*, file: Path, state_dir: Path | None, as_json: bool) -> None:
    """Write the state to FILE: of the cloud that runs on the state directory, else of the directory itself."""
    directory = read_settings(state_dir=state_dir).state_dir
    with _told(directory), _whole_file(file) as out, transfer_bar("exporting") as progress:
        _export(directory, out, progress)
    size = file.stat().st_size
    answer({"file": str(file), "bytes": size}, f"wrote {file} ({size:,} bytes)", as_json=as_json)


@snapshot.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--replace", is_flag=True, help="Take the place of what is there; without it, only an empty state is loaded."
)
@common_options
def import_(*, file: Path, replace: bool, state_dir: Path | None, as_json: bool) -> None:
    """Load the state in FILE. All of it is verified before anything is changed."""
    directory = read_settings(state_dir=state_dir).state_dir
    with _told(directory), file.open("rb") as source, transfer_bar("importing") as progress:
        loaded = _import(directory, source, progress, replace=replace)
    document = {"file": str(file), "state_dir": str(directory), **loaded}
    answer(document, f"loaded {file} into {directory}", as_json=as_json)


def _export(directory: Path, out: BinaryIO, progress: Progress) -> None:
    if found := CloudFile.running(directory):
        http_client.export_snapshot(found.url, out, progress)
    else:
        export_pod(directory, out, event_types(), progress)


def _import(directory: Path, source: BinaryIO, progress: Progress, *, replace: bool) -> dict[str, Any]:
    if found := CloudFile.running(directory):
        size = os.fstat(source.fileno()).st_size
        return http_client.import_snapshot(found.url, source, size, progress, replace=replace)
    loaded = import_pod(directory, source, replace=replace, types=event_types(), progress=progress)
    return {"events": loaded.manifest.events.count}


@contextmanager
def _told(directory: Path) -> Iterator[None]:
    try:
        yield
    except (http_client.CloudRefusedError, PodRefusedError) as error:
        raise CommandError(f"refused, and nothing was changed: {error}", ExitCode.REFUSED) from error
    except StoreBusyError as error:
        raise CommandError(str(error), ExitCode.IN_USE) from error
    except (http_client.CloudUnreachableError, StoreError, OSError) as error:
        raise CommandError(f"the snapshot of {directory} failed: {error}") from error


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name when it is whole and on the disk, and not at all otherwise."""
    beside = path.absolute().with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("xb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
