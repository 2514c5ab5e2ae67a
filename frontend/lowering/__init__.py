"""AST -> thread IR: `lower_unit(unit)` for a file, `lower_kernel(unit, name)` for one kernel."""

from crossport.frontend.lowering.unit import Problem, lower_kernel, lower_unit, problems

__all__ = ["Problem", "lower_kernel", "lower_unit", "problems"]
