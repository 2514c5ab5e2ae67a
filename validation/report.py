"""Verdicts as one HTML page: the words, what they rest on, original and port side by side.

    Path("verdict.html").write_text(html_report([verdict], sources=["k.cu"]))

One file, no scripts, nothing loaded from elsewhere: it can be mailed, or attached to a review. What
failed comes first; colours follow the reader's light or dark setting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from crossport.validation.numerics.layers import ArrayVerdict, ErrorTable, Place
from crossport.validation.numerics.words import Word
from crossport.validation.verdict import LaunchVerdict, Verdict

_STYLE = """
:root{color-scheme:light dark;--ink:#1f2328;--paper:#fff;--line:#d0d7de;--shade:#f6f8fa;
--good:#1a7f37;--fair:#4d7f1a;--open:#8a5a00;--bad:#c0222c;--quiet:#59636e}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--line:#3d444d;
--shade:#171d25;--good:#2a8a46;--fair:#5b8a2a;--open:#9a6a10;--bad:#d03540;--quiet:#9198a1}}
body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;padding:0 1.2em;max-width:96em;
color:var(--ink);background:var(--paper)}
table{border-collapse:collapse;width:100%;margin:.6em 0}
td,th{border:1px solid var(--line);padding:.25em .5em;text-align:left;vertical-align:top;
overflow-wrap:anywhere}
th{background:var(--shade);font-weight:600}
.facts th{width:11em}.launches{font-variant-numeric:tabular-nums}
.launches td,.launches th{overflow-wrap:normal}.launches td:first-child{overflow-wrap:anywhere;
min-width:6em}.launches td:last-child{min-width:15em;overflow-wrap:anywhere}
.number{white-space:nowrap}
code,pre{font-family:ui-monospace,monospace;font-size:.93em;overflow-wrap:anywhere}
pre{background:var(--shade);padding:.6em;overflow-x:auto}
.wide{overflow-x:auto}.quiet{color:var(--quiet)}
.word{color:#fff;border-radius:.3em;padding:.05em .5em;white-space:nowrap}
.exact,.equivalent{background:var(--good)}.within-noise{background:var(--fair)}
.undecided{background:var(--open)}.divergent{background:var(--bad)}
h2{margin-top:2em;overflow-wrap:anywhere}h3{overflow-wrap:anywhere}
"""
_HEADS = (
    "launch", "inputs", "verdict", "array", "differing", "most ULP", "original's error: worst, RMS",
    "port's error", "first difference", "original", "port", "true value", "what was found",
)  # fmt: skip


def html_report(
    verdicts: Sequence[Verdict], title: str = "Verdicts on ports", sources: Sequence[str] = ()
) -> str:
    """The page. `sources`: what each verdict is about, for its heading."""
    names = [*sources, *[""] * (len(verdicts) - len(sources))]
    both = list(zip(verdicts, names, strict=True))
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        '<meta name="viewport" content="width=device-width">',
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>",
        _overview(both),
        *(_verdict(verdict, name, number) for number, (verdict, name) in enumerate(both)),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _overview(verdicts: Sequence[tuple[Verdict, str]]) -> str:
    """One line a verdict, where there is more than one."""
    if not verdicts:
        return "<p>No port was judged.</p>"
    if len(verdicts) == 1:
        return ""
    rows = "".join(
        f'<tr><td>{_word(verdict.word)}</td><td><a href="#v{number}">{escape(_name(verdict, name))}'
        f"</a></td><td>{escape(verdict.target)}</td><td>{escape(verdict.runner)}</td>"
        f"<td>{escape(_device(verdict))}</td><td>{_count(verdict)}</td></tr>"
        for number, (verdict, name) in enumerate(verdicts)
    )
    heads = ("verdict", "source", "target", "runner", "against", "launches that pass")
    return f"<table><tr>{_cells('th', heads)}</tr>{rows}</table>"


def _count(verdict: Verdict) -> str:
    good = sum(launch.word.passes for launch in verdict.launches)
    return f"{good} of {len(verdict.launches)}"


def _name(verdict: Verdict, source: str) -> str:
    return source or ", ".join(verdict.kernels) or "a port"


def _device(verdict: Verdict) -> str:
    return str(verdict.evidence.get("device") or "the interpreter only")


def _verdict(verdict: Verdict, source: str, number: int) -> str:
    bundle = verdict.evidence.get("sha256")
    facts = [
        ("against", _device(verdict) + (f", bundle {bundle}" if bundle else "")),
        ("port", f"sha256 {verdict.candidate}"),
        ("layers run", ", ".join(f"{k} ({v})" for k, v in verdict.layers.items()) or "none"),
    ]
    facts += [("not run", f"{k}: {v}") for k, v in verdict.not_run.items()]
    facts.append(("locked in by", _guards(verdict)))
    if verdict.seed:
        facts.append(("fresh inputs from seed", verdict.seed))
    if verdict.mutation is not None:
        score = verdict.mutation
        facts.append(("broken variants", f"{score.killed} of {score.total} rejected"))
        facts += [("not rejected", name) for name in score.survivors]
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
        f'<h2 id="v{number}">{_word(verdict.word)} {escape(_name(verdict, source))}: '
        f"{escape(verdict.target)} by {escape(verdict.runner)}</h2>"
        f'<table class="facts">{rows}</table>{kernels}{smallest}'
    )


def _guards(verdict: Verdict) -> str:
    if verdict.guards:
        return ", ".join(verdict.guards)
    if verdict.runner.startswith("amdgpu"):
        return "the emulator: machine code reaches nothing but emulated memory"
    if verdict.runner.startswith("interp"):
        return "the interpreter: no machine code is run"
    return "nothing"


def _kernel(verdict: Verdict, name: str) -> str:
    """A table of launches, those that failed first; columns that nothing fills are left out."""
    launches = [launch for launch in verdict.launches if launch.kernel == name]
    launches.sort(key=lambda launch: launch.word.passes)
    rows = [row for launch in launches for row in _launch(launch)]
    used = [n for n, _ in enumerate(_HEADS) if any(row[n] for row in rows)]
    heads = _cells("th", [_HEADS[n] for n in used])
    lines = "".join(f"<tr>{''.join(f'<td>{row[n]}</td>' for n in used)}</tr>" for row in rows)
    return (
        f"<h3>{_word(verdict.kernels[name])} <code>{escape(name)}</code></h3>"
        f'<div class="wide"><table class="launches"><tr>{heads}</tr>{lines}</table></div>'
    )


def _launch(launch: LaunchVerdict) -> list[list[str]]:
    """The cells of a launch, one row an array; HTML."""
    head = [escape(launch.case), escape(launch.kind), _word(launch.word)]
    if not launch.arrays:
        text = "; ".join(filter(None, [launch.reason, *launch.faults]))
        return [[*head, *[""] * 9, escape(text)]]
    return [[*head, *_array(array, launch.faults)] for array in launch.arrays]


def _array(array: ArrayVerdict, faults: Iterable[str]) -> list[str]:
    found = escape("; ".join([array.reason, *faults]))
    differs = str(array.differing) if array.differing else ""
    steps = f"{array.steps:.4g}" if array.differing and array.steps else ""
    errors = [_errors(array.original_error), _errors(array.port_error)]
    return [escape(array.array), differs, steps, *errors, *_place(array.first), found]


def _place(place: Place | None) -> list[str]:
    """Where the first difference is, and what stands there: original, port, truth."""
    if place is None:
        return ["", "", "", ""]
    index = ", ".join(map(str, place.index))
    by = f"<br><span class='quiet'>{escape(place.thread)}</span>" if place.thread else ""
    line = f"<br><code>{escape(place.source)}</code>" if place.source else ""
    true = "" if place.true is None else _number(place.true)
    at = f"<code>{escape(place.array)}[{index}]</code>{by}{line}"
    return [at, _number(place.expected), _number(place.found), true]


def _number(value: float | int) -> str:
    text = f"{value:.8g}" if isinstance(value, float) else str(value)
    return f'<code class="number">{escape(text)}</code>'


def _errors(table: ErrorTable | None) -> str:
    return f"{table.worst:.3g}, {table.rms:.3g}" if table else ""


def _cells(tag: str, texts: Iterable[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)


def _word(word: Word) -> str:
    return f'<span class="word {word.value}">{word.value}</span>'
