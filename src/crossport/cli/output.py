"""What every command prints and writes: findings to stderr, results to stdout or a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from crossport.diagnostics import Code, Diagnostic, PortError, sort_diagnostics


def print_diagnostics(diagnostics: Sequence[Diagnostic]) -> None:
    for diagnostic in sort_diagnostics(diagnostics):
        click.echo(diagnostic.render(), err=True)


def print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, indent=2))


def write_sarif(path: str, diagnostics: Sequence[Diagnostic]) -> None:
    from crossport.sarif import to_sarif

    write_text(path, json.dumps(to_sarif(diagnostics), indent=2) + "\n")


def write_text(path: str, text: str) -> None:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    except OSError as error:
        raise PortError(
            Diagnostic(Code.CANNOT_WRITE, f"cannot write {path}: {error.strerror or error}")
        ) from error
