"""8-bit floats in device code of a GPU whose hardware has other ones: announced.

gfx940 to gfx942 compute in the FNUZ formats (another bias, no infinities, one NaN, 240 the largest
e4m3). HIP 6 converts the OCP formats, which are CUDA's, in host code only there.
"""

from __future__ import annotations

from collections.abc import Iterable

from crossport.backends.hip.functions import is_device_code
from crossport.backends.hip.source import Findings, SourceText
from crossport.diagnostics import Code, Severity

FNUZ_ONLY = frozenset({"gfx940", "gfx941", "gfx942"})


def float8_findings(text: SourceText, arch: Iterable[str]) -> Findings:
    """Report the first 8-bit float in device code, if a target lacks its format."""
    found = Findings()
    lacking = [name for name in arch if name.partition(":")[0] in FNUZ_ONLY]
    types = {w for w in text.words if w.startswith((b"__nv_fp8", b"__hip_fp8"))}
    types = {w for w in types if not w.endswith(b"_fnuz")}
    if not lacking or not types:
        return found
    for index in text.code_names:
        word = text.tokens.text[index]
        if word in types and is_device_code(text, index):
            found.diagnostics.append(
                text.diagnostic(
                    Code.HIP_API_DIFFERS,
                    f"{word.decode()}: {', '.join(lacking)} computes in the FNUZ formats, not in"
                    " CUDA's; ROCm 6 converts these in host code only",
                    index,
                    Severity.ERROR,
                    "use the _fnuz types where their range (240 at most) will do, or ROCm 7",
                )
            )
            break
    return found
