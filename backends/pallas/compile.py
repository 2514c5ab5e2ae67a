"""Compile a ported module for TPUs that need not be there, in a process of its own.

    compile_port(text, {"saxpy": [1000, 2.5, ("float32", 4096), ("float32", 4096)]})
        ->   {("saxpy", "v5e"): "", ("saxpy", "v6e"): ""}        "" is success, else the error

libtpu compiles ahead of time without a chip. It may abort the process on what it cannot take, and
only one process may hold its lock unless told otherwise: hence the worker, and its environment.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from crossport.ir.lift import flat
from crossport.ir.types import Scalar

TOPOLOGIES = {"v4": "v4:2x2x1", "v5e": "v5e:2x2", "v5p": "v5p:2x2x1", "v6e": "v6e:2x2"}
ENVIRONMENT = {
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-4",
    "TPU_WORKER_HOSTNAMES": "localhost",
    "TPU_WORKER_ID": "0",
    "TPU_CHIPS_PER_HOST_BOUNDS": "2,2,1",
    "JAX_PLATFORMS": "cpu",
    "TPU_MIN_LOG_LEVEL": "3",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
NUMPY_NAMES = {
    "bool": "uint8", "i8": "int8", "u8": "uint8", "i16": "int16", "u16": "uint16", "i32": "int32",
    "u32": "uint32", "i64": "int64", "u64": "uint64", "f16": "float16", "bf16": "bfloat16",
    "f32": "float32", "f64": "float64",
}  # fmt: skip


@dataclass(frozen=True)
class Launch:
    """One launch to compile, without its data.

    Arguments: a number, ("dtype", elements) for an array, or a list or mapping of those for a
    struct.
    """

    function: str
    args: Sequence[Any]
    grid: tuple[int, ...] = (4, 1, 1)
    block: tuple[int, ...] = (128, 1, 1)
    shared_bytes: int = 0
    text: str = ""
    """The module that the function is in."""


@dataclass(frozen=True)
class Compiled:
    """What became of a launch on one generation."""

    error: str
    """Empty on success."""
    kernels: int = 0
    """Pallas kernels in it; none means that XLA alone does the work."""
    seconds: float = 0.0


def compile_port(
    text: str,
    launches: Mapping[str, Sequence[Any]],
    *,
    generations: Sequence[str] = ("v5e", "v6e"),
    grid: Sequence[int] = (4, 1, 1),
    block: Sequence[int] = (128, 1, 1),
    timeout: float = 300.0,
) -> dict[tuple[str, str], str]:
    """Compile each named function: (function, generation) -> error, empty on success."""
    names = list(launches)
    jobs = [Launch(n, launches[n], tuple(grid), tuple(block), text=text) for n in names]
    done = compile_launches(jobs, generations=generations, timeout=timeout)
    return {(names[number], g): found.error for (number, g), found in done.items()}


def compile_launches(
    launches: Sequence[Launch],
    *,
    generations: Sequence[str] = ("v5e", "v6e"),
    timeout: float = 300.0,
    profile: str = "",
    seen: Callable[[int, str, Compiled], None] = lambda number, generation, found: None,
) -> dict[tuple[int, str], Compiled]:
    """Compile every launch for every generation: (number of the launch, generation) -> result.

    `timeout` is for one compilation; `seen` is called after each. `profile`: a folder for
    libtpu's static cycle estimates.
    """
    result: dict[tuple[int, str], Compiled] = {}
    wanted = [(n, g) for n in range(len(launches)) for g in generations]
    while left := [w for w in wanted if w not in result]:
        before = len(result)
        reason = _compile_some(launches, left, timeout, profile, result, seen)
        if reason:  # The compiler died of the first of those that are missing.
            dead = left[len(result) - before]
            result[dead] = Compiled(reason)
            seen(*dead, result[dead])
    return result


def _compile_some(
    launches: Sequence[Launch],
    wanted: list[tuple[int, str]],
    timeout: float,
    profile: str,
    result: dict[tuple[int, str], Compiled],
    seen: Callable[[int, str, Compiled], None],
) -> str:
    """Fill in results in order, as far as a worker gets, and say why it got no further."""
    flag = {"LIBTPU_INIT_ARGS": f"--xla_jf_dump_static_llo_profile_to={profile}"} if profile else {}
    worker = subprocess.Popen(
        [sys.executable, "-m", "crossport.backends.pallas.compile"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, **ENVIRONMENT, **flag},
    )  # fmt: skip
    assert worker.stdin is not None and worker.stdout is not None
    try:
        for number, generation in wanted:
            job = {"generation": generation, "profile": profile, **vars(launches[number])}
            try:
                worker.stdin.write(json.dumps(job) + "\n")
                worker.stdin.flush()
            except BrokenPipeError:
                return "the compiler died"
            line = _line(worker.stdout, timeout)
            if line is None:
                return f"no result in {timeout:.0f} s"
            if not line:
                return "the compiler died"
            result[number, generation] = Compiled(*json.loads(line[9:]))
            seen(number, generation, result[number, generation])
    finally:
        worker.kill()
        worker.wait()
    return ""


def _line(stream: IO[str], timeout: float) -> str | None:
    """The worker's next result; None if it takes too long."""
    while True:
        if not select.select([stream], [], [], timeout)[0]:
            return None
        line = stream.readline()
        if not line or line.startswith("COMPILED "):
            return line


