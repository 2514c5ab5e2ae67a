"""Hand-written bodies, where AMD's pseudocode is missing, wrong, inexact or slow.

A body is the C of one lane (see pseudocode.py): raw bits `S0`, `S1`, `S2` in, `D0` out, `ci` the
lane's carry or condition in, `cb` its carry or comparison out. Why a row is here:

- missing: the text is prose, or needs registers by number;
- wrong: V_DIV_* lack their last case and scale by the wrong power; NaN, zero and denormals of
  FREXP; MAD_MIX is fused on these GPUs; RNDNE depends on no rounding mode;
- approximate on hardware: V_EXP, V_LOG, V_RCP, V_RSQ, V_SIN, V_COS (lane_math.h says how);
- slow: loops over bits that one host instruction does;
- clamp: integer saturation needs the unwrapped result.
"""

import re

_FLOATS = {"f16": ("F16", "B16"), "f32": ("F32", "B32"), "f64": ("F64", "B64")}


def _float(type_: str, expression: str) -> str:
    """`D0 = expression` over A, B, C: the sources as floats."""
    load, store = _FLOATS[type_]
    sources = (("A", "S0"), ("B", "S1"), ("C", "S2"))
    named = [(n, s) for n, s in sources if re.search(rf"\b{n}\b", expression)]
    return "".join(f"{type_} {n}={load}({s});" for n, s in named) + f"D0={store}({expression});"


