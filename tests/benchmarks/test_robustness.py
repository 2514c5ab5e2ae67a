"""Mutations are what they say, and repeat for a seed."""

from __future__ import annotations

import random

from benchmarks_loader import load

mutate = load("robustness").mutate

SOURCE = b"__global__ void k(int* p, int n) {\n  if (threadIdx.x < n) p[threadIdx.x] = n;\n}\n" * 3


def test_a_seed_gives_the_same_mutants() -> None:
    first = [mutate(SOURCE, random.Random(seed)) for seed in range(50)]
    assert first == [mutate(SOURCE, random.Random(seed)) for seed in range(50)]


def test_every_kind_occurs_and_changes_something() -> None:
    rng = random.Random(3)
    made = [mutate(SOURCE, rng) for _ in range(300)]
    kinds = {kind for kind, _ in made}
    assert kinds == {"truncated", "swapped", "doubled", "dropped", "flipped", "noise", "mixed"}
    for kind in kinds:
        assert any(data != SOURCE for name, data in made if name == kind)


def test_nothing_is_too_small_to_mutate() -> None:
    rng = random.Random(4)
    for data in (b"", b"x", b"\xff\xfe"):
        for _ in range(60):
            mutate(data, rng)