def dummy_arguments(program: flat.Program, elements: int = 4096) -> list[Any]:
    """Arguments of the right types for a kernel, to compile it with."""
    result: list[Any] = []
    for parameter in program.parameters:
        parts: dict[str, Any] = {
            path: (NUMPY_NAMES[root.element.kind], elements) for path, root in parameter.roots
        }
        for path, var in parameter.scalars:
            assert isinstance(var.type, Scalar)
            parts[path] = 1.5 if var.type.is_float else 7
        if (parameter.paths and parameter.paths != ("",)) or not parts:
            result.append([parts[p] for p in parameter.paths])
        else:
            result.append(parts[""])
    return result


def _worker() -> None:
    import jax
    import numpy as np
    from jax.experimental import pallas, topologies
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    kernels = [0]
    plain = pallas.pallas_call

    def counted(*args: Any, **options: Any) -> Any:
        kernels[0] += 1
        return plain(*args, **options)

    pallas.pallas_call = counted
    modules: dict[str, dict[str, Any]] = {}
    for line in sys.stdin:
        job = json.loads(line)
        text = job["text"]
        if text not in modules:
            modules[text] = {"__name__": "port"}
            exec(compile(text, "port", "exec"), modules[text])
        topology = TOPOLOGIES[job["generation"]]
        device = topologies.get_topology_desc(platform="tpu", topology_name=topology).devices[0]
        mesh = Mesh(np.array([device]), ("_d",))
        place = NamedSharding(mesh, PartitionSpec())
        kernels[0] = 0
        began = time.perf_counter()
        try:
            with jax.enable_x64(True), jax.sharding.use_abstract_mesh(mesh.abstract_mesh):
                call, arrays = _traced(modules[text][job["function"]], job, place)
                jax.jit(call).lower(*arrays).compile()
            error = ""
        except Exception as caught:  # the compiler raises whatever it likes
            error = f"{type(caught).__name__}: {caught}"[:600]
        seconds = round(time.perf_counter() - began, 2)
        print("COMPILED " + json.dumps([error, kernels[0], seconds]), flush=True)


def _traced(function: Any, job: dict[str, Any], place: Any) -> tuple[Any, list[Any]]:
    """The launch as a function of its arrays alone, and their shapes."""
    import jax
    import jax.numpy as jnp

    arrays: list[Any] = []

    def slots(arg: Any) -> Any:
        if isinstance(arg, list) and len(arg) == 2 and isinstance(arg[0], str):
            shape = jax.ShapeDtypeStruct((arg[1],), jnp.dtype(arg[0]), sharding=place)
            arrays.append(shape)
            return ("slot", len(arrays) - 1)
        if isinstance(arg, dict):
            return {name: slots(a) for name, a in arg.items()}
        return [slots(a) for a in arg] if isinstance(arg, list) else arg

    shaped = [slots(a) for a in job["args"]]

    def call(*values: Any) -> Any:
        def fill(arg: Any) -> Any:
            if isinstance(arg, tuple):
                return values[arg[1]]
            if isinstance(arg, dict):
                return {name: fill(a) for name, a in arg.items()}
            return [fill(a) for a in arg] if isinstance(arg, list) else arg

        arguments = map(fill, shaped)
        return function(job["grid"], job["block"], *arguments, shared_bytes=job["shared_bytes"])

    return call, arrays


if __name__ == "__main__":
    _worker()
