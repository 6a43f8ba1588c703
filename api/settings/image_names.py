"""Names of the images that run a runtime, after what the user set."""

from collections.abc import Callable

from relambda.actors.images.builder import image_candidates
from relambda.api.settings.settings import Settings


def candidates_of(settings: Settings) -> Callable[[str], list[str]]:
    """Names by runtime, best first: the image the user put in its place, or else the official one and the local."""

    def candidates(runtime: str) -> list[str]:
        if mapped := settings.runtime_image_mapping.image(runtime):
            return [_prefixed(settings, mapped)]
        official, local = image_candidates(runtime)
        return [_prefixed(settings, official), local]

    return candidates


def _prefixed(settings: Settings, image: str) -> str:
    return f"{settings.image_prefix.rstrip('/')}/{image}" if settings.image_prefix else image
