from pathlib import Path
from tempfile import gettempdir

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.api.settings.discontinued import DISCONTINUED, ELSEWHERE, MEANT_ANYWAY, warnings
from relambda.api.settings.option import Listen, RuntimeImages, SettingsError
from relambda.api.settings.settings import Settings, options, options_table

PEOPLE_SET = """
BUCKET_MARKER_LOCAL HOSTNAME_FROM_LAMBDA LAMBDA_DISABLE_AWS_ENDPOINT_URL LAMBDA_DOCKER_NETWORK LAMBDA_DOCKER_DNS
LAMBDA_DOCKER_FLAGS LAMBDA_IGNORE_ARCHITECTURE LAMBDA_PREBUILD_IMAGES LAMBDA_RUNTIME_EXECUTOR CONTAINER_RUNTIME
LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT LAMBDA_RUNTIME_IMAGE_MAPPING LAMBDA_RUNTIME_VALIDATION LAMBDA_REMOVE_CONTAINERS
LAMBDA_KEEPALIVE_MS LAMBDA_LIMITS_CONCURRENT_EXECUTIONS LAMBDA_LIMITS_MINIMUM_UNRESERVED_CONCURRENCY
LAMBDA_LIMITS_TOTAL_CODE_SIZE LAMBDA_LIMITS_CODE_SIZE_ZIPPED LAMBDA_LIMITS_CODE_SIZE_UNZIPPED
LAMBDA_LIMITS_CREATE_FUNCTION_REQUEST_SIZE LAMBDA_LIMITS_MAX_FUNCTION_ENVVAR_SIZE_BYTES
LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES LAMBDA_SYNCHRONOUS_CREATE LAMBDA_RETRY_BASE_DELAY LAMBDA_TRUNCATE_STDOUT
LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC
LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC LAMBDA_DEBUG_MODE LAMBDA_DEBUG_MODE_CONFIG_PATH
LAMBDA_DEV_PORT_EXPOSE LAMBDA_INIT_RELEASE_VERSION LAMBDA_INIT_DEBUG LAMBDA_INIT_BIN_PATH LAMBDA_INIT_BOOTSTRAP_PATH
LAMBDA_INIT_DELVE_PATH LAMBDA_INIT_DELVE_PORT LAMBDA_INIT_POST_INVOKE_WAIT_MS LAMBDA_INIT_USER LAMBDA_JAVA_OPTS
LAMBDA_EXECUTOR LAMBDA_STAY_OPEN_MODE LAMBDA_REMOTE_DOCKER LAMBDA_CODE_EXTRACT_TIME LAMBDA_CONTAINER_REGISTRY
LAMBDA_FALLBACK_URL LAMBDA_FORWARD_URL LAMBDA_XRAY_INIT PROVIDER_OVERRIDE_LAMBDA LAMBDA_EVENTS_INTERNAL_SQS
LAMBDA_EVENT_SOURCE_MAPPING LAMBDA_SQS_EVENT_SOURCE_MAPPING_INTERVAL_SEC HOSTNAME_EXTERNAL LOCALSTACK_HOSTNAME
GATEWAY_LISTEN LOCALSTACK_HOST MAIN_CONTAINER_NAME MAIN_DOCKER_NETWORK DOCKER_GLOBAL_IMAGE_PREFIX DNS_ADDRESS DNS_PORT
DNS_NAME_PATTERNS_TO_RESOLVE_UPSTREAM DNS_LOCAL_NAME_PATTERNS DNS_RESOLVE_IP DNS_SERVER DNS_VERIFICATION_DOMAIN
SYNCHRONOUS_KINESIS_EVENTS SYNCHRONOUS_SNS_EVENTS DOCKER_HOST DEBUG
"""
WHOLE = [name for name, row in options().items() if row.kind.allowed.startswith("a whole number")]


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    """Unset means the default, for every option."""
    settings = Settings.read({})
    assert settings.gateway_listen == (Listen("127.0.0.1", 4566),)
    assert (settings.keepalive_ms, settings.limit_concurrent_executions) == (600_000, 1000)
    assert settings.remove_containers
    assert not settings.debug
    assert settings.bucket_marker_local == "hot-reload"
    assert settings.durability == "process"
    assert settings.runtime_image_mapping.image("python3.13") is None


def test_an_empty_variable_is_an_unset_one() -> None:
    """`NAME=` in a compose file means what leaving it out means."""
    assert Settings.read({row.variable: " " for row in options().values()}) == Settings.read({})


def test_each_variable_has_one_option() -> None:
    """No two fields read the same variable."""
    variables = [row.variable for row in options().values()]
    assert len(set(variables)) == len(variables)


@given(name=st.sampled_from(WHOLE), value=st.integers(min_value=1, max_value=3600))
def test_whole_numbers_are_read_back(name: str, value: int) -> None:
    """What was written as a number is that number, blanks around it or not."""
    variable = options()[name].variable
    assert getattr(Settings.read({variable: f" {value} "}), name) == value


