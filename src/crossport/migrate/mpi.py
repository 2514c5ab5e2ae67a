"""Where this machine's MPI headers lie: what its compiler wrapper adds by itself.

    mpi_folders()    (Path("/usr/lib/x86_64-linux-gnu/openmpi/include"), ...), empty without MPI

A Makefile calls `mpicc`, or names its author's installation (`-I$(MPI_ROOT)/include`); the check
compiles with another compiler, which needs the folders spelled out.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from functools import cache
from pathlib import Path


@cache
def mpi_folders() -> tuple[Path, ...]:
    """The include folders of the MPI whose wrapper is on the PATH."""
    wrapper = shutil.which("mpicxx") or shutil.which("mpicc")
    if wrapper is None:
        return ()
    # Open MPI knows the first of these, MPICH the second.
    for question in ("-showme:compile", "-show"):
        try:
            said = subprocess.run([wrapper, question], capture_output=True, text=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            return ()
        if said.returncode == 0:
            words = shlex.split(said.stdout)
            return tuple(Path(word[2:]) for word in words if word.startswith("-I"))
    return ()
