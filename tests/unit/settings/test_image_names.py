import boto3
import pytest

from relambda.api.settings.image_names import candidates_of
from relambda.api.settings.settings import Settings

IMAGELESS = {"nodejs", "nodejs4.3-edge", "custom"}
"""Names of the service model for which AWS has published no image (runtimes.tsv)."""


def candidates(runtime: str, **environment: str) -> list[str]:
    return candidates_of(Settings.read(environment))(runtime)


def test_every_runtime_has_its_official_image() -> None:
    """Given any runtime that the service model names, when its images are asked for, then AWS's own comes first."""
    client = boto3.client("lambda", region_name="us-east-1")
    runtimes = set(client.meta.service_model.shape_for("Runtime").enum) - IMAGELESS
    assert {candidates(runtime)[0].rpartition("/")[0] for runtime in runtimes} == {"public.ecr.aws/lambda"}
    assert len({candidates(runtime)[0] for runtime in runtimes}) == len(runtimes)


@pytest.mark.parametrize(
    ("runtime", "image"),
    [
        ("nodejs24.x", "nodejs:24"),
        ("python3.14", "python:3.14"),
        ("java8.al2", "java:8.al2"),
        ("java17.al2023", "java:17.al2023"),
        ("dotnet10", "dotnet:10"),
        ("ruby4.0", "ruby:4.0"),
        ("provided.al2023", "provided:al2023"),
        ("provided", "provided:alami"),
        ("go1.x", "go:1"),
    ],
)
def test_names_are_those_of_the_public_gallery(runtime: str, image: str) -> None:
    """Given a runtime, when its images are asked for, then AWS's is followed by the one built here."""
    assert candidates(runtime) == [f"public.ecr.aws/lambda/{image}", f"relambda/{image}"]


def test_a_mapped_image_stands_alone() -> None:
    """Given a mapping by runtime, when images are asked for, then a mapped runtime has that one and no other."""
    mapping = '{"python3.13": "mine/python:tuned"}'
    assert candidates("python3.13", LAMBDA_RUNTIME_IMAGE_MAPPING=mapping) == ["mine/python:tuned"]
    assert candidates("ruby3.4", LAMBDA_RUNTIME_IMAGE_MAPPING=mapping)[0] == "public.ecr.aws/lambda/ruby:3.4"
    pattern = "mine/lambda-<runtime>:1"
    assert candidates("python3.13", LAMBDA_RUNTIME_IMAGE_MAPPING=pattern) == ["mine/lambda-python3.13:1"]


def test_a_prefix_is_the_registry_of_all_but_what_is_built_here() -> None:
    """Given a prefix, when images are asked for, then the official and mapped ones have it, once, and ours has not."""
    prefix = {"DOCKER_GLOBAL_IMAGE_PREFIX": "mirror.example.com/aws/"}
    official = "mirror.example.com/aws/public.ecr.aws/lambda/ruby:3.4"
    assert candidates("ruby3.4", **prefix) == [official, "relambda/ruby:3.4"]
    mapped = candidates("ruby3.4", LAMBDA_RUNTIME_IMAGE_MAPPING="mine/<runtime>:1", **prefix)
    assert mapped == ["mirror.example.com/aws/mine/ruby3.4:1"]
