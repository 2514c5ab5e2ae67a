"""A ported tree compiles, or says where it does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from crossport.diagnostics import Code, PortError
from crossport.migrate.check import check_tree, ported_file
from crossport.validation.amdgpu.compile import find_toolchains

pytestmark = pytest.mark.skipif(
    not find_toolchains() or shutil.which("make") is None, reason="needs a HIP compiler and make"
)
CUDA = '#include <cuda_runtime.h>\n#include "n.h"\n__global__ void k(int* p) { *p = N; }\n'
HIP = CUDA.replace("cuda_runtime.h", "hip/hip_runtime.h")
MAKEFILE = "all: k.o\nk.o: k.cu inc/n.h\n\tnvcc -DN=SEVEN -Iinc -c k.cu -o k.o\n"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSPORT_CACHE", str(tmp_path / "cache"))


def _tree(tmp_path: Path, ported: str) -> tuple[Path, Path]:
    source, out = tmp_path / "src", tmp_path / "out"
    (source / "inc").mkdir(parents=True)
    (source / "k.cu").write_text(CUDA)
    (source / "inc" / "n.h").write_text("#error the header of the original was taken\n")
    (source / "Makefile").write_text(MAKEFILE)
    (out / "inc").mkdir(parents=True)
    (out / "k.hip").write_text(ported)
    (out / "inc" / "n.h").write_text("#define SEVEN 7\n")
    return source, out


def test_flags_come_from_the_makefile_and_headers_from_the_port(tmp_path: Path) -> None:
    source, out = _tree(tmp_path, HIP)
    result = check_tree(out, source, ("gfx942",))
    assert result.ok, result.diagnostics
    assert result.sides == ("host", "gfx942")
    assert [unit.file for unit in result.programs[0].units] == [out / "k.hip"]


def test_an_error_is_told_at_the_line_of_the_port(tmp_path: Path) -> None:
    source, out = _tree(tmp_path, HIP + "__global__ void w(int* p) { *p = cudaNo(); }\n")
    result = check_tree(out, source, ("gfx942",))
    assert not result.ok
    span = result.diagnostics[0].span
    assert span is not None
    assert (span.file, span.line) == (str(out / "k.hip"), 4)
    assert not result.programs[0].passes("gfx942")


def test_a_unit_without_a_port_fails(tmp_path: Path) -> None:
    source, out = _tree(tmp_path, HIP)
    (out / "k.hip").unlink()
    result = check_tree(out, source, ("gfx942",))
    assert [d.code for d in result.diagnostics] == [Code.NOTHING_TO_CHECK]


def test_an_empty_tree_is_a_diagnostic(tmp_path: Path) -> None:
    with pytest.raises(PortError) as raised:
        check_tree(tmp_path, tmp_path)
    assert raised.value.diagnostic.code is Code.NOTHING_TO_CHECK


def test_host_code_that_the_port_left_alone_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    host = tmp_path / "src" / "host.cpp"
    host.write_text("int f() { return 1; }\n")
    assert ported_file(host, tmp_path / "src", tmp_path / "out") == host


def test_flags_given_by_hand_count_for_one_file(tmp_path: Path) -> None:
    (tmp_path / "k.cu").write_text("")
    (tmp_path / "k.hip").write_text("#include <hip/hip_runtime.h>\nint value = GIVEN;\n")
    assert check_tree(tmp_path, tmp_path / "k.cu", ("gfx942",), flags=("-DGIVEN=3",)).ok
    assert not check_tree(tmp_path, tmp_path / "k.cu", ("gfx942",)).ok


def test_one_file_is_checked_with_the_flags_of_its_makefile(tmp_path: Path) -> None:
    source, out = _tree(tmp_path, HIP)
    result = check_tree(out, source / "k.cu", ("gfx942",))
    assert result.ok, result.diagnostics


def test_a_header_that_no_flag_leads_to_is_found_by_its_name(tmp_path: Path) -> None:
    source, out = _tree(tmp_path, HIP)
    (source / "Makefile").unlink()
    (source / "inc" / "n.h").unlink()
    for root in (source, out):
        (root / "deep" / "lib").mkdir(parents=True)
    (source / "deep" / "lib" / "n.h").write_text("#error the header of the original was taken\n")
    (out / "deep" / "lib" / "n.h").write_text("#define N 7\n")
    result = check_tree(out, source, ("gfx942",))
    assert result.ok, result.diagnostics


def test_the_folder_of_a_cuda_toolkit_is_left_out(tmp_path: Path) -> None:
    source, out = _tree(tmp_path, HIP.replace("N;", "SEVEN;").replace('"n.h"', "<m.h>"))
    toolkit = tmp_path / "cuda"
    toolkit.mkdir()
    (toolkit / "cuda_runtime_api.h").write_text("")
    (toolkit / "m.h").write_text("#define SEVEN 7\n")
    (source / "Makefile").write_text(MAKEFILE.replace("-Iinc", "-I../cuda"))
    result = check_tree(out, source, ("gfx942",))
    assert "'m.h' file not found" in result.diagnostics[0].message


def test_a_c_file_is_not_the_port_of_a_kernel_file_of_its_name(tmp_path: Path) -> None:
    source, out = _tree(tmp_path, HIP)
    assert ported_file(source / "k.c", source, out) == source / "k.c"
