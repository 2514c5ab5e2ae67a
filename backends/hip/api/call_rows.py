"""Facts about calls whose HIP counterpart takes its arguments in another form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArgumentRow:
    """Argument `index` of `function` is wrapped: `template` with `{}` for what was written.

    `unless`: beginnings of an argument that already has the form.
    """

    function: str
    index: int
    template: str
    reason: str
    unless: tuple[bytes, ...] = ()


_CAST = (b"(const void", b"(void", b"reinterpret_cast", b"static_cast<const void", b"(const  void")
_KERNEL = "reinterpret_cast<const void*>({})"
_SYMBOLS = (
    ("cudaMemcpyToSymbol", 0),
    ("cudaMemcpyToSymbolAsync", 0),
    ("cudaMemcpyFromSymbol", 1),
    ("cudaMemcpyFromSymbolAsync", 1),
    ("cudaGetSymbolAddress", 1),
    ("cudaGetSymbolSize", 1),
)
_KERNELS = (
    ("cudaFuncSetAttribute", 0),
    ("cudaFuncSetCacheConfig", 0),
    ("cudaFuncSetSharedMemConfig", 0),
    ("cudaFuncGetAttributes", 1),
    ("cudaLaunchKernel", 0),
)

ARGUMENTS = (
    *(
        ArgumentRow(name, index, "HIP_SYMBOL({})", "HIP takes symbols by this macro")
        for name, index in _SYMBOLS
    ),
    *(
        ArgumentRow(name, index, _KERNEL, "HIP takes a kernel as const void* here", _CAST)
        for name, index in _KERNELS
    ),
    ArgumentRow(
        "__ffsll",
        0,
        "static_cast<unsigned long long>({})",
        "HIP has two overloads, and unsigned long fits both",
        (b"static_cast<", b"(long long", b"(unsigned long long", b"(signed long long"),
    ),
    ArgumentRow(
        "cudaHostGetDevicePointer",
        0,
        "reinterpret_cast<void**>({})",
        "HIP takes void** here",
        (b"(void", b"reinterpret_cast", b"static_cast"),
    ),
)

# CUDA 12 dropped the three arguments for error reports; HIP has kept them.
SHORT_CALLS = {
    "cudaGraphInstantiate": (3, 2, "nullptr, nullptr, {}"),
}

# A call with that many arguments: an overload that HIP has under another name, or an argument that
# has a default in CUDA alone.
RENAMED_CALLS = {("cudaEventCreate", 2): "hipEventCreateWithFlags"}
APPENDED = {
    ("cudaMalloc3DArray", 3): "0",
    ("cudaLaunchCooperativeKernel", 4): "0, 0",
    ("cudaLaunchCooperativeKernel", 5): "0",
}

# CUDA 13 gives a location where CUDA 12 and HIP give a device: the argument's index, and whether
# flags stand behind it, which HIP does not take.
LOCATIONS = {"cudaMemPrefetchAsync": (2, True), "cudaMemAdvise": (3, False)}
LOCATION_TYPE = b"cudaMemLocation"
