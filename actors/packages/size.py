"""How large a stored package is when it is unpacked, told without unpacking it."""

from pathlib import Path

from relambda.actors.packages.archive import entries_of


def unzipped_size(zip_path: Path) -> int:
    """Bytes that a zip's directory tells its content has; the zip was inspected when it came.

    Raises PackageError, OSError.
    """
    with entries_of(zip_path) as entries:
        return sum(entry.size for entry in entries)
