"""Stub."""

from __future__ import annotations

from crossport.backends.hip.source import Findings, SourceText


def condition_edits(text: SourceText) -> Findings:
    """Nothing yet."""
    return Findings()
