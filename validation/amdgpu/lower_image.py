"""Image instructions: which registers hold the coordinates, and what is done with them.

Example:

    image_sample_lz v4, [v2, v7], s[8:15], s[16:19] dmask:0x1
    ->  Operation(execute=image, index=[2, _, 8, 4], sdst=16, coordinates 2 and 7, one component)
"""

import re

from crossport.validation.amdgpu import records as r
from crossport.validation.amdgpu.isa import Instruction
from crossport.validation.amdgpu.lowering import Builder, Unsupported

_LOAD, _STORE, _SAMPLE, _GATHER, _INFO = range(5)
_NAMES = {
    "load": _LOAD,
    "load_mip": _LOAD,
    "store": _STORE,
    "store_mip": _STORE,
    "get_resinfo": _INFO,
}
_SAMPLES = re.compile(r"(sample|gather4)(?:_(d|l|b|lz))?$")
_MOST_COORDINATES = 4


def image(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """MIMG of gfx90a and RDNA3, VIMAGE and VSAMPLE of RDNA4."""
    name = i.name.removeprefix("image_")
    if i.get("tfe") or i.get("lwe") or i.get("d16") or i.get("a16"):
        raise Unsupported("image access with 16-bit operands or a status")
    skipped = 0
    if match := _SAMPLES.match(name):
        op.size = _SAMPLE if match[1] == "sample" else _GATHER
        # There is one level of detail: what would choose another is passed over.
        dims = {0: 1, 4: 1, 2: 3, 3: 3}.get(i.get("dim"), 2)
        skipped = {"d": 2 * dims, "b": 1}.get(match[2] or "", 0)
    elif name in _NAMES:
        op.size = _NAMES[name]
    else:
        raise Unsupported("image instruction")
    registers = [_register(i, k + skipped) for k in range(_MOST_COORDINATES)]
    generation = 9 if builder.arch.is_cdna else 12 if builder.arch.is_rdna4 else 11
    op.aux[0] = i.get("dmask") | i.get("unrm") << 8 | generation << 16
    op.aux[1] = sum((n & 255) << 8 * k for k, n in enumerate(registers[1:]))
    op.kind[0] = op.kind[1] = r.VGPR
    op.index[0], op.index[1] = registers[0], min(max(registers), 252)
    op.index[3] = i.get("vdata")
    op.index[2] = i.get("rsrc") if "rsrc" in i.fields else i.get("srsrc") * 4
    op.sdst = i.get("samp") if "samp" in i.fields else i.get("ssamp") * 4
    builder.execute(op, "image")


def _register(i: Instruction, k: int) -> int:
    """The VGPR of address component k; the last one that is named begins a run."""
    named = [i.fields[f] for f in _address_fields(i)]
    return named[k] if k < len(named) else named[-1] + k - len(named) + 1


def _address_fields(i: Instruction) -> list[str]:
    if "vaddr0" in i.fields:  # RDNA4 names each
        return [f"vaddr{k}" for k in range(4)]
    if i.get("nsa"):  # RDNA3 names five in a word of their own
        return ["vaddr", "nsa1", "nsa2", "nsa3", "nsa4"]
    return ["vaddr"]
