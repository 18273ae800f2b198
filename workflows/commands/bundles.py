"""`subgrid inspect BUNDLE` and `subgrid doctor`."""

from pathlib import Path
from typing import Annotated

import typer


def inspect(bundle: Annotated[Path, typer.Argument(help="A bundle directory.")]) -> None:
    """Verify a bundle's files and say what it is."""
    from ...contracts.bundle import Bundle

    typer.echo(Bundle.open(bundle).summary())


def doctor() -> None:
    """Say what this machine lacks for each part of subgrid, and what to type."""
    from ..doctor import examine

    findings = examine()
    for finding in findings:
        typer.echo(finding.line())
    if not all(finding.present for finding in findings):
        raise typer.Exit(5)
