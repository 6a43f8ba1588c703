"""Which unpacked trees a version needs: its code, its layers, and the one that holds all its layers in order."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from relambda.actors.domain.configuration import Layer
from relambda.actors.domain.version import Version


def laid_over(parts: Sequence[str]) -> str:
    """The name of the tree that holds several, each laid over those before it: sha256s of zips, paths of folders."""
    return hashlib.sha256("+".join(parts).encode()).hexdigest()


def parts_of(layers: Sequence[Layer]) -> list[str]:
    """What the tree of several layers is named after."""
    return [layer.mount or layer.sha256 for layer in layers]


def needed_trees(versions: Iterable[Version]) -> frozenset[str]:
    """Names of the trees that these versions need to run, and what serves while they are updated."""
    return frozenset(name for version in versions for name in _trees(version))


def _trees(version: Version) -> Iterator[str]:
    if version.serving is not None:
        yield from _trees(version.serving)
    if version.code.image_uri:
        return
    if not version.code.mount:
        yield version.code.sha256
    yield from (layer.sha256 for layer in version.layers if not layer.mount)
    if len(version.layers) > 1:
        yield laid_over(parts_of(version.layers))