def _rows() -> dict[str, str]:
    rows: dict[str, str] = {}
    for t in ("f16", "f32", "f64"):
        round_even = "__builtin_roundeven" + ("f" if t != "f64" else "")
        ceil = "__builtin_ceil" + ("f" if t != "f64" else "")
        inner = "(f32)A" if t == "f16" else "A"
        rows[f"v_rndne_{t}"] = rows[f"s_rndne_{t}"] = _float(t, f"({t}){round_even}({inner})")
        rows[f"v_ceil_{t}"] = _float(t, f"({t}){ceil}({inner})")
        rows[f"v_floor_{t}"] = _float(t, f"floor_{t}(A)")
        rows[f"v_fract_{t}"] = _float(t, f"fract_{t}(A)")
        rows[f"v_min_{t}"] = _float(t, f"min_{t}(A,B,IEEE)")
        rows[f"v_max_{t}"] = _float(t, f"max_{t}(A,B,IEEE)")
        exponent = "D0=(u64)(u32)frexp_exp_f64((f64){});"
        if t == "f16":
            rows["v_frexp_exp_i16_f16"] = exponent.format("(f32)F16(S0)") + "D0&=0xffff;"
        else:
            rows[f"v_frexp_exp_i32_{t}"] = exponent.format(f"{_FLOATS[t][0]}(S0)")
        rows[f"v_frexp_mant_{t}"] = _float(t, f"mantissa_{t}(A)")
        for kind in ("min_num", "max_num", "minimum", "maximum"):
            rows[f"v_{kind}_{t}"] = rows[f"s_{kind}_{t}"] = _float(t, f"{kind}_{t}(A,B)")
    for t in ("f32", "f64", "f16"):
        rows[f"v_div_fixup_{t}"] = _float(t, f"div_fixup_{t}(A,B,C)")
    rows["v_div_fixup_legacy_f16"] = rows["v_div_fixup_f16"]
    for t in ("f32", "f64"):
        load, store = _FLOATS[t]
        rows[f"v_div_scale_{t}"] = (
            f"u32 flag;D0={store}(div_scale_{t}({load}(S0),{load}(S1),{load}(S2),&flag));cb=flag;"
        )
        rows[f"v_div_fmas_{t}"] = _float(t, f"div_fmas_{t}(A,B,C,ci)")
    rows |= {
        "v_exp_f32": _float("f32", "exp2_f32(A)"),
        "v_log_f32": _float("f32", "log2_f32(A)"),
        "v_exp_legacy_f32": _float("f32", "exp2_f32(A)"),
        "v_log_legacy_f32": _float("f32", "log2_f32(A)"),
        "v_rcp_f32": _float("f32", "rcp_f32(A)"),
        "v_rcp_iflag_f32": _float("f32", "rcp_f32(A)"),
        "v_rsq_f32": _float("f32", "rsq_f32(A)"),
        "v_sqrt_f32": _float("f32", "hw_sqrt_f32(A)"),
        "v_sin_f32": _float("f32", "sin_turns_f32(A)"),
        "v_cos_f32": _float("f32", "cos_turns_f32(A)"),
        "v_exp_f16": _float("f16", "exp2_f16(A)"),
        "v_log_f16": _float("f16", "log2_f16(A)"),
        "v_rcp_f16": _float("f16", "rcp_f16(A)"),
        "v_rsq_f16": _float("f16", "rsq_f16(A)"),
        "v_sin_f16": _float("f16", "sin_turns_f16(A)"),
        "v_cos_f16": _float("f16", "cos_turns_f16(A)"),
        **{
            f"v_s_{name}_{t}": _float(t, f"{function}_{t}(A)")
            for t in ("f16", "f32")
            for name, function in (("exp", "exp2"), ("log", "log2"), ("rcp", "rcp"), ("rsq", "rsq"))
        },
        "v_s_sqrt_f32": _float("f32", "hw_sqrt_f32(A)"),
        "v_s_sqrt_f16": _float("f16", "sqrt_f16(A)"),
        "v_ldexp_f64": "D0=B64(ldexp_f64(F64(S0),(i32)S1));",
        "v_ldexp_f32": "D0=B32(ldexp_f32(F32(S0),(i32)S1));",
        "v_ldexp_f16": "D0=B16(ldexp_f16(F16(S0),(i16)S1));",
        "v_trig_preop_f64": "D0=B64(trig_preop(F64(S0),(u32)S1));",
        # bits
        "v_ffbh_u32": "D0=(u32)S0?(u32)__builtin_clz((u32)S0):~0u;",
        "v_ffbl_b32": "D0=(u32)S0?(u32)__builtin_ctz((u32)S0):~0u;",
        "v_ffbh_i32": "u32 q=(u32)S0^(u32)((i32)S0>>31);D0=q?(u32)__builtin_clz(q):~0u;",
        "v_bcnt_u32_b32": "D0=(u32)__builtin_popcount((u32)S0)+(u32)S1;",
        "v_mbcnt_lo_u32_b32": "D0=(u32)__builtin_popcount(lanes_below((u32)S0,l))+(u32)S1;",
        "v_mbcnt_hi_u32_b32": "D0=(u32)__builtin_popcount(lanes_below((u32)S0,l-32))+(u32)S1;",
        "v_mul_hi_u32": "D0=((u64)(u32)S0*(u32)S1)>>32;",
        "v_mul_hi_i32": "D0=(u32)(((i64)(i32)S0*(i32)S1)>>32);",
        "v_perm_b32": (
            "u64 q=(u64)(u32)S0<<32|(u32)S1;D0=0;"
            "for(int k=0;k<32;k+=8)D0|=byte_permute(q,((u32)S2>>k)&255)<<k;"
        ),
        "v_mad_u64_u32": "u64 p=(u64)(u32)S0*(u32)S1;D0=p+S2;cb=D0<p;",
        "v_mad_i64_i32": (
            "i64 p=(i64)(i32)S0*(i32)S1;D0=(u64)p+S2;cb=((p<0)^((i64)S2<0)^(D0<(u64)p))&1;"
        ),
        "v_mad_i32_i24": (
            "i64 p=(i64)((i32)((u32)S0<<8)>>8)*((i32)((u32)S1<<8)>>8)+(CLAMP?(i64)(i32)S2:0);"
            "D0=CLAMP?(u32)(p>2147483647?2147483647:p<-2147483648ll?-2147483648ll:p)"
            ":(u32)p+(u32)S2;"
        ),
        "v_mad_u32_u24": (
            "u64 p=(u64)((u32)S0&0xffffffu)*((u32)S1&0xffffffu);"
            "D0=CLAMP?(p+(u32)S2>0xffffffffull?0xffffffffu:p+(u32)S2):(u32)p+(u32)S2;"
        ),
        "v_cvt_off_f32_i4": "D0=B32((f32)((i32)((u32)S0<<28)>>28)*0.0625f);",
        "v_cvt_rpi_i32_f32": "D0=(u32)f32_to_i32(floor_f32(F32(S0)+0.5f));",
        "v_cvt_nearest_i32_f32": "D0=(u32)f32_to_i32(floor_f32(F32(S0)+0.5f));",
        "v_cvt_f32_bf16": "D0=((u64)(u32)S0<<16)&0xffffffffu;",
        "v_cvt_pkrtz_f16_f32": (
            "D0=B16(toward_zero_f16(F32(S0)))|B16(toward_zero_f16(F32(S1)))<<16;"
        ),
        "v_cvt_pk_rtz_f16_f32": (
            "D0=B16(toward_zero_f16(F32(S0)))|B16(toward_zero_f16(F32(S1)))<<16;"
        ),
        "s_cvt_pk_rtz_f16_f32": (
            "D0=B16(toward_zero_f16(F32((u32)S0)))|B16(toward_zero_f16(F32((u32)S1)))<<16;"
        ),
        "v_cvt_pkaccum_u8_f32": ("i32 at=((u32)S1&3)*8;D0=insert(D0,at+7,at,f32_to_u8(F32(S0)));"),
        "v_cvt_pk_i16_f32": "D0=(u64)(u16)f32_to_i16(F32(S0))|(u64)(u16)f32_to_i16(F32(S1))<<16;",
        "v_cvt_pk_u16_f32": "D0=(u64)f32_to_u16(F32(S0))|(u64)f32_to_u16(F32(S1))<<16;",
        "v_sat_pk_u8_i16": "D0=sat_u8(S0&0xffff)|(u64)sat_u8((S0>>16)&0xffff)<<8;",
        "v_pk_mov_b32": "D0=(S0&0xffffffffull)|(S1&0xffffffff00000000ull);",
        # the DL/mac family
        # gfx90a: rounded twice
        "v_mac_f32": "D0=B32((f32)(F32(S0)*F32(S1))+F32(D0));",
        "v_mad_f32": "D0=B32((f32)(F32(S0)*F32(S1))+F32(S2));",
        "v_madmk_f32": "D0=B32((f32)(F32(S0)*F32(LITERAL))+F32(S1));",
        "v_madak_f32": "D0=B32((f32)(F32(S0)*F32(S1))+F32(LITERAL));",
        "v_mac_f16": "D0=B16((f16)((f16)(F16(S0)*F16(S1))+F16(D0)));",
        "v_mad_legacy_f16": "D0=B16((f16)((f16)(F16(S0)*F16(S1))+F16(S2)));",
        "v_mad_legacy_u16": "D0=(u16)((u32)(u16)S0*(u16)S1+(u16)S2);",
        "v_mad_legacy_i16": "D0=(u16)((u32)(u16)S0*(u16)S1+(u16)S2);",
        "v_fma_legacy_f16": "D0=B16(fma_f16(F16(S0),F16(S1),F16(S2)));",
        "v_accvgpr_read": "D0=S0;",
        "v_accvgpr_write": "D0=S0;",
        "v_accvgpr_mov_b32": "D0=S0;",
        "v_nop": "",
        # scalars
        "s_flbit_i32_b32": "D0=(u32)S0?(u32)__builtin_clz((u32)S0):~0u;",
        "s_flbit_i32_b64": "D0=S0?(u32)__builtin_clzll(S0):~0u;",
        "s_flbit_i32": "u32 q=(u32)S0^(u32)((i32)S0>>31);D0=q?(u32)__builtin_clz(q):~0u;",
        "s_flbit_i32_i64": "u64 q=S0^(u64)((i64)S0>>63);D0=q?(u32)__builtin_clzll(q):~0u;",
        "s_ff0_i32_b32": "D0=(u32)~S0?(u32)__builtin_ctz((u32)~S0):~0u;",
        "s_ff0_i32_b64": "D0=~S0?(u32)__builtin_ctzll(~S0):~0u;",
        "s_ff1_i32_b32": "D0=(u32)S0?(u32)__builtin_ctz((u32)S0):~0u;",
        "s_ff1_i32_b64": "D0=S0?(u32)__builtin_ctzll(S0):~0u;",
        "s_bcnt1_i32_b32": "D0=(u32)__builtin_popcount((u32)S0);SCC=D0!=0;",
        "s_bcnt1_i32_b64": "D0=(u32)__builtin_popcountll(S0);SCC=D0!=0;",
        "s_bcnt0_i32_b32": "D0=(u32)__builtin_popcount((u32)~S0);SCC=D0!=0;",
        "s_bcnt0_i32_b64": "D0=(u32)__builtin_popcountll(~S0);SCC=D0!=0;",
    }
    for name, gfx11 in (
        ("v_ffbh_u32", "v_clz_i32_u32"),
        ("v_ffbl_b32", "v_ctz_i32_b32"),
        ("v_ffbh_i32", "v_cls_i32"),
        ("s_flbit_i32_b32", "s_clz_i32_u32"),
        ("s_flbit_i32_b64", "s_clz_i32_u64"),
        ("s_flbit_i32", "s_cls_i32"),
        ("s_flbit_i32_i64", "s_cls_i32_i64"),
        ("s_ff1_i32_b32", "s_ctz_i32_b32"),
        ("s_ff1_i32_b64", "s_ctz_i32_b64"),
    ):
        rows[gfx11] = rows[name]
    rows |= _mixed() | _eight_bit() | _clamped() | _table_lookup() | _dots()
    return rows


