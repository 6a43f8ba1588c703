"""Which image runs which runtime: AWS's own first, then the one that is built here without a registry."""

OFFICIAL = "public.ecr.aws/lambda"
"""Where AWS publishes the base images (FACTS.md section 3: names in the public gallery)."""

LOCAL = "relambda"
"""The name space of images that are built here."""

TAGS = {
    "nodejs26.x": "nodejs:26",
    "nodejs24.x": "nodejs:24",
    "nodejs22.x": "nodejs:22",
    "nodejs20.x": "nodejs:20",
    "nodejs18.x": "nodejs:18",
    "nodejs16.x": "nodejs:16",
    "nodejs14.x": "nodejs:14",
    "nodejs12.x": "nodejs:12",
    "python3.15": "python:3.15",
    "python3.14": "python:3.14",
    "python3.13": "python:3.13",
    "python3.12": "python:3.12",
    "python3.11": "python:3.11",
    "python3.10": "python:3.10",
    "python3.9": "python:3.9",
    "python3.8": "python:3.8",
    "python3.7": "python:3.7",
    "java25": "java:25",
    "java21": "java:21",
    "java17.al2023": "java:17.al2023",
    "java17": "java:17",
    "java11.al2023": "java:11.al2023",
    "java11": "java:11",
    "java8.al2023": "java:8.al2023",
    "java8.al2": "java:8.al2",
    "java8": "java:8",
    "dotnet10": "dotnet:10",
    "dotnet9": "dotnet:9",
    "dotnet8": "dotnet:8",
    "dotnet6": "dotnet:6",
    "dotnetcore3.1": "dotnet:core3.1",
    "go1.x": "go:1",
    "ruby4.0": "ruby:4.0",
    "ruby3.4": "ruby:3.4",
    "ruby3.3": "ruby:3.3",
    "ruby3.2": "ruby:3.2",
    "ruby2.7": "ruby:2.7",
    "provided.al2023": "provided:al2023",
    "provided.al2": "provided:al2",
    "provided": "provided:alami",
    "nodejs10.x": "nodejs:10",
    "nodejs8.10": "nodejs:8.10",
    "nodejs6.10": "nodejs:6.10",
    "nodejs4.3": "nodejs:4.3",
    "python3.6": "python:3.6",
    "python2.7": "python:2.7",
    "dotnetcore2.1": "dotnet:core2.1",
    "dotnetcore2.0": "dotnetcore:2.0",
    "dotnetcore1.0": "dotnetcore:1.0",
    "ruby2.5": "ruby:2.5",
}
"""`<family>:<version>` of each runtime identifier (runtimes.tsv, column of gallery images)."""


def image_candidates(runtime: str) -> list[str]:
    """Names of images that would run a runtime, best first. Raises ValueError for an unknown runtime."""
    return [f"{OFFICIAL}/{_tag(runtime)}", local_image(runtime)]


def local_image(runtime: str) -> str:
    """The name that a runtime's image built here has. Raises ValueError for an unknown runtime."""
    return f"{LOCAL}/{_tag(runtime)}"


def is_local(image: str) -> bool:
    """Whether an image is built here only: whoever owns that name elsewhere must not run code here."""
    return image.startswith(f"{LOCAL}/")


def runtime_of(image: str) -> str | None:
    """The runtime that an image of either kind runs; None for any other image."""
    for runtime, tag in TAGS.items():
        if image in {f"{OFFICIAL}/{tag}", f"{LOCAL}/{tag}"}:
            return runtime
    return None


def _tag(runtime: str) -> str:
    try:
        return TAGS[runtime]
    except KeyError:
        raise ValueError(f"no image is known for the runtime {runtime!r}") from None
