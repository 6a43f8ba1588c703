"""`relambda doctor`."""

from dataclasses import asdict
from pathlib import Path

import click

from relambda.api.cli.diagnosis import Finding, Level, examine
from relambda.api.cli.output import answer, common_options, read_settings
from relambda.api.exit_codes import ExitCode

SIGNS = {Level.OK: "✓", Level.WARNING: "!", Level.WRONG: "✗"}


@click.command
@common_options
def doctor(*, state_dir: Path | None, as_json: bool) -> None:
    """Look at engine, images, state directory, disk and ports; say what is wrong and the mend."""
    findings = examine(read_settings(state_dir=state_dir))
    well = all(finding.level is not Level.WRONG for finding in findings)
    document = {"well": well, "findings": [asdict(finding) for finding in findings]}
    answer(document, "\n".join(_shown(finding) for finding in findings), as_json=as_json)
    if not well:
        raise SystemExit(ExitCode.UNWELL)


def _shown(finding: Finding) -> str:
    mend = f"\n    {finding.mend}" if finding.mend else ""
    return f"{SIGNS[finding.level]} {finding.subject}: {finding.found}{mend}"
