"""Compiled ports of corpus kernels against their recorded runs; what the verdict says otherwise."""

from pathlib import Path

import pytest

pytest.importorskip("tinygrad")

import crossport
from crossport.validation.judge_port import judge_port
from crossport.validation.runners.amdgpu import AmdgpuRunner, kernel_symbols
from crossport.validation.verdict import Verdict

CORPUS = Path(__file__).resolve().parents[3] / "corpus"


def _judge(name: str, arch: str) -> Verdict:
    if (lacking := AmdgpuRunner(arch).missing()) is not None:
        pytest.skip(lacking)
    source = CORPUS / name / f"{name}.cu"
    kept = ["rmsnorm_half<256>"] if name == "rmsnorm_half" else []
    result = crossport.port(source, to="rocm", arch=[arch], instantiate=kept)
    return judge_port(
        result, CORPUS / name / "h200.bundle", runner="amdgpu", arch=arch, fresh=1, kernels=kept
    )


@pytest.mark.parametrize(
    ("name", "arch"),
    [
        ("function_pointers", "gfx942"),  # a table of functions: words that the loader relocates
        ("lens_struct", "gfx942"),  # a struct by value with a pointer member
        ("texture_bilinear", "gfx90a"),  # image instructions, a sampler
        ("texture_fetch_1d", "gfx1100"),  # a typed buffer
        ("grid_sync_steps", "gfx1201"),  # RDNA4 has no unit for a barrier of the grid
        ("rmsnorm_half", "gfx1100"),  # V_FMA_MIXHI_F16 writes the upper half of a register
    ],
)
def test_ports_repeat_the_recorded_run(name: str, arch: str) -> None:
    verdict = _judge(name, arch)
    assert verdict.passes, verdict.render()


def test_overloads_have_no_plain_name() -> None:
    symbols = kernel_symbols(("_Z3addPfi", "_Z3addPii", "_Z5scalefPf"))
    assert symbols == {"scale": "_Z5scalefPf"}


def test_a_gpu_that_is_not_emulated_is_said_so() -> None:
    source = CORPUS / "vecadd" / "vecadd.cu"
    result = crossport.port(source, to="rocm", arch=["gfx1200"])
    verdict = judge_port(result, source.with_name("h200.bundle"), runner="amdgpu", arch="gfx1200")
    assert verdict.exit_code == 4
    assert "an emulator of gfx1200" in verdict.missing


def test_what_was_not_ported_is_no_divergence() -> None:
    verdict = _judge("dynamic_parallelism", "gfx942")
    assert verdict.exit_code == 4
    assert verdict.first is not None
    assert verdict.first.reason.startswith("not run: not ported: a kernel launches a kernel")
