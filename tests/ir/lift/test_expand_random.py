"""The library's generators give the interpreter's numbers, bit by bit; and normal ones nearly."""

import numpy as np
import pytest

from crossport.ir.interpreter import run
from crossport.ir.lift.expand_random import expand_random
from crossport.ir.lift.library import library
from crossport.ir.parser import parse_module

STATES = {"xorwow": "curandStateXORWOW", "philox": "curandStatePhilox4_32_10"}
LANES = 40


def draws(generator: str, draw: str, expand: bool) -> list[np.ndarray]:
    """Twelve draws a thread, thread t from sequence t * t and offset 5 * t; and the state after."""
    state = f"handle`{STATES[generator]}`"
    kind = "u32" if draw == "curand" else "f32"
    module = parse_module(f"""
kernel k(states: {state}*, out: {kind}*, seed: u64) {{
  let i: u32 = %thread.x
  let s: {state}
  effect curand_init(seed, (((i * i) * i) as u64), ((5u32 * i) as u64), &s)
  let round: i32 = 0
  for (round < 12) {{
    let x: {kind}
    x = effect {draw}(&s)
    out[((i * 12u32) + (round as u32))] = x
  }} step {{
    round = (round + 1)
  }}
  states[i] = s
}}
""")
    if expand:
        module = expand_random(module)
    words = 12 if generator == "xorwow" else 16
    states = np.zeros(LANES * words, np.uint32)
    out = np.zeros(LANES * 12, np.uint32 if draw == "curand" else np.float32)
    seed = 0x123456789ABCDEF
    run(module, "k", 1, LANES, [states, out, seed])
    return [out, states]


@pytest.mark.parametrize("draw", ["curand", "curand_uniform"])
@pytest.mark.parametrize("generator", STATES)
def test_integers_and_uniform_numbers_are_the_same(generator: str, draw: str) -> None:
    for mine, its in zip(
        draws(generator, draw, True), draws(generator, draw, False), strict=True
    ):  # fmt: skip
        np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize("generator", STATES)
def test_normal_numbers_agree_to_rounding(generator: str) -> None:
    mine, _ = draws(generator, "curand_normal", True)
    its, _ = draws(generator, "curand_normal", False)
    np.testing.assert_allclose(mine, its, rtol=2e-5, atol=2e-6)


def test_a_module_without_curand_stays_the_same_object() -> None:
    module = parse_module("kernel k(x: f32*) {\n  x[0] = 1.0f\n}\n")
    assert expand_random(module) is module


def test_find_nth_set_is_fns() -> None:
    module = parse_module("""
kernel theirs(out: u32*, mask: u32, base: u32) {
  out[%thread.x] = __fns:u32(mask, base, ((%thread.x as i32) - 33))
}
""")
    name = "library::find_nth_set"
    mine = parse_module(f"""
kernel mine(out: u32*, mask: u32, base: u32) {{
  let found: u32
  found = call `{name}`(mask, base, ((%thread.x as i32) - 33))
  out[%thread.x] = found
}}
""")
    from dataclasses import replace

    mine = replace(mine, functions=(*mine.functions, library().function(name)))
    for mask, base in ((0xF0F05, 0), (0x80000001, 31), (0, 3), (0xFFFFFFFF, 9), (0x5A, 40)):
        a, b = np.zeros(67, np.uint32), np.zeros(67, np.uint32)
        run(module, "theirs", 1, 67, [a, mask, base])
        run(mine, "mine", 1, 67, [b, mask, base])
        np.testing.assert_array_equal(a, b)
