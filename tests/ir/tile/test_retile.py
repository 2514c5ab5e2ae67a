"""A kernel is freed from its block shape where only the global index matters."""

from ir.tile.kernels import found, program

from crossport.ir.lift import flat
from crossport.ir.tile.retile import FreeShape, retile

INDEX = "(((%block.x * %block_dim.x) + %thread.x) as i32)"


def strided(body: str) -> flat.Program:
    text = f"""
  let i: i32 = {INDEX}
  for (i < n) {{
    {body}
  }} step {{
    i = (i + ((%block_dim.x * %grid_dim.x) as i32))
  }}
"""
    return program(text)


def test_the_global_index_frees_the_block() -> None:
    shape = retile(program(f"  y[{INDEX}] = x[{INDEX}]"))
    assert isinstance(shape, FreeShape)
    assert shape.axes == ("x",)


def test_the_place_in_the_block_does_not() -> None:
    assert isinstance(retile(program("  y[(%thread.x as i32)] = x[(%thread.x as i32)]")), str)


def test_a_constant_for_the_block_size_is_required_of_launches() -> None:
    index = "(((%block.x * 128u32) + %thread.x) as i32)"
    shape = retile(program(f"  y[{index}] = x[{index}]"))
    assert isinstance(shape, FreeShape)
    assert shape.required == {"x": 128}


def test_an_independent_grid_stride_loop_becomes_one_round() -> None:
    source = strided("y[i] = (x[i] + y[i])")
    shape = retile(source)
    assert isinstance(shape, FreeShape)
    assert len(shape.bounds) == 1
    assert not found(source, flat.Loop)


def test_a_loop_that_carries_a_value_stays_a_loop() -> None:
    text = f"""
  let i: i32 = {INDEX}
  let total: f32 = 0.0f
  for (i < n) {{
    total = (total + x[i])
    y[i] = total
  }} step {{
    i = (i + ((%block_dim.x * %grid_dim.x) as i32))
  }}
"""
    source = program(text)
    shape = retile(source)
    assert isinstance(shape, FreeShape)
    assert shape.bounds == ()
    assert found(source, flat.Loop)


def test_a_loop_that_reads_what_another_round_writes_stays_a_loop() -> None:
    source = strided("y[i] = y[(i + 1)]")
    retile(source)
    assert found(source, flat.Loop)


def test_threads_that_wait_for_each_other_keep_their_block() -> None:
    assert isinstance(retile(program(f"  barrier()\n  y[{INDEX}] = 1.0f")), str)
