"""X-Ray's trace header: which trace a run of a function belongs to, and whether it is recorded.

X-Ray Developer Guide, "Tracing header": `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.
"""

import re
from dataclasses import dataclass, replace

_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_PARENT = re.compile(r"[0-9a-f]{16}")
_KNOWN = ("Root", "Parent", "Sampled")


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """The header's parts; what it lacks, or what is no id, is empty. `others` are passed on as they came."""

    root: str = ""
    parent: str = ""
    sampled: str = ""
    others: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> "TraceHeader":
        """Take a header apart; nothing that a caller may send is an error."""
        parts = [part.strip() for part in text.split(";") if part.strip()]
        known = {name: value for name, _, value in (part.partition("=") for part in reversed(parts)) if name in _KNOWN}
        return cls(
            root=known["Root"] if _ROOT.fullmatch(known.get("Root", "")) else "",
            parent=known["Parent"] if _PARENT.fullmatch(known.get("Parent", "")) else "",
            sampled=known["Sampled"] if known.get("Sampled") in {"0", "1"} else "",
            others=tuple(part for part in parts if part.partition("=")[0] not in _KNOWN),
        )

    @property
    def recorded(self) -> bool:
        """Whether segments of the trace are kept."""
        return self.sampled == "1"

    def decided(self, *, active: bool) -> "TraceHeader":
        """It with a decision: the caller's, or else that of the function's tracing mode.

        With Active every run that nobody else has decided on is recorded; AWS records one a second and 5 % more
        (Developer Guide, "Visualize Lambda function invocations using AWS X-Ray").
        """
        return self if self.sampled else replace(self, sampled="1" if active else "0")

    def below(self, parent: str) -> "TraceHeader":
        """It as what runs below a segment gets it."""
        return replace(self, parent=parent)

    def __str__(self) -> str:
        known = zip(_KNOWN, (self.root, self.parent, self.sampled), strict=True)
        return ";".join([*(f"{name}={value}" for name, value in known if value), *self.others])
