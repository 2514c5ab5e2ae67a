"""The suite's page adds up: totals, shares of what a port by hand passes, failures told."""

from __future__ import annotations

from typing import Any

from benchmarks_loader import load

report = load("suite_report")
markdown, merged = report.markdown, report.merged
constructs_of = load("constructs").constructs_of


def _side(host: bool, gpu: bool, **more: Any) -> dict[str, Any]:
    side = {
        "passes": {"host": host, "gfx942": gpu},
        "first_error": "",
        "error_file": "",
        "error_line": 0,
        "announced": False,
        "findings": {},
        "edits": 3,
        "seconds": 0.5,
        "crash": "",
    }
    return {**side, **more}


def _result(**programs: dict[str, Any]) -> dict[str, Any]:
    return {
        "suite": "s",
        "date": "2026-01-01",
        "compiler": "clang",
        "headers": "HIP",
        "machine": "m",
        "seconds": 1.0,
        "sides": ["host", "gfx942"],
        "programs": [
            {"name": name, "units": 1, "constructs": ["warp"], "contenders": contenders}
            for name, contenders in programs.items()
        ],
    }


def test_shares_count_only_what_passes_by_hand() -> None:
    wrong = _side(True, False, first_error="no 'x'", error_file="/o/k.hip", error_line=4)
    page = markdown(
        _result(
            a={"by hand": _side(True, True), "crossport": _side(True, True)},
            b={"by hand": _side(True, True), "crossport": wrong},
            c={"by hand": _side(False, True), "crossport": _side(True, True)},
        )
    )
    assert "| gfx942 | 2 | 1 of 2 (50.0 %) |" in page
    assert "| b | gfx942 | k.hip:4 | no 'x' | no |" in page
    assert "| warp | 3 | 2 of 3 (66.7 %) | 2 of 3 (66.7 %) |" in page


def test_a_failure_that_the_port_announced_is_no_silent_one() -> None:
    told = _side(True, False, first_error="no 'x'", announced=True)
    page = markdown(_result(a={"crossport": told}, b={"crossport": _side(True, True)}))
    assert "| crossport | 2 of 2 (100.0 %) | 1 of 2 (50.0 %) | 2 of 2 (100.0 %) | 0 |" in page


def test_results_merge_by_program_and_contender() -> None:
    hand = _result(a={"by hand": _side(True, True)})
    ours = _result(a={"crossport": _side(True, True)}, b={"crossport": _side(True, True)})
    both = merged([hand, ours])
    assert [row["name"] for row in both["programs"]] == ["a", "b"]
    assert set(both["programs"][0]["contenders"]) == {"by hand", "crossport"}


def test_constructs_are_found_by_words() -> None:
    assert constructs_of('v += __shfl_down_sync(~0u, v, 1); asm volatile ("");') == {"warp", "ptx"}
    assert constructs_of("int warp = 3;") == frozenset()


def test_a_baseline_measured_for_fewer_gpus_has_no_share_of_the_others() -> None:
    ours = _result(a={"crossport": _side(True, True)})
    ours["sides"].append("gfx90a")
    ours["programs"][0]["contenders"]["crossport"]["passes"]["gfx90a"] = True
    page = markdown(merged([ours, _result(a={"by hand": _side(True, True)})]))
    assert "| by hand | 1 of 1 (100.0 %) | 1 of 1 (100.0 %) | - |" in page
    assert "| crossport | 1 of 1 (100.0 %) | 1 of 1 (100.0 %) | 1 of 1 (100.0 %) |" in page
    assert "| gfx90a |" not in page.partition("## Of the programs")[2]
