"""Addresses of one memory space as numbers, and questions about a pointer's space.

    __cvta_generic_to_shared(p)      ->   ((size_t)(p) & 0xffffffff)
    __cvta_shared_to_generic(a)      ->   ((void*)lds_pointer<char>(a))
    __isShared(p)                    ->   __builtin_amdgcn_is_shared(...)

A generic pointer into LDS has the offset in LDS as its low 32 bits: the number that inline PTX
(`ld.shared`, `cp.async`) is given on NVIDIA GPUs, and that its translation takes. A generic pointer
into global memory is the address itself.
"""

from __future__ import annotations

from crossport.backends.hip.semantics.context import File

WHY = "an address within LDS"
_FLAT = "(const __attribute__((address_space(0))) void*)"
# CUDA's name -> what stands before and behind its argument.
_FORMS: dict[bytes, tuple[str, str]] = {
    b"__cvta_generic_to_shared": ("((size_t)(", ") & 0xffffffff)"),
    b"__nvvm_get_smem_pointer": ("(unsigned int)((size_t)(", ") & 0xffffffff)"),
    b"__cvta_generic_to_global": ("((size_t)(", "))"),
    b"__cvta_global_to_generic": ("((void*)(", "))"),
    b"__cvta_shared_to_generic": ("((void*)lds_pointer<char>(", "))"),
    b"__isShared": (f"__builtin_amdgcn_is_shared({_FLAT}(", "))"),
    b"__isLocal": (f"__builtin_amdgcn_is_private({_FLAT}(", "))"),
}


def address_edits(file: File) -> None:
    """Rewrite the address functions of a file."""
    for call in file.calls(_FORMS):
        before, behind = _FORMS[file.text.tokens.text[call.name]]
        if "lds_pointer" in before:
            file.helpers.add("lds_pointer")
        file.replace(call.name, call.opening, before, WHY)
        file.replace(call.closing, call.closing, behind, WHY)
    for call in file.calls((b"__isGlobal",)):
        pointer = file.source(call.opening + 1, call.closing)
        neither = " && ".join(
            f"!__builtin_amdgcn_is_{space}({_FLAT}({pointer}))" for space in ("shared", "private")
        )
        file.replace(call.name, call.closing, f"({neither})", WHY)
