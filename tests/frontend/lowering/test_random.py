"""Random programs: lowered and interpreted, they compute what a host compiler makes of them.

A small slice of `benchmarks/differential.py`, which runs as many as one likes.
"""

from __future__ import annotations

import shutil

import benchmarks_loader
import pytest


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is the judge here, and is missing")
@pytest.mark.parametrize("seeds", [(27, 44), (181, 302)])
def test_random_programs_mean_what_a_host_compiler_says(seeds: tuple[int, ...]) -> None:
    assert benchmarks_loader.load("differential").check(list(seeds)) == []
