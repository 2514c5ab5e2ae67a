"""The words a generated module may use. What is not listed is refused, not the other way round.

    torch.empty     allocates: listed          torch.matmul     computes: not listed

One table a place: what may be imported, what may be called of each library, what may be asked of a
tensor, which built-in functions are at hand. All of it is for allocating, viewing, launching and
saying what does not fit; the computing is the kernels'.
"""

from __future__ import annotations

from typing import Literal

Target = Literal["triton", "pallas"]

# Full name -> the names it may be bound to; None: any.
IMPORTS: dict[Target, frozenset[str]] = {
    "triton": frozenset(
        {
            "torch", "triton", "triton.language", "math", "numpy", "statistics",
            "triton.language.extra.libdevice", "triton.runtime.interpreter.TensorHandle",
            "__future__.annotations",
        }
    ),
    "pallas": frozenset(
        {
            "jax", "jax.numpy", "jax.lax", "jax.experimental.pallas", "functools", "inspect",
            "math", "numpy",
            "jax.experimental.pallas.tpu", "jax.experimental.pallas.triton",
            "functools.partial", "__future__.annotations",
        }
    ),
}  # fmt: skip

_TYPES = (
    "bool uint8 int8 int16 uint16 int32 uint32 int64 uint64 float16 bfloat16 float32 float64 "
    "half float double int long short dtype iinfo finfo inf nan pi"
).split()

# Of each library, by the full name of the module.
OF_MODULE: dict[str, frozenset[str]] = {
    "torch": frozenset(
        [
            *_TYPES, "empty", "zeros", "ones", "full", "tensor", "empty_like", "zeros_like",
            "full_like", "arange", "Tensor", "device", "numel", "uint8",
        ]
    ),
    "triton": frozenset(
        "jit cdiv next_power_of_2 autotune heuristics Config language knobs".split()
    ),
    "triton.language": frozenset(
        (
            "abs advance arange argmax argmin associative_scan atomic_add atomic_and atomic_cas "
            "atomic_max atomic_min atomic_or atomic_xchg atomic_xor bfloat16 block_type "
            "broadcast broadcast_to cast cat cdiv ceil clamp const constexpr cos cumprod cumsum "
            "debug_barrier div_rn dot dot_scaled dtype erf exp exp2 expand_dims fdiv flip float16 "
            "float32 float64 float8e4nv float8e5 floor fma full gather histogram int1 int16 int32 "
            "int64 int8 interleave join load log log2 make_block_ptr max max_constancy "
            "max_contiguous maximum min minimum multiple_of num_programs permute pi32_t "
            "pointer_type program_id rand randint randint4x randn ravel reduce reduce_or reshape "
            "rsqrt sigmoid sin softmax sort split sqrt sqrt_rn static_assert static_range store "
            "sum swizzle2d tensor topk trans uint16 uint32 uint64 uint8 umulhi view void where "
            "xor_sum zeros zeros_like range math make_tensor_descriptor"
        ).split()
    ),
    "jax": frozenset(
        [
            "ShapeDtypeStruct", "enable_x64", "jit", "vmap", "Array", "numpy", "lax",
            "named_call", "named_scope", "typing", "tree_util",
        ]
    ),
    "jax.lax": frozenset(
        (
            "abs acos acosh add argmax argmin asin asinh associative_scan atan atan2 atanh "
            "bessel_i0e bessel_i1e bitcast_convert_type bitwise_and bitwise_not bitwise_or "
            "bitwise_xor broadcast broadcast_in_dim broadcasted_iota cbrt ceil clamp clz collapse "
            "concatenate cond conv_dimension_numbers conv_general_dilated convert_element_type "
            "cos cosh cummax cummin cumprod cumsum digamma div dot dot_general "
            "DotDimensionNumbers dynamic_index_in_dim dynamic_slice dynamic_slice_in_dim "
            "dynamic_update_index_in_dim dynamic_update_slice eq erf erf_inv erfc exp exp2 "
            "expand_dims expm1 floor fori_loop full full_like gather GatherDimensionNumbers ge "
            "gt igamma imag integer_pow iota is_finite le lgamma log log1p logistic lt map max "
            "min mul ne neg nextafter not_ pad population_count pow Precision real reciprocal "
            "reduce reduce_and reduce_max reduce_min reduce_or reduce_precision reduce_prod "
            "reduce_sum reduce_window rem reshape rev round rsqrt scan scatter scatter_add "
            "scatter_max scatter_min ScatterDimensionNumbers select select_n shift_left "
            "shift_right_arithmetic shift_right_logical sign sin sinh slice slice_in_dim sort "
            "sort_key_val sqrt square squeeze stop_gradient sub switch tan tanh top_k transpose "
            "while_loop zeros_like_array"
        ).split()
    ),
    "jax.experimental.pallas": frozenset(
        (
            "BlockSpec BoundedSlice ds dslice GridSpec cdiv debug_check Element Squeezed "
            "load multiple_of num_programs pallas_call program_id store when Slice run_scoped "
            "swap atomic_add atomic_and atomic_cas atomic_max atomic_min atomic_or atomic_xchg "
            "atomic_xor loop core_map strides_from_shape next_power_of_2"
        ).split()
    ),
    "jax.experimental.pallas.tpu": frozenset(
        (
            "ANY CompilerParams SMEM VMEM SemaphoreType PrefetchScalarGridSpec MemorySpace "
            "GridDimensionSemantics async_copy make_async_copy bitcast repeat roll "
            "PARALLEL ARBITRARY HBM"
        ).split()
    ),
    "jax.experimental.pallas.triton": frozenset("CompilerParams approx_tanh debug_barrier".split()),
    "math": frozenset(
        "ceil floor log log2 sqrt prod gcd inf nan pi e exp isqrt copysign ldexp erf".split()
    ),
    "functools": frozenset({"partial", "reduce"}),
    "functools.partial": frozenset(),
    "inspect": frozenset(),  # For the helper that crossport prints.
    # Constants and types; arrays of NumPy are the host's.
    "numpy": frozenset([*_TYPES, "float16", "bool_", "prod", "newaxis", "e", "integer", "number"]),
}  # fmt: skip

