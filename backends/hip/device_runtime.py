"""Calls of the runtime in device code: HIP's runtime is for the host alone.

    __device__ void check(cudaError_t e) { printf("%s", cudaGetErrorString(e)); }      announced

CUDA has a part of its runtime for device code too (kernels that launch kernels, error texts).
"""

from __future__ import annotations

import re

from crossport.backends.hip.functions import is_device_only
from crossport.backends.hip.source import Findings, SourceText
from crossport.diagnostics import Code, Severity

_RUNTIME = re.compile(rb"cuda[A-Z]\w+\Z")


def device_runtime_findings(text: SourceText) -> Findings:
    """Report each runtime function once that device code calls."""
    found = Findings()
    pending = {w for w in text.words if _RUNTIME.match(w)} - text.own_names
    if not pending or text.words.isdisjoint((b"__device__", b"__global__")):
        return found
    tokens = text.tokens
    for index in text.code_names:
        word = tokens.text[index]
        if (
            word in pending
            and tokens.at(index + 1) == b"("
            and not tokens.is_name(index - 1)
            and is_device_only(text, index)
        ):
            pending.discard(word)
            found.diagnostics.append(
                text.diagnostic(
                    Code.HIP_DEVICE_FUNCTION_MISSING,
                    f"{word.decode()} in device code: HIP's runtime is for the host alone",
                    index,
                    Severity.ERROR,
                    "call it on the host; in a kernel, print the error's number",
                )
            )
    return found
