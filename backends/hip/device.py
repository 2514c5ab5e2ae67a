"""Stub."""

from __future__ import annotations

from crossport.backends.hip.source import Findings, SourceText


def device_edits(text: SourceText) -> Findings:
    """Nothing yet."""
    return Findings()
