"""Names: whose a resource is, its ARN, and the stream its events are in."""

from dataclasses import dataclass

LATEST = "$LATEST"

_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("us-iso-", "aws-iso"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
)


def partition(region: str) -> str:
    """The ARN partition of a region (AWS General Reference, "ARN format")."""
    return next((name for prefix, name in _PARTITIONS if region.startswith(prefix)), "aws")


@dataclass(frozen=True, slots=True)
class Scope:
    """An account in a region: what one set of credentials sees."""

    account: str
    region: str

    def arn(self, resource: str) -> str:
        """The ARN of a Lambda resource of this scope, `resource` being what follows the account."""
        return f"arn:{partition(self.region)}:lambda:{self.region}:{self.account}:{resource}"

    @property
    def prefix(self) -> str:
        """How keys of this scope's rows begin."""
        return f"{self.account}/{self.region}/"


@dataclass(frozen=True, slots=True)
class ResourceName:
    """A named resource of a scope: the identity of an event stream, `kind` being the stream's noun."""

    kind: str
    account: str
    region: str
    name: str

    @property
    def scope(self) -> Scope:
        """Whose it is."""
        return Scope(self.account, self.region)

    @property
    def stream(self) -> str:
        """The stream that holds its events."""
        return f"{self.kind}/{self.account}/{self.region}/{self.name}"

    @property
    def key(self) -> str:
        """Its key in views."""
        return f"{self.account}/{self.region}/{self.name}"

    def row_key(self, item: str) -> str:
        """The key of something it owns (a version, an alias, …) in views."""
        return f"{self.key}/{item}"

    def arn(self, qualifier: str | None = None) -> str:
        """Its ARN, with a qualifier when one is given."""
        base = self.scope.arn(f"{self.kind}:{self.name}")
        return base if qualifier is None else f"{base}:{qualifier}"

    @staticmethod
    def of_stream(stream: str) -> "ResourceName":
        """The identity of which `stream` is the name."""
        kind, account, region, name = stream.split("/", 3)
        return ResourceName(kind, account, region, name)


def function_name(scope: Scope, name: str) -> ResourceName:
    """The identity of a function."""
    return ResourceName("function", scope.account, scope.region, name)
