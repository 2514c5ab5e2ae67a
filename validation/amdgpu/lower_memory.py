"""Memory instructions: what their names say about size, sign, half and operation."""

import re
from dataclasses import dataclass

from crossport.validation.amdgpu import records as r
from crossport.validation.amdgpu.isa import Instruction, Operand
from crossport.validation.amdgpu.lowering import ACC, Builder, Unsupported

_WORD = Operand(32, "B32")
_BYTES = {
    "ubyte": (1, 0),
    "sbyte": (1, 1),
    "ushort": (2, 0),
    "sshort": (2, 1),
    "short": (2, 0),
    "byte": (1, 0),
    "dword": (4, 0),
    "dwordx2": (8, 0),
    "dwordx3": (12, 0),
    "dwordx4": (16, 0),
    "u8": (1, 0),
    "i8": (1, 1),
    "u16": (2, 0),
    "i16": (2, 1),
    "b8": (1, 0),
    "b16": (2, 0),
    "b32": (4, 0),
    "b64": (8, 0),
    "b96": (12, 0),
    "b128": (16, 0),
}


@dataclass(frozen=True, slots=True)
class Access:
    """What a load or store moves: bytes, sign extension, and the half of the register."""

    size: int
    signed: int
    d16: bool
    high: bool


def access_of(kind: str) -> Access:
    """`ubyte_d16_hi` or `d16_hi_u8` -> one byte into the upper half."""
    d16, high = "d16" in kind, "_hi" in kind
    word = re.sub(r"_?d16(_hi)?_?", "", kind)
    if word not in _BYTES:
        raise Unsupported(f"access of kind {kind}")
    size, signed = _BYTES[word]
    return Access(size, signed, d16, high)


_ATOMIC = re.compile(
    r"(pk_add_f16|pk_add_bf16|add|sub|rsub|smin|umin|smax|umax|min|max|and|or|xor|inc|dec|swap"
    r"|cmpswap|csub|sub_clamp|cond_sub|fcmpswap|fmin|fmax|mskor)"
    r"(?:_(?:num_)?(x2|f32|f64|u32|i32|b32|u64|i64|b64))?$"
)


def atomic_of(kind: str) -> tuple[int, int]:
    """(function, bytes) of an atomic's name, old (`smin_x2`) or new (`min_i64`)."""
    match = _ATOMIC.match(kind)
    if match is None:
        raise Unsupported(f"atomic {kind}")
    stem, type_ = match[1].replace("sub_clamp", "csub"), match[2] or ""
    size = 8 if type_ in ("x2", "f64", "u64", "i64", "b64") else 4
    if type_.startswith("f") or stem in ("fmin", "fmax", "fcmpswap"):
        stem = "f" + stem.removeprefix("f")
    elif stem in ("min", "max"):
        stem = ("s" if type_.startswith("i") else "u") + stem
    if stem not in r.ATOMICS:
        raise Unsupported(f"atomic {kind}")
    return r.ATOMICS[stem], size


def _acc(i: Instruction) -> int:
    return ACC if i.get("acc") else 0


def _returns_and_scope(i: Instruction) -> tuple[int, int]:
    """Whether an atomic returns the old value; whether the access is seen beyond the workgroup."""
    if "th" in i.fields:
        return i.get("th") & 1, i.get("scope") >> 1
    if "sc0" in i.fields:
        return i.get("sc0"), i.get("sc1")
    return i.get("glc"), i.get("glc")


def _fill_load_store(
    builder: Builder, i: Instruction, op: r.Operation, kind: str, prefix: str
) -> None:
    """The common part of flat and buffer accesses: `kind` is the name after its prefix."""
    returns, is_wide = _returns_and_scope(i)
    if is_wide:
        op.flags |= r.COHERENT
    if kind.startswith("atomic_"):
        op.aux[0], op.size = atomic_of(kind.removeprefix("atomic_"))
        if returns:
            op.flags |= r.RETURNS
        builder.execute(op, f"{prefix}atomic")
        return
    lds = re.match(r"load_lds_(\w+)$", kind) or re.match(r"load_(\w+)_lds$", kind)
    if lds or i.get("lds"):
        word = lds[1] if lds else kind.removeprefix("load_")
        op.size = {"ubyte": 4, "ushort": 4}.get(word) or access_of(word).size
        if word not in ("dword", "dwordx3", "dwordx4"):
            raise Unsupported("load to LDS of this size")
        op.flags |= r.TO_LDS
        op.aux[2] = op.offset & 0xFFFFFFFF  # the offset moves both addresses
        builder.execute(op, f"{prefix}load")
        return
    verb, _, what = kind.partition("_")
    access = access_of(what)
    op.size = access.size
    if access.high:
        op.flags |= r.HIGH_HALF
    if verb == "load":
        op.aux[1] = access.signed | (2 if access.d16 else 0)
    elif verb != "store":
        raise Unsupported(f"memory access {kind}")
    builder.execute(op, f"{prefix}{verb}")


