"""Compile the HIP ports of a suite's CUDA programs to code objects, for the coverage table.

    python benchmarks/amdgpu_objects.py HeCBench/src FOLDER [--arch gfx942] [--rocm-path ROOT]

One object a file and GPU, `FOLDER/<arch>/<program>-<file>.hsaco`; what does not compile leaves a
`.txt` with the compiler's words. Files that are there already are not made again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

from crossport.diagnostics import PortError
from crossport.porting import Options, port_file
from crossport.validation.amdgpu.compile import compile_hip


def main() -> int:
    """Every program, in ascending size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--arch", default="gfx942,gfx90a,gfx1100")
    parser.add_argument("--rocm-path", type=Path)
    parser.add_argument("--seconds", type=float, default=60, help="for one program")
    parser.add_argument("--until", help="HH:MM, when no new program is begun")
    options = parser.parse_args()
    if options.rocm_path is not None:
        os.environ["ROCM_PATH"] = str(options.rocm_path)
    archs = options.arch.split(",")
    sources = [p for p in options.suite.glob("*-cuda/*.cu") if b"__global__" in p.read_bytes()]
    sources.sort(key=lambda p: (p.stat().st_size, p))
    folder = options.folder.resolve()
    for arch in archs:
        (folder / arch).mkdir(parents=True, exist_ok=True)
    for path in sources:
        if options.until and time.strftime("%H:%M") >= options.until:
            break
        missing = [a for a in archs if not _is_done(folder, a, path)]
        if missing:
            arguments = (path.resolve(), folder, missing)
            process = multiprocessing.get_context("fork").Process(target=build, args=arguments)
            process.start()
            process.join(options.seconds)
            if process.is_alive():
                process.kill()
                process.join()
            for arch in missing:
                if not _is_done(folder, arch, path):
                    _file(folder, arch, path, "txt").write_text("no answer in time\n")
    for arch in archs:
        made = len(list((folder / arch).glob("*.hsaco")))
        print(f"{arch}: {made} objects, {len(list((folder / arch).glob('*.txt')))} without")
    return 0


def _file(folder: Path, arch: str, path: Path, end: str) -> Path:
    return folder / arch / f"{path.parent.name.removesuffix('-cuda')}-{path.stem}.{end}"


def _is_done(folder: Path, arch: str, path: Path) -> bool:
    return any(_file(folder, arch, path, e).exists() for e in ("hsaco", "txt"))


def build(path: Path, folder: Path, archs: list[str]) -> None:
    """Port one file, compile the port for every GPU."""
    os.chdir(path.parent)
    flags = [f"-I{path.parent}"]
    for arch in archs:
        try:
            result = port_file(path, ["hip"], Options(arch=(arch,), flags=tuple(flags)))
            with tempfile.TemporaryDirectory() as work:
                for output in result.outputs:
                    (Path(work) / output.path.name).write_bytes(output.data)
                entry = next(p for p in sorted(Path(work).iterdir()) if p.suffix == ".hip")
                data = compile_hip(entry, arch, flags=["-O2", f"-I{work}", *flags])
            _file(folder, arch, path, "hsaco").write_bytes(data)
        except PortError as error:
            _file(folder, arch, path, "txt").write_text(f"{error.diagnostic.message}\n")
        except Exception as error:  # one program's surprise must not end the run
            text = f"{type(error).__name__}: {error}\n"
            _file(folder, arch, path, "txt").write_text(text)


if __name__ == "__main__":
    sys.exit(main())
