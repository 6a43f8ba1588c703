"""A cloud in a container hands the engine paths as the engine sees them."""

from pathlib import Path

import pytest

from relambda.actors.engine.contract import EngineError
from relambda.actors.engine.own_container import OwnContainer

OWN = OwnContainer(
    addresses={"cloud_default": "172.20.0.2"},
    folders={Path("/var/lib/relambda"): Path("/volumes/state/_data"), Path("/var/lib/relambda/inner"): Path("/other")},
)


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ("/var/lib/relambda", "/volumes/state/_data"),
        ("/var/lib/relambda/packages/0a", "/volumes/state/_data/packages/0a"),
        ("/var/lib/relambda/inner/x", "/other/x"),
    ],
)
def test_a_path_on_a_mounted_folder_is_told_as_the_engine_sees_it(inside: str, outside: str) -> None:
    """Given mounted folders, when a path below them is translated, then the nearest one counts."""
    assert OWN.outside(Path(inside)) == Path(outside)


def test_a_path_that_the_engine_cannot_see_is_refused_with_the_mend() -> None:
    """Given a path of the container alone, when it is translated, then the refusal says to mount a volume."""
    with pytest.raises(EngineError, match=r"cannot see /var/lib/other.*mount a volume"):
        OWN.outside(Path("/var/lib/other"))
