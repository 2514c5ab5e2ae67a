"""Flattening leaves scalars and memory references, and refuses what has no such form."""

import pytest

from crossport.diagnostics import Code, PortError
from crossport.ir.lift import flat
from crossport.ir.lift.prepare import prepare
from crossport.ir.parser import parse_module


def flatten(text: str) -> flat.Program:
    module = parse_module(text)
    return prepare(module, module.kernels[0])


def kinds(program: flat.Program, kind: type) -> list[flat.Statement]:
    return [s for s in flat.statements(program.body) if isinstance(s, kind)]


def test_a_member_behind_a_pointer_is_an_element_of_its_scalars() -> None:
    program = flatten("""
struct P size 8 align 4 {
  x: f32 @0
  v: f32 @4
}
kernel k(p: P*, i: i32) {
  p[i].v = p[i].x
}
""")
    (load,), (store,) = kinds(program, flat.Load), kinds(program, flat.Store)
    assert isinstance(load, flat.Load) and isinstance(store, flat.Store)
    assert load.ref.unit == store.ref.unit == 4
    assert load.ref.root.name == store.ref.root.name == "p"


def test_a_reference_to_a_local_is_the_local() -> None:
    program = flatten("""
function twice(v: f32*) -> void {
  v[0] = (v[0] * 2.0f)
}
kernel k(y: f32*) {
  let a: f32 = y[0]
  call twice(&a)
  y[0] = a
}
""")
    assert len(kinds(program, flat.Load)) == 1
    assert len(kinds(program, flat.Store)) == 1


def test_an_early_return_becomes_nesting() -> None:
    program = flatten("""
kernel k(y: f32*, n: i32) {
  let i: i32 = (%thread.x as i32)
  if (i >= n) {
    return
  }
  y[i] = 1.0f
}
""")
    assert not kinds(program, flat.Leave)
    (branch,) = kinds(program, flat.Branch)
    assert isinstance(branch, flat.Branch)
    assert branch.otherwise and not branch.then


def test_the_arm_of_a_choice_that_is_not_taken_does_not_read() -> None:
    program = flatten("""
kernel k(x: const f32*, y: f32*, n: i32) {
  let i: i32 = (%thread.x as i32)
  y[i] = ((i < n) ? x[i] : 0.0f)
}
""")
    (load,) = kinds(program, flat.Load)
    assert isinstance(load, flat.Load)
    assert load.guard is not None


def test_a_call_at_the_end_of_itself_needs_no_stack() -> None:
    program = flatten("""
function f(n: i32) -> i32 {
  let r: i32
  r = call f((n - 1))
  return r
}
kernel k(y: i32*) {
  let r: i32
  r = call f(3)
  y[0] = r
}
""")
    assert not program.failure and not program.locals


def test_two_calls_of_itself_need_a_stack_that_may_be_too_small() -> None:
    program = flatten("""
function f(n: i32) -> i32 {
  if (n < 2) {
    return 1
  }
  let a: i32
  a = call f((n - 1))
  let b: i32
  b = call f((n - 2))
  return (a + b)
}
kernel k(y: i32*) {
  let r: i32
  r = call f(3)
  y[0] = r
}
""")
    assert program.failure
    assert program.parameters[-1].name == "failure"
    assert {r.space for r in program.locals} == {"local"}


def test_a_lock_is_refused() -> None:
    with pytest.raises(PortError) as caught:
        flatten("""
kernel k(lock: i32*) {
  let old: i32 = 1
  while (old != 0) {
    old = atomic.cas.device(lock[0], 0, 1)
  }
}
""")
    assert caught.value.diagnostic.code == Code.CROSS_THREAD_WAIT


TABLE = """
kernel k(table: i32*, n: i32) {
  let h: i32 = 0
  let old: i32 = 1
  while (old != 0) {
    old = atomic.cas.device(table[h], 0, 1)
    h = ((h + 1) & n)
  }
%s}
"""


def test_probing_for_a_free_place_is_no_wait() -> None:
    flatten(TABLE % "")


def test_probing_for_a_lock_that_is_given_back_is_refused() -> None:
    with pytest.raises(PortError) as caught:
        flatten(TABLE % "  table[h] = 0\n")
    assert caught.value.diagnostic.code == Code.CROSS_THREAD_WAIT


@pytest.mark.parametrize(
    ("condition", "step", "is_counted"),
    [
        ("((t < n) && (old != 0))", "t = (t + 1)", True),
        ("((t < n) && (old != 0))", "t = (t + old)", False),
        ("((t < n) || (old != 0))", "t = (t + 1)", False),
        ("((t < n) && (old != 0))", "if (old == 2) { t = (t + 1) }", False),
    ],
)
def test_a_counted_loop_ends_whatever_others_do(
    condition: str, step: str, is_counted: bool
) -> None:
    text = f"""
kernel k(lock: i32*, n: i32) {{
  let old: i32 = 1
  let t: i32 = 0
  while {condition} {{
    old = atomic.cas.device(lock[0], 0, 1)
    {step}
  }}
}}
"""
    if is_counted:
        flatten(text)
    else:
        with pytest.raises(PortError) as caught:
            flatten(text)
        assert caught.value.diagnostic.code == Code.CROSS_THREAD_WAIT


def test_a_retry_of_what_was_just_read_is_not() -> None:
    flatten("""
kernel k(x: i32*) {
  let old: i32 = x[0]
  let seen: i32 = (old + 1)
  while (seen != old) {
    seen = old
    old = atomic.cas.device(x[0], seen, (seen + 3))
  }
}
""")
