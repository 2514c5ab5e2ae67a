"""Compile a ported module for TPUs that need not be there, in a process of its own.

    compile_port(text, {"saxpy": [1000, 2.5, ("float32", 4096), ("float32", 4096)]})
        ->   {("saxpy", "v5e"): "", ("saxpy", "v6e"): ""}        "" is success, else the error

libtpu compiles ahead of time without a chip. It may abort the process on what it cannot take, and
only one process may hold its lock unless told otherwise: hence the worker, and its environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

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


def compile_port(
    text: str,
    launches: Mapping[str, Sequence[Any]],
    *,
    generations: Sequence[str] = ("v5e", "v6e"),
    grid: Sequence[int] = (4, 1, 1),
    block: Sequence[int] = (128, 1, 1),
    timeout: float = 300.0,
) -> dict[tuple[str, str], str]:
    """Compile each named function: (function, generation) -> error, empty on success.

    Arguments: a number, ("dtype", elements) for an array, or a list of those for a struct.
    """
    job = {
        "text": text, "launches": {k: list(v) for k, v in launches.items()},
        "generations": list(generations), "grid": list(grid), "block": list(block),
    }  # fmt: skip
    result = {(n, g): "not reached" for n in launches for g in generations}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "crossport.backends.pallas.compile"],
            input=json.dumps(job), capture_output=True, text=True, timeout=timeout,
            env={**os.environ, **ENVIRONMENT}, check=False,
        )  # fmt: skip
        out = done.stdout
    except subprocess.TimeoutExpired as expired:
        out = expired.stdout.decode() if isinstance(expired.stdout, bytes) else ""
    for line in out.splitlines():
        if line.startswith("COMPILED "):
            name, generation, error = json.loads(line[9:])
            result[name, generation] = error
    return result


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
    import types

    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.experimental import topologies
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    job = json.load(sys.stdin)
    module = types.ModuleType("port")
    exec(compile(job["text"], "port", "exec"), module.__dict__)
    for generation in job["generations"]:
        device = topologies.get_topology_desc(
            platform="tpu", topology_name=TOPOLOGIES[generation]
        ).devices[0]
        mesh = Mesh(np.array([device]), ("_d",))
        place = NamedSharding(mesh, PartitionSpec())
        for name, args in job["launches"].items():
            arrays: list[Any] = []

            def slots(arg: Any, arrays: list[Any] = arrays, place: Any = place) -> Any:
                if isinstance(arg, list) and len(arg) == 2 and isinstance(arg[0], str):
                    kind = jnp.dtype(arg[0])
                    arrays.append(jax.ShapeDtypeStruct((arg[1],), kind, sharding=place))
                    return ("slot", len(arrays) - 1)
                return [slots(a) for a in arg] if isinstance(arg, list) else arg

            with jax.enable_x64(True):
                shaped = [slots(a) for a in args]

            def call(*values: Any, name: str = name, shaped: list[Any] = shaped) -> Any:
                def fill(arg: Any) -> Any:
                    if isinstance(arg, tuple):
                        return values[arg[1]]
                    return [fill(a) for a in arg] if isinstance(arg, list) else arg

                return getattr(module, name)(job["grid"], job["block"], *map(fill, shaped))

            try:
                with jax.enable_x64(True), jax.sharding.use_abstract_mesh(mesh.abstract_mesh):
                    jax.jit(call).lower(*arrays).compile()
                error = ""
            except Exception as caught:  # the compiler raises whatever it likes
                error = f"{type(caught).__name__}: {caught}"[:600]
            print("COMPILED " + json.dumps([name, generation, error]), flush=True)


if __name__ == "__main__":
    _worker()