# jax.numpy is the device's language: all but what reads files, looks at memory or calls back.
NOT_OF_JAX_NUMPY = frozenset(
    "load save savez fromfile frombuffer fromstring from_dlpack vectorize frompyfunc linalg fft "
    "fromfunction fromiter set_printoptions printoptions apply_along_axis apply_over_axes "
    "array_repr array_str ndarray ufunc block_until_ready".split()
)

# What host code of a Triton module may ask of a tensor, a device or a table.
OF_TENSOR = frozenset(
    "numel element_size itemsize is_contiguous contiguous reshape view flatten ravel squeeze "
    "unsqueeze dtype device shape ndim dim stride size storage_offset to globals join get items "
    "keys values format append".split()
)
# What a value in a kernel may be asked.
IN_KERNEL = frozenset(
    "to dtype shape is_int_signed is_floating is_int is_fp16 is_fp32 is_bf16 primitive_bitwidth "
    "element_ty scalar type value T reshape broadcast_to expand_dims trans permute sum max min "
    "abs cast load store gather atomic_add numel".split()
)
# What a JAX array, a reference or a result of one may be asked.
OF_JAX = frozenset(
    "astype reshape at set add subtract multiply mul divide power max min apply get sum prod mean "
    "any all size shape dtype itemsize ndim T transpose swapaxes ravel flatten squeeze view "
    "globals join argmax argmin cumsum cumprod clip round sort copy real imag start wait DMA "
    "dot var std reduce accumulate items keys values format append HIGHEST HIGH DEFAULT float32 "
    "bits".split()
)

BUILTINS = frozenset(
    "abs all any bool divmod enumerate float hasattr int isinstance len list max min range "
    "reversed round slice sorted str sum tuple zip dict set frozenset complex bytes "
    "ValueError TypeError NotImplementedError AssertionError RuntimeError "
    "staticmethod True False None".split()
)
