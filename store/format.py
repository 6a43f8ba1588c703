"""The format number beside the data: written once all else exists, checked before anything else is touched."""

from dataclasses import dataclass
from pathlib import Path

from relambda.store.durable import replace_file
from relambda.store.errors import CorruptStoreError, NewerFormatError

_MAX_BYTES = 64


@dataclass(frozen=True, slots=True)
class FormatFile:
    """The file FORMAT of one folder, for a release that writes format `current` there."""

    directory: Path
    current: int

    @property
    def path(self) -> Path:
        """Where the number stands."""
        return self.directory / "FORMAT"

    def check(self) -> bool:
        """Whether the folder was ever finished; NewerFormatError or CorruptStoreError when it must not be used."""
        try:
            with self.path.open("rb") as file:
                found = file.read(_MAX_BYTES)
        except FileNotFoundError:
            return False
        self._check_number(found)
        return True

    def write(self) -> None:
        """Mark the folder as finished, in the current format."""
        replace_file(self.path, b"%d\n" % self.current)

    def _check_number(self, found: bytes) -> None:
        text = found.strip()
        if not text.isdigit() or int(text) < 1:
            raise CorruptStoreError(f"{self.path} holds {found!r} and not a format number; restore it from a backup")
        if int(text) > self.current:
            raise NewerFormatError(
                f"{self.directory} is in format {int(text)}, this release knows up to {self.current};"
                " nothing was changed, use a newer release"
            )