def _mixed() -> dict[str, str]:
    """FMA of f32 and f16 operands: op_sel_hi says which is f16, op_sel which half."""
    load = "".join(
        f"f32 x{i}=(a->op_sel_hi>>{i}&1)"
        f"?(f32)F16(a->op_sel>>{i}&1?(u32)S{i}>>16:(u32)S{i}):F32(S{i});"
        f"x{i}=a->neg_hi>>{i}&1?abs_f32(x{i}):x{i};x{i}=a->neg>>{i}&1?-x{i}:x{i};"
        for i in range(3)
    )
    unit = "r=CLAMP?(r>0?(r<1?r:1):0):r;"
    f32 = f"{load}f32 r=fma_f32(x0,x1,x2);{unit}D0=B32(r);"
    low = f"{load}f32 r=fma_f32(x0,x1,x2);{unit}D0=insert(D0,15,0,B16((f16)r));"
    high = f"{load}f32 r=fma_f32(x0,x1,x2);{unit}D0=insert(D0,31,16,B16((f16)r));"
    return {
        f"v_{stem}_mix{kind}": body
        for stem in ("mad", "fma")
        for kind, body in (("_f32", f32), ("lo_f16", low), ("hi_f16", high))
    }


def _eight_bit() -> dict[str, str]:
    """Conversions to 8-bit floats; op_sel bit 3 (and 2) picks the half (byte) that is written."""
    rows = {}
    for t in ("fp8", "bf8"):
        rows[f"v_cvt_pk_{t}_f32"] = (
            f"u64 q=f32_to_{t}(F32(S0))|(u64)f32_to_{t}(F32(S1))<<8;"
            "D0=a->op_sel&8?insert(D0,31,16,q):insert(D0,15,0,q);"
        )
        # Sub-dword selection (CDNA) has put the byte at the bottom, the half everywhere; RDNA4
        # picks the byte by op_sel, whose bits are swapped.
        rows[f"v_cvt_f32_{t}"] = (
            f"u32 at=(a->op_sel&1)<<4|(a->op_sel&2)<<2;D0=B32({t}_to_f32((S0>>at)&255));"
        )
        rows[f"v_cvt_pk_f32_{t}"] = f"D0=B32({t}_to_f32(S0&255))|B32({t}_to_f32((S0>>8)&255))<<32;"
        rows[f"v_cvt_sr_{t}_f32"] = (
            f"u64 q=f32_to_{t}_random(F32(S0),(u32)S1);i32 at=(a->op_sel>>2&3)*8;"
            "D0=insert(D0,at+7,at,q);"
        )
    return rows


