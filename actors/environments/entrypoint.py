"""The command of a function's runtime, as far as it is not the image's own."""

from collections.abc import Sequence

from relambda.actors.domain.version import Version


def entrypoint_of(version: Version) -> tuple[str, ...] | None:
    """What stands in for the image's entrypoint; None leaves that, () is an OS-only function's bootstrap."""
    if version.config["PackageType"] == "Image":
        return _image_config(version, "EntryPoint")
    return () if _is_os_only(version) else None


def handler_arguments(version: Version) -> tuple[str, ...]:
    """What follows the entrypoint: the handler, or an image's own command; a bootstrap has none."""
    if version.config["PackageType"] == "Image":
        return _image_config(version, "Command") or ()
    return () if _is_os_only(version) else (version.config["Handler"],)


def _is_os_only(version: Version) -> bool:
    return str(version.config["Runtime"]).startswith("provided")


def _image_config(version: Version, member: str) -> tuple[str, ...] | None:
    words: Sequence[str] | None = version.config.get("ImageConfig", {}).get(member)
    return tuple(words) if words else None
