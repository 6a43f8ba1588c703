"""The managed runtimes: until when each is supported, created and updated, and what it can (runtimes.tsv)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Runtime:
    """One runtime identifier; dates are ISO days, empty when none is announced."""

    identifier: str
    deprecated: str = ""
    block_create: str = ""
    block_update: str = ""
    snap_start: bool = False
    managed_instances: bool = False


RUNTIMES = {
    runtime.identifier: runtime
    for runtime in (
        Runtime("nodejs26.x", "", "", "", managed_instances=True),
        Runtime("nodejs24.x", "2028-04-30", "2028-06-01", "2028-07-01", managed_instances=True),
        Runtime("nodejs22.x", "2027-04-30", "2027-06-01", "2027-07-01", managed_instances=True),
        Runtime("nodejs20.x", "2026-04-30", "2027-02-01", "2027-03-03"),
        Runtime("nodejs18.x", "2025-09-01", "2027-02-01", "2027-03-03"),
        Runtime("nodejs16.x", "2024-06-12", "2027-02-01", "2027-03-03"),
        Runtime("nodejs14.x", "2023-12-04", "2024-01-09", "2027-03-03"),
        Runtime("nodejs12.x", "2023-03-31", "2023-03-31", "2023-04-30"),
        Runtime("python3.15", "", "", "", snap_start=True, managed_instances=True),
        Runtime("python3.14", "2029-06-30", "2029-07-31", "2029-08-31", snap_start=True, managed_instances=True),
        Runtime("python3.13", "2029-06-30", "2029-07-31", "2029-08-31", snap_start=True, managed_instances=True),
        Runtime("python3.12", "2028-10-31", "2028-11-30", "2029-01-10", snap_start=True),
        Runtime("python3.11", "2027-06-30", "2027-07-31", "2027-08-31"),
        Runtime("python3.10", "2026-10-31", "2027-02-01", "2027-03-03"),
        Runtime("python3.9", "2025-12-15", "2027-02-01", "2027-03-03"),
        Runtime("python3.8", "2024-10-14", "2027-02-01", "2027-03-03"),
        Runtime("python3.7", "2023-12-04", "2024-01-09", "2027-03-03"),
        Runtime("java25", "2029-06-30", "2029-07-31", "2029-08-31", snap_start=True, managed_instances=True),
        Runtime("java21", "2029-06-30", "2029-07-31", "2029-08-31", snap_start=True, managed_instances=True),
        Runtime("java17.al2023", "2029-06-30", "2029-07-31", "2029-08-31", snap_start=True),
        Runtime("java17", "2027-06-30", "2027-07-31", "2027-08-31", snap_start=True),
        Runtime("java11.al2023", "2029-06-30", "2029-07-31", "2029-08-31", snap_start=True),
        Runtime("java11", "2027-06-30", "2027-07-31", "2027-08-31", snap_start=True),
        Runtime("java8.al2023", "2029-06-30", "2029-07-31", "2029-08-31"),
        Runtime("java8.al2", "2027-06-30", "2027-07-31", "2027-08-31"),
        Runtime("java8", "2024-01-08", "2024-02-08", "2027-03-03"),
        Runtime("dotnet10", "2028-11-14", "2028-12-14", "2029-01-15", snap_start=True, managed_instances=True),
        Runtime("dotnet8", "2026-11-10", "2027-02-01", "2027-03-03", snap_start=True, managed_instances=True),
        Runtime("dotnet6", "2024-12-20", "2027-02-01", "2027-03-03"),
        Runtime("dotnetcore3.1", "2023-04-03", "2023-04-03", "2023-05-03"),
        Runtime("go1.x", "2024-01-08", "2024-02-08", "2027-03-03"),
        Runtime("ruby4.0", "2029-03-31", "2029-04-30", "2029-05-31"),
        Runtime("ruby3.4", "2028-03-31", "2028-04-30", "2028-05-31"),
        Runtime("ruby3.3", "2027-03-31", "2027-04-30", "2027-05-31"),
        Runtime("ruby3.2", "2026-03-31", "2027-02-01", "2027-03-03"),
        Runtime("ruby2.7", "2023-12-07", "2024-01-09", "2027-03-03"),
        Runtime("provided.al2023", "2029-06-30", "2029-07-31", "2029-08-31", managed_instances=True),
        Runtime("provided.al2", "2026-07-31", "2027-02-01", "2027-03-03"),
        Runtime("provided", "2024-01-08", "2024-02-08", "2027-03-03"),
        Runtime("nodejs10.x", "2021-07-30", "2021-07-30", "2022-02-14"),
        Runtime("nodejs8.10", "2020-03-06", "2020-02-04", "2020-03-06"),
        Runtime("nodejs6.10", "2019-08-12", "2019-07-12", "2019-08-12"),
        Runtime("nodejs4.3", "2020-03-05", "2020-02-03", "2020-03-05"),
        Runtime("nodejs4.3-edge", "2020-03-05", "2019-03-31", "2019-04-30"),
        Runtime("nodejs", "2016-08-30", "2016-09-30", "2016-10-31"),
        Runtime("python3.6", "2022-07-18", "2022-07-18", "2022-08-29"),
        Runtime("python2.7", "2021-07-15", "2021-07-15", "2022-05-30"),
        Runtime("dotnetcore2.1", "2022-01-05", "2022-01-05", "2022-04-13"),
        Runtime("dotnetcore2.0", "2019-05-30", "2019-04-30", "2019-05-30"),
        Runtime("dotnetcore1.0", "2019-06-27", "2019-06-30", "2019-07-30"),
        Runtime("ruby2.5", "2021-07-30", "2021-07-30", "2022-03-31"),
        Runtime("custom", "", "", ""),
    )
}


def deprecated_on(day: str) -> list[str]:
    """Identifiers of the runtimes that AWS no longer supports on an ISO day."""
    return [one.identifier for one in RUNTIMES.values() if one.deprecated and one.deprecated <= day]


def supported_on(day: str) -> list[str]:
    """Identifiers of the runtimes that AWS supports on an ISO day; `custom` is the customer's own, and none of them."""
    gone = {*deprecated_on(day), "custom"}
    return [identifier for identifier in RUNTIMES if identifier not in gone]


ACCEPTED = (
    "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, "
    "python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, "
    "java11, dotnet6, nodejs18.x, provided.al2, java8.al2"
)
"""What AWS names in its refusal of an unknown runtime, in AWS's order (validation_examples.tsv)."""
