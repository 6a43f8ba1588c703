"""A version of a function: its configuration, its code, and where its changes stand."""

from dataclasses import dataclass

from relambda.actors.domain.configuration import Json, Layer


@dataclass(frozen=True, slots=True)
class Code:
    """What runs: a zip (by the sha256 of its bytes, in hex) or an image."""

    sha256: str = ""
    size: int = 0
    image_uri: str = ""
    resolved_image_uri: str = ""
    mount: str = ""
    """A host folder in the place of a zip (hot reload)."""


@dataclass(frozen=True, slots=True)
class Status:
    """A state or last-update status with AWS's reason and reason code, empty when there is none."""

    value: str
    reason: str = ""
    code: str = ""


CREATING = Status("Pending", "The function is being created.", "Creating")
ACTIVE = Status("Active")
UPDATING = Status("InProgress", "The function is being created.", "Creating")
SUCCESSFUL = Status("Successful")
NON_INVOCABLE = Status("ActiveNonInvocable")
"""$LATEST of a function of managed instances, whose versions alone run (FACTS.md section 7)."""


@dataclass(frozen=True, slots=True)
class Version:
    """$LATEST or a published version: configuration in AWS's member names, code, and where its changes stand."""

    version: str
    config: Json
    code: Code
    revision_id: str
    modified_ms: int
    state: Status = CREATING
    update: Status | None = None
    """None until the first preparation is over (TRAPS.md row 6)."""
    layers: tuple[Layer, ...] = ()
    serving: "Version | None" = None
    """While an update is in progress: what invokes still get."""
    source_description: str = ""
    """Of a published version: what $LATEST's description was then, its own being whatever publishing gave it."""

    @property
    def folders(self) -> tuple[str, ...]:
        """The host folders that its code and layers are (hot reload)."""
        return tuple(filter(None, (self.code.mount, *(layer.mount for layer in self.layers))))

    @property
    def snap_started(self) -> bool:
        """Its environments are restored from a snapshot that is taken when it is published."""
        return self.version != "$LATEST" and self.config["SnapStart"]["ApplyOn"] == "PublishedVersions"

    @property
    def unfinished(self) -> bool:
        """It waits for a preparation to end."""
        return self.state.value == "Pending" or (self.update is not None and self.update.value == "InProgress")