def _clamped() -> dict[str, str]:
    """Integer arithmetic whose CLAMP bit saturates."""
    rows: dict[str, str] = {}
    wrapped = "D0=CLAMP?({t})(z>{hi}?{hi}:z<{lo}?{lo}:z):({t})z;"
    types = {
        "u32": ("u32", "i64", "4294967295ll", "0ll"),
        "i32": ("i32", "i64", "2147483647ll", "-2147483648ll"),
        "u16": ("u16", "i32", "65535", "0"),
        "i16": ("i16", "i32", "32767", "-32768"),
    }
    for t, (c, wide, high, low) in types.items():
        x, y = f"({wide})({c})S0", f"({wide})({c})S1"
        unsigned = {"i32": "u32", "i16": "u16"}.get(t, c)
        end = f"D0=CLAMP?(u64)({unsigned})(z>{high}?{high}:z<{low}?{low}:z):(u64)({unsigned})z;"
        for stem, op in (("add", f"{x}+{y}"), ("sub", f"{x}-{y}"), ("subrev", f"{y}-{x}")):
            for name in (f"v_{stem}_{t}", f"v_{stem}_nc_{t}"):
                rows[name] = f"{wide} z={op};{end}"
    del wrapped
    for t in ("u16", "i16"):
        c, wide, high, low = types[t]
        for stem, op in (("add", "+"), ("sub", "-")):
            body = ""
            for half, shift in (("p", 0), ("q", 16)):
                body += (
                    f"i32 {half}=(i32)({c})(S0>>{shift}){op}(i32)({c})(S1>>{shift});"
                    f"{half}=CLAMP?({half}>{high}?{high}:{half}<{low}?{low}:{half}):{half};"
                )
            rows[f"v_pk_{stem}_{t}"] = body + "D0=(u64)(u16)p|(u64)(u16)q<<16;"
        pack = ""
        for half, shift in (("p", 0), ("q", 16)):
            pack += (
                f"i64 {half}=(i64)({c})(S0>>{shift})*({c})(S1>>{shift})+({c})(S2>>{shift});"
                f"{half}=CLAMP?({half}>{high}?{high}:{half}<{low}?{low}:{half}):{half};"
            )
        rows[f"v_pk_mad_{t}"] = pack + "D0=(u64)(u16)p|(u64)(u16)q<<16;"
    return rows


