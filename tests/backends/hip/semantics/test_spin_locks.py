"""Which loops wait for another lane of the wavefront, and which do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossport.backends.hip.port import HipOptions
from crossport.backends.hip.semantics import semantic_edits
from crossport.diagnostics import Code
from crossport.frontend.parse import parse

WAITS = {
    "a lock": "while (atomicCAS(lock, 0, 1) != 0);",
    "a lock with a pause": "while (atomicCAS(lock, 0, 1) != 0) __nanosleep(100);",
    "a lock by way of a variable": "int got; do { got = atomicExch(lock, 1); } while (got != 0);",
    "a volatile flag": "volatile int* flag = lock; while (*flag == 0) __threadfence();",
    "a flag read by an atomic": "while (atomicAdd(lock, 0) == 0) {}",
    "the other warp's flag, one thread waiting": "__shared__ volatile int ready;"
    " if (threadIdx.x == 32) ready = 1; if (threadIdx.x == 0) { while (ready == 0); }",
    "a lane of each warp": "if (threadIdx.x % 32 == 0) while (atomicCAS(lock, 0, 1) != 0);",
}
WORKS = {
    "the work is inside": "bool done = false; while (!done) { if (atomicCAS(lock, 0, 1) == 0) {"
    " *sum += 1; atomicExch(lock, 0); done = true; } }",
    "a retry": "int old = *sum, seen; do { seen = old; old = atomicCAS(sum, seen, seen + 1); }"
    " while (seen != old);",
    "one thread of the block, another block's lock": "if (threadIdx.x == 0) {"
    " while (atomicCAS(lock, 0, 1) != 0); }",
    "one thread by way of a variable": "int tid = threadIdx.x; if (tid == 0 && *sum) {"
    " while (atomicAdd(lock, 0) == 0); }",
    "a plain loop": "int i = 0; while (i < *sum) { i++; }",
    "a search": "int key = *sum; while (true) { int seen = atomicCAS(&lock[key], -1, 7);"
    " if (seen == -1) break; else key = seen; }",
    "a search of volatile memory": "volatile int* state = lock; int i = 0;"
    " while (i < 9 && state[i] == 0) i++;",
    "a loop that stores": "volatile int* flag = lock; while (*flag == 0) { *sum = 1; }",
}


def _codes(body: str, tmp_path: Path) -> list[Code]:
    path = tmp_path / "k.cu"
    path.write_text(f"__global__ void k(int* lock, int* sum) {{ {body} }}\n")
    _, diagnostics = semantic_edits(parse(path, probe=False), HipOptions())
    return [d.code for d in diagnostics]


@pytest.mark.parametrize("body", WAITS.values(), ids=list(WAITS))
def test_a_wait_is_reported(body: str, tmp_path: Path) -> None:
    assert _codes(body, tmp_path) == [Code.SPIN_LOCK]


@pytest.mark.parametrize("body", WORKS.values(), ids=list(WORKS))
def test_a_loop_that_gets_on_is_not(body: str, tmp_path: Path) -> None:
    assert Code.SPIN_LOCK not in _codes(body, tmp_path)
