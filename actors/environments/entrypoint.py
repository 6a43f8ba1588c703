"""The command of a function's runtime, as far as it is not the image's own."""

from collections.abc import Sequence

from relambda.actors.domain.version import Version

_BOOTSTRAPS = ("/var/task/bootstrap", "/opt/bootstrap")
_FIND_BOOTSTRAP = f"""
for bootstrap in {" ".join(_BOOTSTRAPS)}; do
  if [ -f "$bootstrap" ]; then exec "$bootstrap"; fi
done
echo "Couldn't find valid bootstrap(s): [{" ".join(_BOOTSTRAPS)}]"
exit 127
"""
"""Where an OS-only runtime is looked for, and AWS's words when there is none. Its images have no bootstrap."""


def entrypoint_of(version: Version) -> tuple[str, ...] | None:
    """What stands in for the image's entrypoint; None leaves that."""
    if version.config["PackageType"] == "Image":
        return _image_config(version, "EntryPoint")
    if version.config["Runtime"].startswith("provided"):
        return ("/bin/sh", "-c", _FIND_BOOTSTRAP, "bootstrap")
    return None


def handler_arguments(version: Version) -> tuple[str, ...]:
    """What follows the entrypoint: the handler, or an image's own command."""
    if version.config["PackageType"] == "Image":
        return _image_config(version, "Command") or ()
    return (version.config["Handler"],)


def _image_config(version: Version, member: str) -> tuple[str, ...] | None:
    words: Sequence[str] | None = version.config.get("ImageConfig", {}).get(member)
    return tuple(words) if words else None
