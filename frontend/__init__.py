"""CUDA text -> what crossport knows about it: kernels, launch sites, places, thread IR.

    from crossport.frontend.parse import parse

    unit = parse("reduce.cu", ["-Iinclude"])
    unit.kernels      concrete kernels: cursor, name, parameters, launch bounds     (unit.py)
    unit.launches     launch sites: grid, block, shared bytes, stream, arguments
    unit.variables    __constant__, __device__, __managed__ and __shared__ variables
    unit.files        the project's files that took part, as bytes; spans index them
    unit.diagnostics  what a user should hear about the input

parse.py puts it together: input.py reads source and flags, shim/ holds the declarations that stand
for the CUDA toolkit and the C++ library, cache.py keeps them parsed, collect.py walks the result,
clang.py wraps libclang, places.py knows where things stand. lowering/ makes thread IR from kernels.
"""