def flat(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """FLAT, GLOBAL and SCRATCH."""
    space, _, kind = i.name.partition("_")
    if kind in ("inv", "wb", "wbinv"):
        builder.execute(op, "nothing")
        return
    if space == "flat" and not builder.arch.is_rdna4:
        # Before RDNA4 an offset from a generic address has no sign.
        op.offset = i.get("offset") & 0xFFF
    else:
        op.offset = i.signed("offset", 24 if builder.arch.is_rdna4 else 13)
    none = 0x7F if builder.arch.is_cdna else 124
    saddr = i.get("saddr")
    has_saddr = saddr not in (none, 0x7F) and space != "flat"
    op.kind[0] = op.kind[1] = r.VGPR
    op.index[0], op.index[1] = i.get("addr"), i.get("data") + _acc(i)
    op.index[3] = i.get("vdst") + _acc(i)
    if has_saddr:
        op.flags |= r.SADDR
        op.index[2] = saddr
    if space == "scratch":
        op.flags |= r.INDEXED
        uses_vgpr = i.get("sve") if "sve" in i.fields else not has_saddr
        if uses_vgpr:
            op.flags |= r.VADDR
    else:
        op.flags |= r.VADDR
        if space == "flat":
            op.flags |= r.CARRY_IN  # here: the address may lie in an aperture
    _fill_load_store(builder, i, op, kind, "")


def buffer(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """MUBUF."""
    kind = i.name.removeprefix("buffer_")
    if kind in ("wbl2", "inv", "wbinvl1", "wbinvl1_vol", "gl0_inv", "gl1_inv", "invl2"):
        builder.execute(op, "nothing")
        return
    op.kind[0] = op.kind[1] = r.VGPR
    op.index[0], op.index[1] = i.get("vaddr"), i.get("vdata") + _acc(i)
    op.index[2] = i.get("rsrc") if "rsrc" in i.fields else i.get("srsrc") * 4
    op.index[3] = i.get("vdata") + _acc(i)
    op.offset = i.get("offset")
    if i.get("offen"):
        op.flags |= r.VADDR
    if i.get("idxen"):
        op.flags |= r.INDEXED
    code = i.get("soffset")
    if code < 128 and (builder.arch.is_cdna or code != 124):
        op.sdst = code
    else:
        op.sdst = 0xFFFFFFFF
        words = (0,) if code == 124 else builder.constant_words(code, _WORD, i.literal)
        op.literal = words[0] & 0xFFFFFFFF
    op.aux[3] = int(builder.arch.is_cdna)
    if "format" in kind:
        match = re.match(r"(load|store)_format_(x|xy|xyz|xyzw)$", kind)
        if match is None:
            raise Unsupported("typed buffer access")
        op.aux[2] = len(match[2]) | int(match[1] == "store") << 8
        builder.execute(op, "buffer_format")
        return
    _fill_load_store(builder, i, op, kind, "buffer_")


_SCALAR = re.compile(r"s_(buffer_|scratch_)?(load|store)_(?:dword(?:x(\d+))?|([biu])(\d+))$")


def scalar_memory(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """SMEM."""
    name = i.name
    if name in ("s_memtime", "s_memrealtime"):
        op.index[3] = i.get("sdata")
        builder.execute(op, "time")
        return
    if name.startswith(("s_dcache", "s_gl1_inv", "s_icache")) or "prefetch" in name:
        builder.execute(op, "nothing")
        return
    match = _SCALAR.match(name)
    if match is None or match[1] == "scratch_":
        raise Unsupported("scalar memory access")
    op.size = int(match[3] or 1) * 4 if match[5] is None else int(match[5]) // 8
    op.aux[1] = int(match[4] == "i")
    op.aux[0] = int(match[1] == "buffer_")
    op.index[0], op.index[3] = i.get("sbase") * 2, i.get("sdata")
    op.sdst = 0xFFFFFFFF
    if builder.arch.is_cdna:
        if i.get("imm"):
            op.offset = i.signed("offset", 21)
        if i.get("soffset_en"):
            op.sdst = i.get("soffset")
        elif not i.get("imm"):
            op.sdst = i.get("offset") & 0x7F
    else:
        op.offset = i.signed("offset", 24 if builder.arch.is_rdna4 else 21)
        if i.get("soffset") != 124:
            op.sdst = i.get("soffset")
    builder.execute(op, f"scalar_{match[2]}")


_TWO = re.compile(
    r"(read|write|load|store)(?:2|_2addr)(st64|_stride64)?_b(32|64)$"
    r"|(wrxchg|storexchg)(?:2|_2addr)(st64|_stride64)?_rtn_b(32|64)$"
)
_LDS_ATOMIC = re.compile(
    r"(add|sub|rsub|inc|dec|min|max|and|or|xor|mskor|wrxchg|storexchg|cmpst|cmpstore|pk_add"
    r"|cond_sub|sub_clamp|min_num|max_num)(_rtn)?_(u32|i32|b32|f32|u64|i64|b64|f64|f16|bf16)$"
)


def lds(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """DS."""
    kind = i.name.removeprefix("ds_")
    if kind in ("gws_init", "gws_barrier", "gws_sema_release_all"):
        builder.execute(op, "grid_barrier" if kind == "gws_barrier" else "nothing")
        return
    if i.get("gds"):
        raise Unsupported("global data share")
    if kind == "nop":
        builder.execute(op, "nothing")
        return
    first, second = i.get("offset0"), i.get("offset1")
    op.offset = first | second << 8
    op.kind[0] = op.kind[1] = op.kind[2] = r.VGPR
    op.index[0] = i.get("addr")
    op.index[1], op.index[2] = i.get("data0") + _acc(i), i.get("data1") + _acc(i)
    op.index[3] = i.get("vdst") + _acc(i)
    simple = {"bpermute_b32": "bpermute", "permute_b32": "permute", "swizzle_b32": "swizzle"}
    if kind in simple:
        builder.execute(op, simple[kind])
        return
    if match := re.match(r"(read|write|load|store)_addtid_b32$", kind):
        op.aux[0] = int(match[1] in ("write", "store"))
        builder.execute(op, "lds_addtid")
        return
    if match := re.match(r"read_b64_tr_b(4|8|16)$", kind):
        op.aux[0], op.size = int(match[1]), 8
        if op.aux[0] != 16:
            raise Unsupported("transposing read of this width")
        builder.execute(op, "lds_read_transposed")
        return
    if match := _TWO.match(kind):
        verb, wide, bits = match[1] or match[4], match[2] or match[5], match[3] or match[6]
        op.size = int(bits) // 8
        scale = op.size * (64 if wide else 1)
        op.aux[0], op.aux[1] = first * scale, second * scale
        names = {"read": "lds_read2", "load": "lds_read2", "write": "lds_write2"}
        names |= {"store": "lds_write2", "wrxchg": "lds_exchange2", "storexchg": "lds_exchange2"}
        builder.execute(op, names[verb])
        return
    if match := re.match(r"(read|write|load|store)_(\w+)$", kind):
        access = access_of(match[2])
        op.size = access.size
        op.aux[1] = access.signed | (2 if access.d16 else 0)
        if access.high:
            op.flags |= r.HIGH_HALF
        reads = match[1] in ("read", "load")
        builder.execute(op, "lds_read" if reads else "lds_write")
        return
    _lds_atomic(builder, op, kind)


def _lds_atomic(builder: Builder, op: r.Operation, kind: str) -> None:
    match = _LDS_ATOMIC.match(kind)
    if match is None:
        raise Unsupported("LDS instruction")
    stem, type_ = match[1], match[3]
    renamed = {"wrxchg": "swap", "storexchg": "swap", "sub_clamp": "csub"}
    stem = renamed.get(stem, stem).removesuffix("_num")
    op.size = 8 if type_.endswith("64") else 4
    if stem.startswith("cmpst"):
        op.aux[1] = int(stem == "cmpstore")
        stem = "fcmpswap" if type_.startswith("f") else "cmpswap"
    elif stem == "pk_add":
        stem = f"pk_add_{type_}"
    elif type_.startswith("f"):
        stem = "f" + stem
        op.float_class = 1 if type_ == "f32" else 2
    elif stem in ("min", "max"):
        stem = ("s" if type_.startswith("i") else "u") + stem
    if stem not in r.ATOMICS:
        raise Unsupported(f"LDS atomic {kind}")
    op.aux[0] = r.ATOMICS[stem]
    if match[2]:
        op.flags |= r.RETURNS
    builder.execute(op, "lds_atomic")
