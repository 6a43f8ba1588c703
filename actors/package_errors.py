"""Why a deployment package is refused, in AWS's words."""

from typing import Final, NoReturn

UNREADABLE: Final = "Could not unzip uploaded file. Please check your file, then try to upload again."
EMPTY: Final = "Uploaded file must be a non-empty zip"


class PackageError(Exception):
    """A package is refused: the text is AWS's, `code` its error code, `reason` what was found and where in the zip."""

    def __init__(self, message: str, reason: str, code: str = "InvalidParameterValueException") -> None:
        super().__init__(message)
        self.reason, self.code = reason, code


def unreadable(reason: str) -> NoReturn:
    """Refuse a file that is no zip, or none that may be unpacked. Raises PackageError."""
    raise PackageError(UNREADABLE, reason)
