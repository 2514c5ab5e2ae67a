"""Random CUDA programs without undefined behaviour, and what a host compiler makes of them.

    program(seed)         the text of one kernel with the functions and structs that it uses
    host_values(...)      what g++ computes for the same text, thread by thread

A kernel `k(long long* out, double* real)` writes what it computed into its thread's slots. Whatever
C++ leaves open (unsequenced effects, signed overflow, wide shifts, conversions out of range) is
kept out by construction or fixed by a compiler option, so both sides have to agree on every bit.
"""

from random_cuda.host import PRELUDE, THREADS, host_values
from random_cuda.program import SLOTS, program

__all__ = ["PRELUDE", "SLOTS", "THREADS", "host_values", "program"]
