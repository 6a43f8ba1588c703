"""`make coverage`: docs/coverage.md, the operations of the installed service model beside the tests that prove each.

A test says what it proves with `@pytest.mark.proves("GetFunction", …)`; the group of an operation is the module that
answers it. With `--check` nothing is written: it fails when the table is stale or an operation has no proof.
"""

import contextlib
import io
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from relambda.api import resources
from relambda.api.call import HANDLERS
from relambda.api.wire.model import Service, load

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "coverage.md"
UNANSWERED = "not answered"
Proofs = Mapping[str, Sequence[tuple[str, str]]]
"""For each operation the tests that prove it: file below the root, name of the function."""


class Collector:
    """A plugin that notes the markers of what pytest collects."""

    def __init__(self) -> None:
        self.found: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which operations each test proves; a parametrized one is one proof."""
        for item in session.items:
            test = item.path.relative_to(ROOT).as_posix(), getattr(item, "originalname", item.name)
            for marker in item.iter_markers("proves"):
                for operation in marker.args:
                    self.found[operation][test] = None


def collect() -> Proofs:
    """The proofs in the whole suite, which is collected, not run. Raises RuntimeError when that fails."""
    collector, told = Collector(), io.StringIO()
    with contextlib.redirect_stdout(told):
        code = pytest.main(["--collect-only", "-q", f"--rootdir={ROOT}", str(ROOT / "tests")], plugins=[collector])
    if code:
        raise RuntimeError(f"collecting the tests ended with {code!r}:\n{told.getvalue()[-3000:]}")
    return {operation: sorted(tests) for operation, tests in collector.found.items()}


def grouped(model: Service) -> dict[str, list[str]]:
    """The operations of the model by the module that answers them."""
    resources.load()
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(model.operation_names()):
        handler = HANDLERS.get(("lambda", name))
        groups[handler.__module__.rpartition(".")[2].replace("_", " ") if handler else UNANSWERED].append(name)
    return dict(sorted(groups.items()))


def table(model: Service, proofs: Proofs) -> str:
    """The page as Markdown."""
    names = model.operation_names()
    proved = [name for name in names if proofs.get(name)]
    lines = [
        "# What of the Lambda API is there",
        "",
        f"{len(proved)} of {len(names)} operations of botocore's model of Lambda are proved against a running cloud.",
        "This page is made by `make coverage`; the tests fail when it is stale, or when an operation has no proof.",
    ]
    for group, operations in grouped(model).items():
        lines += ["", f"## {group.capitalize()}", "", "| operation | request | proved by |", "|---|---|---|"]
        lines += [_row(model, name, proofs.get(name, ())) for name in operations]
    return "\n".join([*lines, ""])


def _row(model: Service, name: str, tests: Sequence[tuple[str, str]]) -> str:
    operation = model.operation(name)
    by_file: dict[str, list[str]] = defaultdict(list)
    for file, test in tests:
        by_file[file].append(f"`{test.removeprefix('test_')}`")
    proved = "; ".join(f"[{Path(file).name}](../{file}): {', '.join(found)}" for file, found in by_file.items())
    return f"| {name} | `{operation.method} {operation.path}` | {proved or '**nothing**'} |"


def problems(model: Service, proofs: Proofs, page: str) -> list[str]:
    """What is wrong with the table or the proofs; nothing when all is well."""
    names = model.operation_names()
    found = [f"no test proves {name}" for name in names if not proofs.get(name)]
    found += [
        f"{tests[0]} proves {name}, which the model does not have"
        for name, tests in proofs.items()
        if name not in names
    ]
    if page != table(model, proofs):
        found.append("docs/coverage.md is stale: run `make coverage`")
    return found


def main(arguments: Sequence[str]) -> int:
    """Write the table, or with --check say what is wrong with it; the exit code."""
    model, proofs = load("lambda"), collect()
    if "--check" not in arguments:
        TABLE.write_text(table(model, proofs))
        print(f"{TABLE.relative_to(ROOT)}: {sum(bool(proofs.get(name)) for name in model.operation_names())} proved")
        return 0
    wrong = problems(model, proofs, TABLE.read_text() if TABLE.exists() else "")
    print("\n".join(wrong) or "docs/coverage.md is whole")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
