"""The translator of AMD's pseudocode, and the decoder, on known texts and known bytes."""

import pytest

pytest.importorskip("tinygrad")

from amdgpu_encoding import tables

from crossport.validation.amdgpu.pseudocode import Untranslatable, translate

OPERANDS = {"S0": "b32", "S1": "b32", "S2": "b64", "D0": "b64"}


@pytest.mark.parametrize(
    ("text", "c"),
    (
        ("D0.f32 = S0.f32 + S1.f32", "D0=B32(((F32((u64)(S0)))+(F32((u64)(S1)))));"),
        ("D0.u32 = ~S0.u32", "D0=(u64)((~(((u32)((u64)(S0))))));"),
        ("SCC = S0.u32 != 0U", "SCC=((((((u32)((u64)(S0))))!=(0u)))!=0);"),
        ("D0.u64[laneId] = S0.i32 <> S1.i32", "less_or_greater("),
        ("D0[15 : 0].f16 = S0.f16", "D0=insert(D0,15,0,B16(F16((u64)(S0))));"),
        ("if SCC then\nD0.b32 = S0.b32\nendif", "if(SCC){D0="),
        ("tmp = 0U;\nfor i in 0 : 31 do\ntmp[i] = S0.u32[31 - i]\nendfor", "for(i32 i=(i32)(0);"),
        ("D0.u32 = (S0.u32 << S1[4 : 0].u32)", "shl_u32("),
        ("if 64'F(S0.f32) == -0.0 then\nD0.f32 = 0.0F\nendif", "is_zero_f64("),
        ("D0.f32 = 32'F(0xffc00000)", "D0=B32(F32((u64)(4290772992u)));"),
    ),
)
def test_statement(text: str, c: str) -> None:
    body = translate(text, OPERANDS)
    assert c in body.text or c == body.text, body.text


def test_uses() -> None:
    assert translate("D0.u32 = VCC.u64[laneId] ? S1.u32 : S0.u32", OPERANDS).uses == {"CARRY_IN"}
    carry = translate("VCC.u64[laneId] = S1.u32 > S0.u32 ? 1'1U : 1'0U", OPERANDS)
    assert carry.uses == {"LANE_BIT"}
    assert "EXEC_WRITTEN" in translate("EXEC.u64 = S0.u64", OPERANDS).uses


@pytest.mark.parametrize(
    "text",
    (
        "PC = S0.i64",
        "M0[7 : 0] = S0.u32[7 : 0].b8",
        "VSKIP = S0.u32[S1.u32[4 : 0]]",
        "D = A (16x32) * B (32x16)",
        "HW_REGISTERS[x] = 1",
        "D0.u32 = f(S0)",
        "D0.u32 =",
        "VGPR[lane][SRC0.u32] = S0",
        "D0.f32 = S0.f32 +",
    ),
)
def test_what_has_no_meaning_is_refused(text: str) -> None:
    with pytest.raises(Untranslatable):
        translate(text, OPERANDS)


@pytest.mark.parametrize(
    ("arch", "code", "name", "size", "fields"),
    (
        # Encodings as LLVM's assembler gives them.
        ("gfx942", "02030402", "v_add_f32", 4, {"src0": 258, "vsrc1": 1, "vdst": 2}),
        ("gfx942", "0000 81bf", "s_endpgm", 4, {"simm16": 0}),
        ("gfx942", "0000 8abf", "s_barrier", 4, {}),
        ("gfx942", "ff0080be 78563412", "s_mov_b32", 8, {"sdst": 0}),
        ("gfx942", "00 80 50 dc 02 00 00 04", "global_load_dword", 8, {"saddr": 0, "vdst": 4}),
        ("gfx1100", "0000b0bf", "s_endpgm", 4, {}),
    ),
)
def test_decoding(arch: str, code: str, name: str, size: int, fields: dict[str, int]) -> None:
    instruction = tables(arch).decode(bytes.fromhex(code), 0)
    assert (instruction.name, instruction.size) == (name, size)
    assert {k: instruction.fields[k] for k in fields} == fields
