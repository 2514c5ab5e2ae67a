"""Facts about device functions that CUDA has and HIP's headers lack, and what stands for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A function and its stand-in. `polyfill`: the file of polyfill/ that defines it, if any.

    `is_partial`: HIP's headers name the function, but do not declare it for all that CUDA's takes.
    """

    cuda: str
    hip: str
    polyfill: str = ""
    is_partial: bool = False


_ROUNDINGS = {"rd": "rtn", "ru": "rtp", "rz": "rtz"}
_ATOMICS = ("Add", "Sub", "Exch", "Min", "Max", "Inc", "Dec", "CAS", "And", "Or", "Xor")

ROWS = (
    # Directed rounding: HIP's headers hide their names, ROCm's device library has the functions.
    *(
        DeviceRow(
            f"__{letter}{operation}_{cuda}", f"__ocml_{operation}_{ocml}_f{bits}", is_partial=True
        )
        for letter, bits in (("f", 32), ("d", 64))
        for operation in ("add", "sub", "mul")
        for cuda, ocml in _ROUNDINGS.items()
    ),
    *(
        DeviceRow(f"{name}_{cuda}", f"__ocml_fma_{ocml}_f{bits}", is_partial=True)
        for name, bits in (("__fmaf", 32), ("__fma", 64))
        for cuda, ocml in _ROUNDINGS.items()
    ),
    # HIP's are plain operators, and its compiler fuses those of different statements.
    *(
        DeviceRow(f"__{operation}_rn", f"crossport_{operation}_rn", "unfused.h", is_partial=True)
        for operation in ("fmul", "fadd", "fsub", "dmul", "dadd", "dsub")
    ),
    # The scope of the device holds that of a block.
    *(DeviceRow(f"atomic{name}_block", f"atomic{name}") for name in _ATOMICS),
    DeviceRow("umin", "crossport_umin", "integer_min_max.h"),
    DeviceRow("umax", "crossport_umax", "integer_min_max.h"),
    DeviceRow("llmin", "crossport_llmin", "integer_min_max.h"),
    DeviceRow("llmax", "crossport_llmax", "integer_min_max.h"),
    DeviceRow("ullmin", "crossport_ullmin", "integer_min_max.h"),
    DeviceRow("ullmax", "crossport_ullmax", "integer_min_max.h"),
    DeviceRow("fdivide", "crossport_fdivide", "fdivide.h"),
    DeviceRow("__float2bfloat16_rn", "__float2bfloat16"),
    DeviceRow("__hadd_rn", "__hadd"),
    DeviceRow("__hsub_rn", "__hsub"),
    DeviceRow("__hmul_rn", "__hmul"),
    DeviceRow("__hadd2_rn", "__hadd2"),
    DeviceRow("__hsub2_rn", "__hsub2"),
    DeviceRow("__hmul2_rn", "__hmul2"),
    DeviceRow("__trap", "__builtin_trap"),
    DeviceRow("__brkpt", "__builtin_debugtrap"),
    DeviceRow("__dp4a", "crossport_dp4a", "dp4a.h"),
    DeviceRow("__dp2a_lo", "crossport_dp2a_lo", "dp2a.h"),
    DeviceRow("__dp2a_hi", "crossport_dp2a_hi", "dp2a.h"),
    DeviceRow("__stcs", "crossport_store", "store_hint.h"),
    DeviceRow("__stcg", "crossport_store", "store_hint.h"),
    DeviceRow("__stwb", "crossport_store", "store_hint.h"),
    DeviceRow("__stwt", "crossport_store", "store_hint.h"),
    DeviceRow("__ldlu", "crossport_load", "load_hint.h"),
    DeviceRow("__ldcs", "crossport_load", "load_hint.h", is_partial=True),
    DeviceRow("__ldca", "crossport_load", "load_hint.h", is_partial=True),
    DeviceRow("__ldcg", "crossport_load_fresh", "load_hint.h", is_partial=True),
    DeviceRow("__ldcv", "crossport_load_fresh", "load_hint.h"),
    DeviceRow("CubDebugExit", "crossport_cub_debug_exit", "cub_debug.h"),
    DeviceRow("htanh", "crossport_htanh", "half_tanh.h"),
    DeviceRow("h2tanh", "crossport_h2tanh", "half_tanh.h"),
    DeviceRow("htanh_approx", "crossport_htanh", "half_tanh.h"),
    DeviceRow("h2tanh_approx", "crossport_h2tanh", "half_tanh.h"),
    DeviceRow("__internal_bfloat162float", "__bfloat162float"),
    DeviceRow("make_bfloat162", "crossport_make_bfloat162", "bf16_pair.h"),
    DeviceRow("__float2bfloat162_rn", "crossport_float2bfloat162", "bf16_pair.h"),
    DeviceRow("__floats2bfloat162_rn", "crossport_floats2bfloat162", "bf16_pair.h"),
    DeviceRow("__bfloat162int_rn", "crossport_bfloat162int_rn", "bf16_integer.h"),
    DeviceRow("__bfloat162int_rz", "crossport_bfloat162int_rz", "bf16_integer.h"),
    DeviceRow("__bfloat162uint_rn", "crossport_bfloat162uint_rn", "bf16_integer.h"),
    DeviceRow("__bfloat162uint_rz", "crossport_bfloat162uint_rz", "bf16_integer.h"),
)

# What HIP's headers name, but do not declare in an ordinary build.
UNAVAILABLE = frozenset(
    f"__{operation}_{rounding}"
    for operation in ("fdiv", "ddiv", "fsqrt", "dsqrt", "frcp", "drcp")
    for rounding in _ROUNDINGS
)

# Functions that CUDA's headers declare for the host as well, and HIP's for the device only.
HOST_MATH = {b"rsqrtf": "host_math.h", b"rsqrt": "host_math.h"}

# What nvcc's own include of math.h puts into the global namespace; HIP puts the device's there.
MATH_CLASSIFICATION = frozenset(b"isfinite isinf isnan isnormal signbit fpclassify".split())


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A member of cooperative_groups that HIP lacks, and its stand-in, defined by `polyfill`.

    `header`: the one of CUDA's that declares it, without which an unqualified name is another's.
    """

    cuda: str
    polyfill: str
    header: str

    @property
    def hip(self) -> str:
        """The name of the stand-in."""
        return f"crossport_{self.cuda}"


_REDUCE = "cooperative_groups/reduce.h"
_SCAN = "cooperative_groups/scan.h"
_COPY = "cooperative_groups/memcpy_async.h"
# What all of them stand on.
GROUP_BASE = "group_base.h"
GROUP_MEMBERS = tuple(
    GroupRow(name, polyfill, header)
    for polyfill, header, names in (
        ("group_reduce.h", _REDUCE, "reduce"),
        (GROUP_BASE, _REDUCE, "plus less greater bit_and bit_or bit_xor"),
        ("group_scan.h", _SCAN, "inclusive_scan exclusive_scan"),
        ("group_copy.h", _COPY, "memcpy_async wait wait_prior"),
        ("group_labels.h", "cooperative_groups.h", "labeled_partition"),
    )
    for name in names.split()
)
