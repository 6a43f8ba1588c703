"""Blobs on their way in: kept beside the generation they belong to, until all of the pod is known to be good."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from relambda.snapshots.errors import PodDamagedError
from relambda.store.blobs import Blobs
from relambda.store.durable import make_directory, sync_directory


class IncomingBlobs:
    """Takes blobs into `staged`, a folder on the file system of `kept`, and moves them over at the end.

    So a load that is refused or killed leaves the blobs of the state untouched, and never removes one that a running
    cloud has stored meanwhile.
    """

    def __init__(self, staged: Blobs, kept: Blobs) -> None:
        self._staged, self._kept = staged, kept

    def take(self, sha256: str, size: int, chunks: Iterable[bytes]) -> None:
        """Read a blob of `size` bytes; PodDamagedError when its content is another's. Only a new one is stored."""
        checked = _checked(sha256, chunks)
        if self._has(sha256, size):
            for _ in checked:
                pass
        else:
            self._staged.put_stream(checked, size)

    def publish(self) -> None:
        """Move all that were taken to where events look for them, durably; one that was cut short is mended."""
        folders: set[Path] = set()
        for sha256 in self._staged.all():
            path = self._kept.path(sha256)
            make_directory(path.parent)
            self._staged.path(sha256).replace(path)
            folders.add(path.parent)
        for folder in sorted(folders):
            sync_directory(folder)

    def _has(self, sha256: str, size: int) -> bool:
        return self._kept.exists(sha256) and self._kept.size(sha256) == size


def _checked(sha256: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != sha256:
        raise PodDamagedError(f"blob {sha256} of the pod holds another content than its name says; export it again")
