"""Variables that people's scripts contain and that nothing reads here, each with what to use instead."""

import difflib
from collections.abc import Iterable, Mapping

from relambda.api.settings.settings import options

_ALWAYS_CONTAINERS = "functions always run in containers of the engine in DOCKER_HOST; remove it"
_OWN_INIT = "Relambda's own init drives the runtime, and there is none to replace; remove it"
_OWN_PACE = "event source mappings are kept, and do not poll their sources yet; remove it"
_PUBLIC_NAME = "the name in URLs that the cloud answers is LOCALSTACK_HOST; set that"
DISCONTINUED: Mapping[str, str] = {
    "LAMBDA_EXECUTOR": _ALWAYS_CONTAINERS,
    "LAMBDA_STAY_OPEN_MODE": "environments stay open for LAMBDA_KEEPALIVE_MS; set that",
    "LAMBDA_REMOTE_DOCKER": "the engine itself says where it runs; use BUCKET_MARKER_LOCAL for hot reload",
    "LAMBDA_CODE_EXTRACT_TIME": "the time an environment may take to start is LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT",
    "LAMBDA_CONTAINER_REGISTRY": "say which images to use in LAMBDA_RUNTIME_IMAGE_MAPPING",
    "LAMBDA_FALLBACK_URL": "point the client at the other endpoint with its own AWS_ENDPOINT_URL_LAMBDA",
    "LAMBDA_FORWARD_URL": "point the client at the other endpoint with its own AWS_ENDPOINT_URL_LAMBDA",
    "LAMBDA_JAVA_OPTS": "set JAVA_TOOL_OPTIONS in the function's environment",
    "HOSTNAME_FROM_LAMBDA": "functions find the cloud by AWS_ENDPOINT_URL; set that in the function's environment",
    "LAMBDA_XRAY_INIT": "AWS_XRAY_DAEMON_ADDRESS is always there; switch tracing on by the function's TracingConfig",
    "DNS_LOCAL_NAME_PATTERNS": "its name is DNS_NAME_PATTERNS_TO_RESOLVE_UPSTREAM now",
    "HOSTNAME_EXTERNAL": _PUBLIC_NAME,
    "LOCALSTACK_HOSTNAME": _PUBLIC_NAME,
    "PROVIDER_OVERRIDE_LAMBDA": "there is one implementation of Lambda; remove it",
    "LAMBDA_EVENTS_INTERNAL_SQS": "asynchronous events are kept in the cloud's own log; remove it",
    "LAMBDA_EVENT_SOURCE_MAPPING": "there is one implementation of event source mappings; remove it",
    "LAMBDA_SQS_EVENT_SOURCE_MAPPING_INTERVAL_SEC": _OWN_PACE,
    "SYNCHRONOUS_KINESIS_EVENTS": "records are processed as AWS does it; wait for the function's effect",
    "SYNCHRONOUS_SNS_EVENTS": "messages are delivered as AWS does it; wait for the function's effect",
}
"""What LocalStack itself no longer reads, or will not much longer (options.md, "ignored/deprecated")."""

ELSEWHERE: Mapping[str, str] = {
    "LAMBDA_RUNTIME_EXECUTOR": _ALWAYS_CONTAINERS,
    "CONTAINER_RUNTIME": _ALWAYS_CONTAINERS,
    "LAMBDA_DEV_PORT_EXPOSE": "containers call the cloud, which needs no port of theirs; remove it",
    "LAMBDA_INIT_RELEASE_VERSION": _OWN_INIT,
    "LAMBDA_INIT_BIN_PATH": _OWN_INIT,
    "LAMBDA_INIT_BOOTSTRAP_PATH": _OWN_INIT,
    "LAMBDA_INIT_DEBUG": "the cloud logs what its containers do; set DEBUG=1",
    "LAMBDA_INIT_DELVE_PATH": "the init is a shell script, which no debugger of Go opens; remove it",
    "LAMBDA_INIT_DELVE_PORT": "the init is a shell script, which no debugger of Go opens; remove it",
    "LAMBDA_INIT_POST_INVOKE_WAIT_MS": "an invocation ends when its extensions have; remove it",
    "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": _OWN_PACE,
    "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC": _OWN_PACE,
    "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": _OWN_PACE,
    "MAIN_CONTAINER_NAME": "a cloud in a container asks the engine who it is; remove it",
    "MAIN_DOCKER_NETWORK": "functions run in the cloud's own network; name another in LAMBDA_DOCKER_NETWORK",
    "DNS_VERIFICATION_DOMAIN": "names are resolved without a probe; see DNS_SERVER for who resolves them",
}
"""What is read by LocalStack and not here."""

MEANT_ANYWAY: Mapping[str, frozenset[str]] = {
    "LAMBDA_RUNTIME_EXECUTOR": frozenset({"docker"}),
    "CONTAINER_RUNTIME": frozenset({"docker"}),
    "LAMBDA_DEV_PORT_EXPOSE": frozenset({"0"}),
    "LAMBDA_INIT_DEBUG": frozenset({"0"}),
}
"""Values that ask for what is done in any case: nothing to warn of."""

OURS = ("RELAMBDA_", "LAMBDA_LIMITS_", "LAMBDA_DOCKER_", "LAMBDA_RUNTIME_", "LAMBDA_INIT_")
"""What begins so is an option, or a slip of the pen; the machine's owner may have variables of any other name."""
NOT_OPTIONS = frozenset({"RELAMBDA_DOCKERD_LOG", "RELAMBDA_DEMO_RUNTIME", "RELAMBDA_PORT", "LAMBDA_RUNTIME_DIR"})
"""What the files around the cloud read (setup-engine.sh, `make run`, compose.yaml), and Lambda's own in functions."""


def warnings(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that is set and that nothing reads, with what to use instead."""
    return [
        *_warned(environ, DISCONTINUED, "does nothing any more"),
        *_warned(environ, ELSEWHERE, "does nothing here"),
        *(f"{name} is no option{_meant(name)}; `relambda options` has them all" for name in _unknown(environ)),
    ]


def _warned(environ: Mapping[str, str], instead: Mapping[str, str], does: str) -> Iterable[str]:
    for name, mend in instead.items():
        value = environ.get(name, "").strip()
        if value and value.lower() not in MEANT_ANYWAY.get(name, ()):
            yield f"{name} {does}: {mend}"


def _unknown(environ: Mapping[str, str]) -> list[str]:
    known = {row.variable for row in options().values()} | NOT_OPTIONS | DISCONTINUED.keys() | ELSEWHERE.keys()
    return sorted(name for name in environ if name.startswith(OURS) and name not in known)


def _meant(name: str) -> str:
    close = difflib.get_close_matches(name, [row.variable for row in options().values()], 1, 0.8)
    return f" (did you mean {close[0]}?)" if close else ""
