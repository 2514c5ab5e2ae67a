"""The type to compute in, which cuBLAS also takes as a type of data.

Example:

    cublasGemmEx(..., CUDA_R_32F, a)    ->    hipblasGemmEx(..., HIPBLAS_COMPUTE_32F, a)
    cublasGemmEx(..., type, a)          ->    hipblasGemmEx(..., crossport_compute_type(type), a)
"""

from __future__ import annotations

from crossport.backends.hip.edits import Edit
from crossport.backends.hip.source import Findings, SourceText

HELPER = "compute_type.h"
# Which argument it is, of how many.
_CALLS = {
    b"cublasGemmEx": (17, 19),
    b"cublasGemmBatchedEx": (18, 20),
    b"cublasGemmStridedBatchedEx": (21, 23),
}
_LITERALS = {
    b"CUDA_R_16F": "HIPBLAS_COMPUTE_16F",
    b"CUDA_R_32F": "HIPBLAS_COMPUTE_32F",
    b"CUDA_C_32F": "HIPBLAS_COMPUTE_32F",
    b"CUDA_R_64F": "HIPBLAS_COMPUTE_64F",
    b"CUDA_C_64F": "HIPBLAS_COMPUTE_64F",
    b"CUDA_R_32I": "HIPBLAS_COMPUTE_32I",
}
_DATA_TYPES = (b"cudaDataType", b"cudaDataType_t")
_WHY = "hipBLAS takes a compute type here"


def compute_type_edits(text: SourceText, definitions: set[str]) -> Findings:
    """Convert what is no compute type; the stand-in goes to `definitions`."""
    found = Findings()
    if text.words.isdisjoint(_CALLS):
        return found
    tokens = text.tokens
    typed = {
        tokens.at(index + offset)
        for index in text.code_names
        if tokens.text[index] in _DATA_TYPES
        for offset in _declared_at(text, index)
    }
    for index in text.code_names:
        at, count = _CALLS.get(tokens.text[index], (0, 0))
        arguments = tokens.arguments(index + 1) if count and tokens.at(index + 1) == b"(" else None
        if arguments is None or len(arguments) != count:
            continue
        first, last = arguments[at]
        word = tokens.text[first]
        if last - first == 1 and word in _LITERALS:
            found.edits.append(text.edit(first, first, _LITERALS[word], _WHY, 1))
        elif not typed.isdisjoint(tokens.text[first:last]):
            start, end = tokens.start[first], tokens.end(last - 1)
            found.edits.append(Edit(text.file, start, start, "crossport_compute_type(", _WHY))
            found.edits.append(Edit(text.file, end, end, ")", _WHY))
            definitions.add(HELPER)
    return found


def _declared_at(text: SourceText, index: int) -> list[int]:
    """Where behind a type the names stand that it declares: `cudaDataType a, b = x, c;`"""
    found = []
    at = index + 1
    while text.tokens.is_name(at):
        found.append(at - index)
        at += 1
        if text.tokens.at(at) == b"=":
            at += 2
        if text.tokens.at(at) != b",":
            break
        at += 1
    return found