@given(name=st.sampled_from(WHOLE), text=st.text(min_size=1).filter(lambda t: t.strip() and not t.strip().isdigit()))
def test_what_is_no_number_is_refused_by_name(name: str, text: str) -> None:
    """A refusal names the variable, the value and what is allowed, and never turns into another error."""
    variable = options()[name].variable
    with pytest.raises(SettingsError) as refusal:
        Settings.read({variable: text})
    assert variable in str(refusal.value)
    assert repr(text.strip()) in str(refusal.value)
    assert "a whole number" in str(refusal.value)


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("LAMBDA_KEEPALIVE_MS", "-1", "a whole number from 0"),
        ("LAMBDA_KEEPALIVE_MS", "9" * 5000, "a whole number from 0"),
        ("LAMBDA_KEEPALIVE_MS", "²", "a whole number from 0"),
        ("LAMBDA_LIMITS_CONCURRENT_EXECUTIONS", "0", "a whole number from 1"),
        ("DEBUG", "maybe", "1 or 0"),
        ("RELAMBDA_DURABILITY", "disk", "process or power"),
        ("GATEWAY_LISTEN", "127.0.0.1:99999", "host:port"),
        ("GATEWAY_LISTEN", "http://127.0.0.1:4566", "host:port"),
        ("GATEWAY_LISTEN", "a:b", "host:port"),
        ("LAMBDA_DOCKER_NETWORK", "mine,host", "names of Docker networks"),
        ("LAMBDA_DOCKER_FLAGS", "-e 'X=1", "docker create"),
        ("LAMBDA_DOCKER_DNS", "dns.example", "IP addresses"),
        ("DNS_ADDRESS", "everywhere", "an IP address, or 0"),
        ("DNS_PORT", "0", "a whole number from 1"),
        ("DNS_RESOLVE_IP", "localhost", "an IP address"),
        ("DNS_SERVER", "dns.example", "IP addresses, with :port"),
        ("DNS_SERVER", "127.0.0.1:99999", "IP addresses, with :port"),
        ("DNS_NAME_PATTERNS_TO_RESOLVE_UPSTREAM", "sts(", "regular expressions"),
        ("LOCALSTACK_HOST", "http://cloud.example", "a host name or address"),
        ("LOCALSTACK_HOST", "cloud.example:0", "a host name or address"),
        ("RELAMBDA_UPSTREAM_URL", "localhost:4566", "a URL that begins with http://"),
        ("DOCKER_HOST", "/var/run/docker.sock", "a URL that begins with unix://"),
        ("AWS_ENDPOINT_URL_S3", "localhost:9000", "a URL that begins with http://"),
        ("AWS_ENDPOINT_URL_S3", "http://", "a URL that begins with http://"),
        ("LAMBDA_RUNTIME_IMAGE_MAPPING", "repo/image:tag", "a pattern that holds <runtime>"),
        ("LAMBDA_RUNTIME_IMAGE_MAPPING", '{"python3.13": 1}', "a pattern that holds <runtime>"),
        ("LAMBDA_RUNTIME_IMAGE_MAPPING", '{"python3.13"', "a pattern that holds <runtime>"),
    ],
)
def test_bad_values_are_refused_with_what_is_allowed(variable: str, value: str, allowed: str) -> None:
    """One clear message: the variable, the value, what may stand there."""
    with pytest.raises(SettingsError, match="is not understood") as refusal:
        Settings.read({variable: value})
    assert str(refusal.value).startswith(f"{variable}={value!r}")
    assert allowed in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "listens"),
    [
        ("0.0.0.0:4566", (Listen("0.0.0.0", 4566),)),
        ("0.0.0.0", (Listen("0.0.0.0", 4566),)),
        (":4510", (Listen("127.0.0.1", 4510),)),
        ("127.0.0.1:0", (Listen("127.0.0.1", 0),)),
        ("[::1]:4566,localhost:80", (Listen("::1", 4566), Listen("localhost", 80))),
    ],
)
def test_listen_addresses_may_be_short(text: str, listens: tuple[Listen, ...]) -> None:
    """Host or port may be left out, and several may stand side by side."""
    assert Settings.read({"GATEWAY_LISTEN": text}).gateway_listen == listens


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("", ()),
        ("192.0.2.1", (Listen("192.0.2.1", 53),)),
        ("192.0.2.1:5353, ::1", (Listen("192.0.2.1", 5353), Listen("::1", 53))),
        ("[::1]:5353", (Listen("::1", 5353),)),
    ],
)
def test_name_servers_have_the_usual_port(text: str, servers: tuple[Listen, ...]) -> None:
    """A port may stand behind an address; an IPv6 one is in brackets then."""
    assert Settings.read({"DNS_SERVER": text}).dns_server == servers


