"""Quotas of an account, as the options LAMBDA_LIMITS_* set them (limits.tsv; options.md)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """AWS's defaults; sizes are bytes."""

    concurrent_executions: int = 1000
    minimum_unreserved_concurrency: int = 100
    total_code_size: int = 80_530_636_800
    code_size_zipped: int = 52_428_800
    code_size_unzipped: int = 262_144_000
    create_function_request_size: int = 70_167_211
    environment_size: int = 4096
    payload_size: int = 6_291_556
    layers: int = 5
    runtime_validation: bool = False