def _dots() -> dict[str, str]:
    """Dot products with an accumulator that CLAMP saturates (integers)."""
    rows: dict[str, str] = {}
    shapes = ((2, 16), (4, 8), (8, 4))
    for count, bits in shapes:
        for sign in ("i", "u"):
            terms = ""
            for k in range(count):
                up = 32 - bits * (k + 1)
                cast = "(i32)" if sign == "i" else ""
                x, y = (f"(i64)({cast}((u32){s}<<{up})>>{32 - bits})" for s in ("S0", "S1"))
                terms += f"z+={x}*{y};"
            start = "(i64)(i32)S2" if sign == "i" else "(i64)(u32)S2"
            high, low = (
                ("2147483647ll", "-2147483648ll") if sign == "i" else ("4294967295ll", "0ll")
            )
            rows[f"v_dot{count}_{sign}32_{sign}{bits}"] = (
                f"i64 z={start};{terms}D0=(u32)(CLAMP?(z>{high}?{high}:z<{low}?{low}:z):z);"
            )
    for first in ("fp8", "bf8"):
        for second in ("fp8", "bf8"):
            terms = "".join(
                f"z+={first}_to_f32((S0>>{8 * k})&255)*{second}_to_f32((S1>>{8 * k})&255);"
                for k in range(4)
            )
            rows[f"v_dot4_f32_{first}_{second}"] = f"f32 z=F32(S2);{terms}D0=B32(z);"
    # RDNA3: each operand's signedness comes from its NEG bit.
    for count, bits in ((4, 8), (8, 4)):
        terms = ""
        for k in range(count):
            up = 32 - bits * (k + 1)
            x, y = (
                f"(i64)(a->neg>>{j}&1?(i32)((u32)S{j}<<{up})>>{32 - bits}"
                f":(i32)(((u32)S{j}<<{up})>>{32 - bits}))"
                for j in (0, 1)
            )
            terms += f"z+={x}*{y};"
        rows[f"v_dot{count}_i32_iu{bits}"] = (
            f"i64 z=(i64)(i32)S2;{terms}"
            "D0=(u32)(CLAMP?(z>2147483647ll?2147483647ll:z<-2147483648ll?-2147483648ll:z):z);"
        )
    return rows


def _table_lookup() -> dict[str, str]:
    """V_BITOP3: any function of three bits, given by its truth table."""
    text = (
        "u32 x=(u32)S0,y=(u32)S1,z=(u32)S2,r=0;"
        "for(int k=0;k<8;k++)r|=(a->table>>k&1)?((k&4?x:~x)&(k&2?y:~y)&(k&1?z:~z)):0;"
    )
    return {"v_bitop3_b32": text + "D0=r;", "v_bitop3_b16": text + "D0=r&0xffff;"}


BODIES = _rows()
"""Mnemonic -> C of one lane."""

CLAMPS_ITSELF = frozenset(name for name, body in BODIES.items() if "CLAMP" in body)
"""Bodies that honour the CLAMP bit, so that the float clamp must not be applied as well."""
