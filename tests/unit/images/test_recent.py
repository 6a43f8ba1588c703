"""Images that were present a moment ago."""

from collections.abc import Callable

import pytest

from relambda.actors.images.recent import SECONDS, RecentImages


class Looks:
    """Time as a test wants it, and an engine that counts how often it is asked."""

    def __init__(self) -> None:
        self.now, self.asked = 100.0, 0
        self.recent = RecentImages(now=lambda: self.now)

    def image(self, runtime: str = "python3.13", architecture: str = "x86_64", took: float = 0.0) -> str:
        return self.recent.image(runtime, architecture, self._look(took))

    def _look(self, took: float) -> Callable[[], str]:
        def look() -> str:
            self.asked += 1
            self.now += took
            return f"image {self.asked}"

        return look


def test_many_functions_in_a_row_ask_once() -> None:
    """Given functions of one runtime, when they are created within the time, then the engine is asked once."""
    looks = Looks()
    assert {looks.image() for _ in range(100)} == {"image 1"}
    looks.now += SECONDS - 0.01
    assert looks.image() == "image 1"


def test_an_image_is_looked_for_again_in_time() -> None:
    """Given a look that is older than the time, a slow one from its beginning, then the engine is asked again."""
    looks = Looks()
    looks.image()
    looks.now += SECONDS
    assert looks.image(took=SECONDS) == "image 2"
    assert looks.image() == "image 3"


def test_runtimes_and_architectures_have_images_of_their_own() -> None:
    """Given another runtime or another architecture, then what is known of the first says nothing of it."""
    looks = Looks()
    found = [looks.image(), looks.image("nodejs24.x"), looks.image(architecture="arm64"), looks.image()]
    assert found == ["image 1", "image 2", "image 3", "image 1"]


def test_a_look_that_fails_is_not_remembered() -> None:
    """Given an image that could not be had, when the next function needs it, then it is looked for again."""

    def refuse() -> str:
        raise LookupError("no registry")

    looks = Looks()
    with pytest.raises(LookupError):
        looks.recent.image("python3.13", "x86_64", refuse)
    assert looks.image() == "image 1"
