"""Progress on standard error, for the commands that take a while; apart, so that the others need not load it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn


def messages() -> Console:
    """Where what is said on the way goes."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def transfer_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar of bytes on standard error; a terminal sees it, a file does not."""
    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=messages(), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)
