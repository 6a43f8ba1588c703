"""Options that people's scripts still contain and that nothing reads any more, each with what to use instead."""

from collections.abc import Mapping

ALWAYS_CONTAINERS = "functions always run in containers of the engine in DOCKER_HOST; remove it"
OWN_INIT = "Relambda's own init drives the runtime, and there is none to replace; remove it"
DISCONTINUED: Mapping[str, str] = {
    "LAMBDA_EXECUTOR": ALWAYS_CONTAINERS,
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
    "LAMBDA_INIT_RELEASE_VERSION": OWN_INIT,
    "LAMBDA_INIT_BIN_PATH": OWN_INIT,
    "LAMBDA_INIT_BOOTSTRAP_PATH": OWN_INIT,
    "LAMBDA_INIT_DEBUG": "the cloud logs what its containers do; set DEBUG=1",
    "LAMBDA_INIT_DELVE_PATH": "the init is a shell script, which no debugger of Go opens; remove it",
    "LAMBDA_INIT_DELVE_PORT": "the init is a shell script, which no debugger of Go opens; remove it",
    "LAMBDA_INIT_POST_INVOKE_WAIT_MS": "an invocation ends when its extensions have; remove it",
    "SYNCHRONOUS_KINESIS_EVENTS": "records are processed as AWS does it; wait for the function's effect",
    "SYNCHRONOUS_SNS_EVENTS": "messages are delivered as AWS does it; wait for the function's effect",
}


def warnings(environ: Mapping[str, str]) -> list[str]:
    """One sentence for each discontinued variable that is set, with what to use instead."""
    return [f"{name} does nothing any more: {mend}" for name, mend in DISCONTINUED.items() if environ.get(name)]
