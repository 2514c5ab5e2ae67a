"""The facts of a kernel in their stable JSON form (schema 1): all that the text says."""

from __future__ import annotations

from typing import Any

from crossport.diagnostics import Span
from crossport.ir.facts.annotate import notes
from crossport.ir.facts.changes import changes
from crossport.ir.facts.kernel import KernelFacts, TargetFacts
from crossport.ir.facts.memory import Pattern
from crossport.ir.facts.steps import lane_step, round_step
from crossport.ir.facts.symbolic import Level
from crossport.ir.facts.tpu import TpuFacts


def kernel_json(facts: KernelFacts, span: Span) -> dict[str, Any]:
    """What `port inspect --json` says about one kernel."""
    return {
        "name": facts.name,
        "file": span.file,
        "line": span.line,
        "facts": {
            "launch": {"grid": facts.launch.grid, "block": facts.launch.block},
            "phases": facts.phases,
            "registers_estimate": facts.registers,
            "shared_bytes": facts.shared_bytes,
            "operations_per_thread": dict(facts.operations),
            "bytes_per_thread": facts.bytes_moved,
            "assumptions": list(facts.assumptions),
            "accesses": [_access(facts, i) for i in range(len(facts.accesses))],
            "warp_assumptions": [
                {
                    "kind": w.kind,
                    "safe_at_64": w.safe,
                    "reason": w.reason,
                    "line": w.span.line if w.span else None,
                }
                for w in facts.warp_assumptions
            ],
            "notes": [
                {"file": file, "line": line, "text": text}
                for (file, line), texts in sorted(notes(facts).items())
                for text in texts
            ],
            "targets": {
                **{name: _target(on) for name, on in facts.targets.items()},
                **{name: _tpu(on) for name, on in facts.tpus.items()},
            },
            "changes": changes(facts),
        },
    }


def _access(facts: KernelFacts, index: int) -> dict[str, Any]:
    access = facts.accesses[index]
    level = access.offset.level
    first = next(iter(facts.targets.values())).patterns[index]
    return {
        "kind": access.kind,
        "space": access.base.space,
        "base": access.base.name,
        "text": access.text,
        "file": access.span.file if access.span else None,
        "line": access.span.line if access.span else None,
        "bytes_per_lane": access.size,
        "offset": access.offset.text,
        "lane_stride": access.offset.coefficient("thread.x").text,
        "next_thread": lane_step(access, first),
        "next_round": round_step(access),
        "uniform_over": {Level.GRID: "grid", Level.BLOCK: "block", Level.LANE: "lane"}[level],
        "volatile": access.volatile,
        "loop_depth": len(access.loops),
        "targets": {name: _pattern(on.patterns[index]) for name, on in facts.targets.items()},
    }


def _pattern(pattern: Pattern) -> dict[str, Any]:
    return {
        "shape": pattern.shape,
        "stride": pattern.stride,
        "segments_per_request": pattern.segments,
        "shared_passes_per_request": pattern.passes,
        "efficiency": pattern.efficiency,
        "aligned": pattern.aligned,
        "wave_share": pattern.wave_share,
        "rounds_per_segment": pattern.rounds_per_segment,
    }


def _target(on: TargetFacts) -> dict[str, Any]:
    return {
        "occupancy": {
            "waves": on.occupancy.waves,
            "most": on.occupancy.most,
            "blocks": on.occupancy.blocks,
            "limit": on.occupancy.limit,
        },
        "bytes_fetched_per_thread": on.roofline.fetched,
        "intensity": on.intensity,
        "intensity_is_upper_bound": on.roofline.is_least,
        "balance": on.target.balance,
        "bound": on.bound,
        "limits": dict(on.roofline.limits),
        "wave": on.target.wave,
        "predicted": True,
    }


def _tpu(on: TpuFacts) -> dict[str, Any]:
    return {
        "intensity": on.intensity,
        "balance": on.balance,
        "bound": on.bound,
        "vmem_share": on.vmem_share,
        "accesses": [
            {
                "line": each.access.span.line if each.access.span else None,
                "base": each.access.base.name,
                "kind": each.access.kind,
                "shape": each.shape,
            }
            for each in on.accesses
        ],
        "predicted": True,
    }
