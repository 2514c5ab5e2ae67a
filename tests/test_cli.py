"""The command line: exit codes, outputs, and a diagnostic (never a traceback) for bad input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crossport.cli import run

SCALE = """\
// Scales a vector.
__global__ void scale(float* x, float a, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= a;
}

void launch(float* x, int n) {
  scale<<<(n + 255) / 256, 256>>>(x, 2.0f, n);
  cudaDeviceSynchronize();
}
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    path = tmp_path / "scale.cu"
    path.write_text(SCALE)
    return path


def test_a_port_is_written_next_to_its_source_which_stays(kernel: Path) -> None:
    assert run([str(kernel), "--to", "rocm"]) == 0
    ported = kernel.with_suffix(".hip").read_text()
    assert "hipDeviceSynchronize();" in ported
    assert "// Scales a vector." in ported
    assert kernel.read_text() == SCALE


def test_diff_alone_writes_nothing(kernel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([str(kernel), "--to", "hip", "--diff"]) == 0
    shown = capsys.readouterr().out
    assert "-  cudaDeviceSynchronize();" in shown
    assert "+  hipDeviceSynchronize();" in shown
    assert sorted(p.name for p in kernel.parent.iterdir()) == ["scale.cu"]


def test_json_has_the_contract_fields(kernel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([str(kernel), "--to", "rocm", "--json", "-o", str(kernel.parent / "out")]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["schema"] == 1
    (found,) = result["kernels"]
    assert {"name", "file", "line", "target", "tier", "status", "diagnostics"} <= found.keys()
    assert (found["name"], found["line"], found["target"]) == ("scale", 2, "hip")
    assert found["status"] == "unverified"


def test_sarif_is_written(kernel: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.sarif"
    kernel.write_text(SCALE.replace("a;", 'a; asm("nosuch.instruction;");'))
    assert run([str(kernel), "--to", "rocm", "--sarif", str(report)]) == 2
    log = json.loads(report.read_text())
    results = log["runs"][0]["results"]
    assert log["version"] == "2.1.0"
    assert results[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 4


def test_a_port_of_a_port_changes_nothing(kernel: Path, tmp_path: Path) -> None:
    assert run([str(kernel), "--to", "rocm"]) == 0
    once = kernel.with_suffix(".hip")
    assert run([str(once), "--to", "rocm", "-o", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / "scale.hip").read_bytes() == once.read_bytes()


def test_a_folder_is_ported_into_another(kernel: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run([str(kernel.parent), "--to", "rocm", "-o", str(out), "-j", "1"]) == 0
    assert "hipDeviceSynchronize" in (out / "scale.hip").read_text()


def test_many_kernels_are_counted_in_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in" / "many.cu"
    source.parent.mkdir()
    source.write_text(
        "".join(f"__global__ void k{i}(int* out) {{ out[{i}] = {i}; }}\n" for i in range(12))
    )
    assert run([str(source.parent), "--to", "rocm", "-o", str(tmp_path / "out")]) == 0
    lines = [line.split() for line in capsys.readouterr().err.splitlines()]
    assert ["target", "kernels", "source", "unverified"] in lines
    assert ["hip", "12", "12", "12"] in lines


def test_a_link_to_nowhere_in_a_folder_costs_only_itself(
    kernel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (kernel.parent / "gone.cu").symlink_to("nowhere.cu")
    (kernel.parent / "gone.cuh").symlink_to("nowhere.cuh")
    out = tmp_path / "out"
    assert run([str(kernel.parent), "--to", "rocm", "-o", str(out), "-j", "1"]) == 2
    assert "CP1001" in capsys.readouterr().err
    assert (out / kernel.name).with_suffix(".hip").is_file()


def test_a_folder_needs_a_place_to_go(kernel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([str(kernel.parent), "--to", "rocm"]) == 1
    assert "add -o OUT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.cu"], "--to"),
        (["x.cu", "--to", "cuda"], "'cuda' is not one of"),
        (["x.cu", "--to", "rocm", "--bogus"], "--bogus"),
        (["no/such.cu", "--to", "rocm"], "no/such.cu"),
        (["x.cu", "--to", "rocm", "--check", "--diff"], "--check"),
        (["inspect"], "SOURCE"),
        (["{kernel}", "--to", "rocm", "--arch", "gfx9", "--diff"], "gfx9"),
        (["inspect", "no/such.cu"], "no/such.cu"),
    ],
)
def test_usage_errors_exit_1_and_say_why(
    arguments: list[str], message: str, kernel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([argument.format(kernel=kernel) for argument in arguments]) == 1
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.cu", b""),
        ("binary.cu", bytes(range(256)) * 40),
        ("prose.txt", b"Dear reader,\nthis is no program at all, it's a letter.\n"),
        ("image.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(100)),
    ],
)
def test_what_is_no_cuda_is_refused_and_left_alone(
    name: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / name
    source.write_bytes(content)
    assert run([str(source), "--to", "rocm"]) == 1
    printed = capsys.readouterr().err
    assert "CP10" in printed
    assert "Traceback" not in printed
    assert source.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("crlf", lambda text: text.replace(b"\n", b"\r\n")),
        ("latin-1", lambda text: text.replace(b"vector.", "vector: \xe9t\xe9.".encode("latin-1"))),
        ("no final newline", lambda text: text.rstrip(b"\n")),
        ("tabs", lambda text: text.replace(b"  ", b"\t")),
    ],
)
def test_bytes_outside_the_edits_survive(name: str, edit, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    source = tmp_path / "k.cu"
    original = edit(SCALE.encode())
    source.write_bytes(original)
    assert run([str(source), "--to", "rocm"]) == 0
    ported = source.with_suffix(".hip").read_bytes()
    renamed = original.replace(b"cudaDeviceSynchronize", b"hipDeviceSynchronize")
    include = b"#include <hip/hip_runtime.h>" + (b"\r\n" if name == "crlf" else b"\n")
    assert include in ported
    assert ported.replace(include, b"", 1) == renamed


def test_a_syntax_error_is_located_and_the_rest_is_ported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "k.cu"
    source.write_text(SCALE + "__global__ void broken(float* x { x[0] = ; }\n")
    assert run([str(source), "--to", "rocm"]) == 2
    assert "k.cu:11:" in capsys.readouterr().err
    assert "hipDeviceSynchronize" in source.with_suffix(".hip").read_text()


def test_an_include_cycle_and_a_long_file_are_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "a.h").write_text('#include "b.h"\n')
    (tmp_path / "b.h").write_text('#include "a.h"\n')
    source = tmp_path / "k.cu"
    source.write_text('#pragma once\n#include "k2.h"\n' + SCALE + "// filler\n" * 50_000)
    (tmp_path / "k2.h").write_text("#pragma once\n#include <cuda_runtime.h>\n")
    assert run([str(source), "--to", "rocm", "-o", str(tmp_path / "out")]) == 0


def test_a_place_that_cannot_be_written_is_an_error(
    kernel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = kernel.parent / "blocked"
    blocked.write_text("a file, not a folder")
    assert run([str(kernel), "--to", "rocm", "-o", str(blocked)]) == 1
    assert "CP1006" in capsys.readouterr().err
    assert blocked.read_text() == "a file, not a folder"


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from crossport.cli import run; run(['--help']);"
        "sys.exit(any(m in sys.modules for m in ('numpy', 'clang', 'torch', 'jax', 'rich')))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 0


def test_doctor_answers_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    tools = json.loads(capsys.readouterr().out)["tools"]
    assert {"ability": "parse CUDA", "available": True}.items() <= tools[0].items()


def test_commands_that_are_not_there_yet_say_what_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("status", "report"):
        assert run([name, "dir"]) == 1
        printed = capsys.readouterr().err
        assert f"no `port {name}` yet" in printed and "--to" in printed


def test_cases_of_several_sources_go_to_a_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = "__global__ void NAME(float* x, int n) {\n  int i = threadIdx.x;\n"
    text += "  if (i < n) x[i] = 1.0f;\n}\nvoid run(float* x) { NAME<<<1, 64>>>(x, 64); }\n"
    sources = []
    for name in ("first", "second"):
        (tmp_path / f"{name}.cu").write_text(text.replace("NAME", name))
        sources.append(str(tmp_path / f"{name}.cu"))
    out = tmp_path / "cases"
    missing = str(tmp_path / "third.cu")
    assert run(["cases", *sources, missing, "-o", str(out)]) == 1
    assert "third.cu" in capsys.readouterr().err
    for name in ("first", "second"):
        assert f'name = "{name}"' in (out / f"{name}.toml").read_text()
    assert run(["cases", sources[0]]) == 0
    assert 'name = "first"' in capsys.readouterr().out


def test_verify_takes_a_rocm_path(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Headers that fail to compile show that they were used."""
    header = tmp_path / "include" / "hip" / "hip_runtime.h"
    header.parent.mkdir(parents=True)
    header.write_text("#error these headers were used\n")
    source = Path(__file__).parents[1] / "corpus" / "vecadd" / "vecadd.cu"
    code = run(["verify", str(source), "--rocm-path", str(tmp_path)])
    printed = capsys.readouterr().out
    assert code in (3, 4) and "these headers were used" in printed
