"""Verdicts as one HTML page: the words, what they rest on, original and port side by side.

    Path("verdict.html").write_text(html_report([verdict]))

One file, no scripts, nothing loaded from elsewhere: it can be mailed, or attached to a review.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from crossport.validation.numerics.layers import ArrayVerdict, ErrorTable
from crossport.validation.numerics.words import Word
from crossport.validation.verdict import LaunchVerdict, Verdict

_COLOURS = {
    Word.EXACT: "#1a7f37", Word.EQUIVALENT: "#1a7f37", Word.WITHIN_NOISE: "#4d7f1a",
    Word.UNDECIDED: "#9a6700", Word.DIVERGENT: "#cf222e",
}  # fmt: skip
_STYLE = (
    "body{font:14px/1.45 sans-serif;margin:2em auto;max-width:75em;color:#1f2328}"
    "table{border-collapse:collapse;width:100%;margin:.6em 0}"
    "td,th{border:1px solid #d0d7de;padding:.25em .5em;text-align:left;vertical-align:top}"
    "th{background:#f6f8fa}code{font-family:monospace}"
    "pre{background:#f6f8fa;padding:.6em;overflow-x:auto}"
    ".word{color:#fff;border-radius:.3em;padding:.05em .5em;white-space:nowrap}"
)


def html_report(verdicts: Sequence[Verdict], title: str = "Verdicts on ports") -> str:
    """The page."""
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>",
        *(_verdict(v) for v in verdicts),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _verdict(verdict: Verdict) -> str:
    device = verdict.evidence.get("device") or "the interpreter only"
    facts = [
        ("against", f"{device}, bundle {verdict.evidence.get('sha256', '')}"),
        ("port", f"sha256 {verdict.candidate}"),
        ("layers run", ", ".join(f"{k} ({v})" for k, v in verdict.layers.items()) or "none"),
        ("not run", "; ".join(f"{k}: {v}" for k, v in verdict.not_run.items()) or "nothing"),
        ("locked in by", ", ".join(verdict.guards) or "nothing"),
        ("fresh inputs from seed", verdict.seed or "none"),
    ]
    if verdict.mutation is not None:
        score = verdict.mutation
        facts.append(("broken variants", f"{score.killed} of {score.total} rejected"))
        facts += [("  not rejected", name) for name in score.survivors]
    facts += [("not judged", f"{name}: {why}") for name, why in verdict.not_ported.items()]
    facts += [("caution", text) for text in verdict.cautions]
    if verdict.missing:
        facts.append(("cannot be verified here", verdict.missing))
    rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in facts)
    judged = [name for name in verdict.kernels if name not in verdict.not_ported]
    kernels = "".join(_kernel(verdict, name) for name in judged)
    found = verdict.counterexample
    smallest = f"<h3>The smallest failing launch</h3><pre>{escape(found)}</pre>" if found else ""
    return (
        f"<h2>{_word(verdict.word)} {escape(verdict.target)} by {escape(verdict.runner)}</h2>"
        f"<table>{rows}</table>{kernels}{smallest}"
    )


def _kernel(verdict: Verdict, name: str) -> str:
    launches = [launch for launch in verdict.launches if launch.kernel == name]
    rows = "".join(_launch(launch) for launch in launches)
    return (
        f"<h3>{_word(verdict.kernels[name])} <code>{escape(name)}</code></h3><table>"
        "<tr><th>launch</th><th>inputs</th><th>verdict</th><th>array</th><th>differing</th>"
        "<th>most ULP</th><th>original's error: worst, RMS</th><th>port's error</th>"
        f"<th>what was found</th></tr>{rows}</table>"
    )


def _launch(launch: LaunchVerdict) -> str:
    head = (
        f"<td>{escape(launch.case)}</td><td>{escape(launch.kind)}</td><td>{_word(launch.word)}</td>"
    )
    if not launch.arrays:
        text = "; ".join([launch.reason, *launch.faults])
        return f'<tr>{head}<td colspan="5"></td><td>{escape(text)}</td></tr>'
    return "".join(f"<tr>{head}{_array(a, launch.faults)}</tr>" for a in launch.arrays)


def _array(array: ArrayVerdict, faults: Iterable[str]) -> str:
    first = f"<br><code>{escape(str(array.first))}</code>" if array.first else ""
    found = "; ".join([array.reason, *faults])
    return (
        f"<td>{escape(array.array)}</td><td>{array.differing}</td><td>{array.steps:.4g}</td>"
        f"<td>{_errors(array.original_error)}</td><td>{_errors(array.port_error)}</td>"
        f"<td>{escape(found)}{first}</td>"
    )


def _errors(table: ErrorTable | None) -> str:
    return f"{table.worst:.3g}, {table.rms:.3g}" if table else ""


def _word(word: Word) -> str:
    return f'<span class="word" style="background:{_COLOURS[word]}">{word.value}</span>'
