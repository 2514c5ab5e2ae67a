"""`port watch`: a lane's trace, the predicted profile, races; and what cannot be watched."""

from pathlib import Path

import pytest

pytest.importorskip("tinygrad")

from crossport.cli.main import run
from crossport.validation.runners.amdgpu import AmdgpuRunner

CORPUS = Path(__file__).resolve().parents[3] / "corpus"
REDUCE = str(CORPUS / "reduce_shared_tree" / "reduce_shared_tree.cu")
RACING = """
__global__ void meet(int *x) {
  __shared__ int s[64];
  if (threadIdx.x < 32) s[threadIdx.x] = 1;
  x[threadIdx.x] = s[63 - threadIdx.x];
}
int main() { int *x; meet<<<1, 64>>>(x); }
"""


@pytest.fixture(autouse=True)
def _needs_a_toolchain() -> None:
    if (lacking := AmdgpuRunner("gfx942").missing()) is not None:
        pytest.skip(lacking)


def _watch(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(["watch", *arguments])
    shown = capsys.readouterr()
    return code, shown.out + shown.err


def test_a_lane_is_followed(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = _watch(capsys, REDUCE, "--case", "n1021", "--trace", "lane=5,group=1")
    assert code == 0
    lines = text.splitlines()
    assert lines[0].startswith("reduce_shared_tree/n1021 on gfx942: grid 4x1x1, block 256x1x1")
    # Thread 5 of workgroup 1 works on element 256 + 5.
    index = next(line for line in lines if "v_lshl_add_u32" in line)
    assert "= 00000105" in index and "reduce_shared_tree.hip:" in index
    assert any("ds_write_b32 v" in line and "=" not in line for line in lines)
    assert any(line.rstrip().endswith("off") or "  off  " in line for line in lines)
    assert "s_endpgm" in lines[-1]


def test_profile_and_races(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = _watch(capsys, REDUCE, "--profile", "--races", "--arch", "gfx1100")
    assert code == 0
    assert "gfx1100, predicted (counts are exact, costs are a model)" in text
    assert "no race, and no read of LDS that nobody wrote" in text


def test_what_races_is_named_with_its_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    source = tmp_path / "meet.cu"
    source.write_text(RACING)
    code, text = _watch(capsys, str(source), "--races")
    assert code == 0
    assert "32 times: uninitialised read: _Z4meetPi" in text and "meet.hip:6" in text


def test_what_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = _watch(capsys, REDUCE, "--kernel", "nope")
    assert code == 4 and "there is no launch nope/" in text
    code, text = _watch(capsys, REDUCE, "--trace", "5")
    assert code == 1 and "is not like lane=5" in text
    code, text = _watch(capsys, str(CORPUS / "no.cu"))
    assert code in (1, 4) and "no.cu" in text