@given(port=st.integers(0, 65535), host=st.sampled_from(["127.0.0.1", "::1", "localhost"]))
def test_a_listen_address_reads_as_it_is_written(host: str, port: int) -> None:
    """`str` of an address is a text that reads back as it."""
    listen = Listen(host, port)
    assert Settings.read({"GATEWAY_LISTEN": str(listen)}).gateway_listen == (listen,)


def test_hot_reload_roots_are_places_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Unset: home, where the cloud is started, the temporary folder; set: those alone, made absolute."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert Settings.read({}).hot_reload_roots == (Path("/home/me"), tmp_path, Path(gettempdir()))
    given = Settings.read({"RELAMBDA_HOT_RELOAD_ROOTS": "~/code, /srv,relative"}).hot_reload_roots
    assert given == (Path("/home/me/code"), Path("/srv"), tmp_path / "relative")


def test_hot_reload_ignores_are_globs_with_commas() -> None:
    """What is given stands in the place of the default."""
    assert "__pycache__" in Settings.read({}).hot_reload_ignore
    assert Settings.read({"RELAMBDA_HOT_RELOAD_IGNORE": "dist/*, *.log"}).hot_reload_ignore == ("dist/*", "*.log")


def test_the_command_line_wins_over_the_environment() -> None:
    """Each of host, port and state directory alone replaces what the environment says."""
    environ = {"GATEWAY_LISTEN": "0.0.0.0:1,0.0.0.0:2", "RELAMBDA_STATE_DIR": "/tmp/a"}
    assert Settings.read(environ, port=5).gateway_listen == (Listen("0.0.0.0", 5),)
    assert Settings.read(environ, host="::1").gateway_listen == (Listen("::1", 1),)
    assert Settings.read(environ, state_dir=Path("/tmp/b")).state_dir == Path("/tmp/b")
    assert len(Settings.read(environ).gateway_listen) == 2


def test_image_mappings_by_pattern_and_by_runtime() -> None:
    """A pattern serves every runtime, a JSON object only those it names."""
    pattern = Settings.read({"LAMBDA_RUNTIME_IMAGE_MAPPING": "repo/x-<runtime>:1"}).runtime_image_mapping
    named = Settings.read({"LAMBDA_RUNTIME_IMAGE_MAPPING": '{"python3.13": "mine:2"}'}).runtime_image_mapping
    assert pattern.image("nodejs22.x") == "repo/x-nodejs22.x:1"
    assert (named.image("python3.13"), named.image("python3.12")) == ("mine:2", None)
    assert named == RuntimeImages(by_runtime={"python3.13": "mine:2"})


@pytest.mark.parametrize("name", [*DISCONTINUED, *ELSEWHERE])
def test_variables_that_nothing_reads_are_warned_about(name: str) -> None:
    """Each one that is set is named once, with what to do instead; the cloud starts all the same."""
    (warning,) = warnings({name: "1"})
    does = "any more" if name in DISCONTINUED else "here"
    assert warning.startswith(f"{name} does nothing {does}: ")
    assert Settings.read({name: "1"}) == Settings.read({})


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in MEANT_ANYWAY for value in MEANT_ANYWAY[name]])
def test_what_is_done_in_any_case_is_not_warned_of(name: str, value: str) -> None:
    """Given a value that asks for what happens without it, and an empty one, then there is nothing to say."""
    assert warnings({name: value}) == []
    assert warnings({name: value.upper()}) == []
    assert warnings(dict.fromkeys(DISCONTINUED, " ")) == []


def test_a_slip_of_the_pen_is_told() -> None:
    """Given a name that only an option can have, when there is no such one, then the one that was meant is told."""
    assert warnings({"RELAMBDA_POOLSIZE": "3", "LAMBDA_LIMITS_OF_TASTE": "0"}) == [
        "LAMBDA_LIMITS_OF_TASTE is no option; `relambda options` has them all",
        "RELAMBDA_POOLSIZE is no option (did you mean RELAMBDA_POOL_SIZE?); `relambda options` has them all",
    ]
    theirs = {"LAMBDA_ROLE": "x", "LAMBDA_TASK_ROOT": "x", "AWS_REGION": "x", "RELAMBDA_DOCKERD_LOG": "x"}
    assert warnings({**theirs, **{row.variable: "x" for row in options().values()}}) == []


def test_every_name_in_peoples_scripts_is_read_or_warned_of() -> None:
    """Given the names that LocalStack's users set, then each is an option here, or says what to do instead."""
    known = {row.variable for row in options().values()}
    assert all(name in known or warnings({name: "other"}) for name in PEOPLE_SET.split())


def test_the_documentation_has_every_option() -> None:
    """The Markdown table has one line for each option."""
    table = options_table()
    assert all(f"| {row.variable} |" in table for row in options().values())
