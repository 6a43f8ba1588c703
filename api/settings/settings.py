"""All options of a cloud, read once from the environment; the table from which their documentation is made.

Names, defaults and meanings of the LAMBDA_* ones are those people's scripts contain already.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from platformdirs import user_state_path

from relambda.actors.engine.flags import ContainerFlags
from relambda.api.settings.option import (
    ADDRESS,
    ADDRESSES,
    BOOLEAN,
    ENGINE_URL,
    FLAGS,
    GLOBS,
    HOST_ADDRESS,
    HTTP_URL,
    LAYER_SOURCE,
    LISTENS,
    NAME_SERVERS,
    NETWORKS,
    OPTIONAL_ADDRESS,
    PATH,
    PATTERNS,
    PUBLIC_HOST,
    ROOTS,
    RUNTIME_IMAGES,
    TEXT,
    Listen,
    Option,
    RuntimeImages,
    choice,
    option,
    whole,
)

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Settings:
    """What a cloud was told. Immutable; made by `read`."""

    gateway_listen: tuple[Listen, ...] = option(
        "GATEWAY_LISTEN", LISTENS, "127.0.0.1:4566", "Where the cloud listens; port 0 takes a free one."
    )
    state_dir: Path = option(
        "RELAMBDA_STATE_DIR", PATH, str(user_state_path("relambda")), "The directory that holds all state of a cloud."
    )
    durability: str = option(
        "RELAMBDA_DURABILITY",
        choice("process", "power"),
        "process",
        "What an acknowledged change survives: the death of the process, or the loss of power too (slower).",
    )
    state_transition_ms: int = option(
        "RELAMBDA_STATE_TRANSITION_MS",
        whole(0, 600_000),
        "0",
        "The least time, in milliseconds, that a function stays Pending and an update InProgress.",
    )
    keepalive_ms: int = option(
        "LAMBDA_KEEPALIVE_MS",
        whole(0, 30 * DAY_MS),
        "600000",
        "Idle time, in milliseconds, after which an execution environment stops; 0 stops it after each invoke.",
    )
    limit_concurrent_executions: int = option(
        "LAMBDA_LIMITS_CONCURRENT_EXECUTIONS",
        whole(1, 1_000_000),
        "1000",
        "How many invocations of an account and region may run at once; the next one is answered with 429.",
    )
    limit_minimum_unreserved_concurrency: int = option(
        "LAMBDA_LIMITS_MINIMUM_UNRESERVED_CONCURRENCY",
        whole(0, 1_000_000),
        "100",
        "How much of the concurrency no function may reserve.",
    )
    limit_total_code_size: int = option(
        "LAMBDA_LIMITS_TOTAL_CODE_SIZE", whole(1), "80530636800", "Bytes of code that an account may store in a region."
    )
    limit_code_size_zipped: int = option(
        "LAMBDA_LIMITS_CODE_SIZE_ZIPPED", whole(1), "52428800", "Bytes of a zip that is uploaded directly."
    )
    limit_code_size_unzipped: int = option(
        "LAMBDA_LIMITS_CODE_SIZE_UNZIPPED", whole(1), "262144000", "Bytes of code and layers, unzipped."
    )
    limit_create_function_request_size: int = option(
        "LAMBDA_LIMITS_CREATE_FUNCTION_REQUEST_SIZE", whole(1), "70167211", "Bytes of the body of a CreateFunction."
    )
    limit_function_envvar_size_bytes: int = option(
        "LAMBDA_LIMITS_MAX_FUNCTION_ENVVAR_SIZE_BYTES",
        whole(1),
        "4096",
        "Bytes of a function's environment, written as JSON.",
    )
    limit_function_payload_size_bytes: int = option(
        "LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES",
        whole(1),
        "6291556",
        "Bytes of the payload that a function answers with.",
    )
    runtime_validation: bool = option(
        "LAMBDA_RUNTIME_VALIDATION", BOOLEAN, "0", "Refuse runtimes that AWS has deprecated."
    )
    synchronous_create: bool = option(
        "LAMBDA_SYNCHRONOUS_CREATE", BOOLEAN, "0", "CreateFunction answers when the function is Active or Failed."
    )
    retry_base_delay: int = option(
        "LAMBDA_RETRY_BASE_DELAY",
        whole(0, 3600),
        "60",
        "Seconds before a failed asynchronous invocation is tried again the first time; the second time, twice that.",
    )
    runtime_environment_timeout: int = option(
        "LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT",
        whole(1, 3600),
        "20",
        "Seconds that an execution environment's init phase may take; never more than 10, as on AWS.",
    )
    runtime_image_mapping: RuntimeImages = option(
        "LAMBDA_RUNTIME_IMAGE_MAPPING", RUNTIME_IMAGES, "", "Images in the place of the official ones, by runtime."
    )
    image_prefix: str = option(
        "DOCKER_GLOBAL_IMAGE_PREFIX",
        TEXT,
        "",
        "The registry from which the images of all runtimes are pulled, as in mirror.example.com/aws.",
    )
    offline: bool = option(
        "RELAMBDA_OFFLINE", BOOLEAN, "0", "Never pull an image: one that is not present is missing (`--offline`)."
    )
    prebuild_images: bool = option(
        "LAMBDA_PREBUILD_IMAGES",
        BOOLEAN,
        "0",
        "Make an image with its code for each version before it is Active, in the place of mounting the code.",
    )
    docker_networks: tuple[str, ...] = option(
        "LAMBDA_DOCKER_NETWORK", NETWORKS, "", "Docker networks that the functions' containers join."
    )
    docker_flags: ContainerFlags = option(
        "LAMBDA_DOCKER_FLAGS", FLAGS, "", "More flags for the functions' containers (-e, -v, -p, --network, …)."
    )
    docker_dns: tuple[str, ...] = option(
        "LAMBDA_DOCKER_DNS", ADDRESSES, "", "DNS servers of the functions' containers."
    )
    init_user: str = option(
        "LAMBDA_INIT_USER",
        TEXT,
        "",
        "The user that functions run as, by name or number; unset, AWS's sbx_user1051.",
    )
    pool_size: int = option(
        "RELAMBDA_POOL_SIZE",
        whole(0),
        "2",
        "How many containers of each image wait, started, for the next cold start (more after a burst); 0 is none.",
    )
    pool_total: int = option(
        "RELAMBDA_POOL_TOTAL",
        whole(0),
        "12",
        "How many containers wait at most, of all images together; each takes about 12 MB.",
    )
    cpu_limit: bool = option(
        "RELAMBDA_CPU_LIMIT",
        BOOLEAN,
        "0",
        "Hold each function to its part of a vCPU (1,769 MB are a whole one) even while nobody else wants it.",
    )
    remove_containers: bool = option(
        "LAMBDA_REMOVE_CONTAINERS",
        BOOLEAN,
        "1",
        "Remove a function's container when it stops; 0 keeps it to be looked at, until the cloud starts again.",
    )
    truncate_stdout: int = option(
        "LAMBDA_TRUNCATE_STDOUT",
        whole(0),
        "2000",
        "Characters of each invocation's output that the cloud's own log shows; 0 shows none.",
    )
    logs_max_bytes: int = option(
        "RELAMBDA_LOGS_MAX_BYTES",
        whole(1, 1 << 40),
        str(512 * 1024 * 1024),
        "Bytes of function logs that are kept; beyond them the oldest go.",
    )
    traces_max_bytes: int = option(
        "RELAMBDA_TRACES_MAX_BYTES",
        whole(1, 1 << 40),
        str(256 * 1024 * 1024),
        "Bytes of trace segments that are kept; beyond them the oldest go.",
    )
    xray_daemon: Listen | None = option(
        "RELAMBDA_XRAY_DAEMON",
        OPTIONAL_ADDRESS,
        "",
        "Address of an X-Ray daemon that gets every trace segment too, by UDP.",
    )
    otlp_endpoint: str = option(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        HTTP_URL,
        "",
        "OpenTelemetry collector that gets every trace segment too, by OTLP over HTTP.",
    )
    ignore_architecture: bool = option(
        "LAMBDA_IGNORE_ARCHITECTURE", BOOLEAN, "0", "Run every function on the host's own architecture."
    )
    disable_aws_endpoint_url: bool = option(
        "LAMBDA_DISABLE_AWS_ENDPOINT_URL", BOOLEAN, "0", "Do not put AWS_ENDPOINT_URL into functions' environments."
    )
    bucket_marker_local: str = option(
        "BUCKET_MARKER_LOCAL", TEXT, "hot-reload", "The S3Bucket that stands for a folder of this machine."
    )
    hot_reload_roots: tuple[Path, ...] = option(
        "RELAMBDA_HOT_RELOAD_ROOTS",
        ROOTS,
        "",
        "Folders whose content may be mounted as code; unset: the home, the folder of the start, the temporary one.",
    )
    hot_reload_ignore: tuple[str, ...] = option(
        "RELAMBDA_HOT_RELOAD_IGNORE",
        GLOBS,
        ".git,node_modules/.cache,__pycache__,*.pyc,.*.sw?,*~,.#*,#*#,4913,*___jb_*___,.idea,.vscode,.DS_Store",
        "What in a mounted folder is no change of code.",
    )
    hot_reload_polling: bool = option(
        "RELAMBDA_HOT_RELOAD_POLLING",
        BOOLEAN,
        "0",
        "Look for changes in mounted folders again and again, where the system does not notify (network shares).",
    )
    debug_mode: bool = option(
        "LAMBDA_DEBUG_MODE", BOOLEAN, "0", "Debug the functions that LAMBDA_DEBUG_MODE_CONFIG_PATH names."
    )
    debug_mode_config_path: str = option(
        "LAMBDA_DEBUG_MODE_CONFIG_PATH", TEXT, "", "YAML file of functions by ARN, each with the port of its debugger."
    )
    localstack_host: str = option(
        "LOCALSTACK_HOST",
        PUBLIC_HOST,
        "",
        "The name in URLs that the cloud answers (function URLs, Code.Location); unset, the one it was called by.",
    )
    dns_address: str = option(
        "DNS_ADDRESS",
        ADDRESS,
        "",
        "Where the DNS server for functions listens; unset, where their containers alone reach it; 0 is off, "
        "and with it all that brings calls to AWS's own host names here.",
    )
    dns_port: int = option(
        "DNS_PORT", whole(1, 65535), "53", "Its port; containers ask port 53 alone, and are not told of another."
    )
    dns_server: tuple[Listen, ...] = option(
        "DNS_SERVER", NAME_SERVERS, "", "Who resolves all other names; unset, the servers that this machine uses."
    )
    dns_resolve_ip: str = option(
        "DNS_RESOLVE_IP", HOST_ADDRESS, "", "What AWS's names lead to; unset, where functions reach the cloud."
    )
    dns_upstream_patterns: tuple[re.Pattern[str], ...] = option(
        "DNS_NAME_PATTERNS_TO_RESOLVE_UPSTREAM",
        PATTERNS,
        "",
        "Names of AWS's that are resolved as all others, as in .*\\.rds\\.amazonaws\\.com.",
    )
    docker_host: str = option("DOCKER_HOST", ENGINE_URL, "", "The Docker engine; unset, it is looked for.")
    s3_endpoint_url: str = option(
        "AWS_ENDPOINT_URL_S3",
        HTTP_URL,
        "",
        "Where code in S3 is fetched from; unset, from RELAMBDA_UPSTREAM_URL; without either, it is refused.",
    )
    upstream_url: str = option(
        "RELAMBDA_UPSTREAM_URL",
        HTTP_URL,
        "",
        "Where requests for services that this cloud does not have are sent on to; unset, they are answered with 501.",
    )
    layer_endpoint_url: str = option(
        "RELAMBDA_LAYER_ENDPOINT_URL",
        LAYER_SOURCE,
        "",
        "Where layers of other accounts are fetched from, once each; unset, only those that are here can be used.",
    )
    debug: bool = option("DEBUG", BOOLEAN, "0", "Log each request, and much more.")

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str],
        *,
        state_dir: Path | None = None,
        host: str | None = None,
        port: int | None = None,
    ) -> Self:
        """Read all options; what is given beside `environ` wins over it. Raises SettingsError."""
        values: dict[str, Any] = {name: row.read(environ) for name, row in options().items()}
        settings = cls(**values)
        if state_dir is not None:
            settings = replace(settings, state_dir=state_dir.expanduser().absolute())
        if host is None and port is None:
            return settings
        first = settings.gateway_listen[0]
        listen = Listen(first.host if host is None else host, first.port if port is None else port)
        return replace(settings, gateway_listen=(listen,))


def options() -> dict[str, Option[Any]]:
    """The table of options: the field of Settings, and its row, in the order of the documentation."""
    return {field.name: field.metadata["option"] for field in fields(Settings)}


def options_table() -> str:
    """The table of options as Markdown."""
    rows = (
        (row.variable, "" if name == "state_dir" else row.default, row.kind.allowed, row.meaning)
        for name, row in options().items()
    )
    lines = (" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows)
    return "\n".join(["| variable | default | allowed | meaning |", "|---|---|---|---|", *(f"| {x} |" for x in lines)])
