"""Which header names a CUDA source may include, and which part of the shim stands for each.

    <vector>, <cuda_runtime.h>     ->  nothing to do: prelude.h has declared it all
    <cub/cub.cuh>                  ->  libraries/cub.h

The names become one-line files in a folder of the cache (parse.py asks for it), so that the shim
itself stays a few readable files.
"""

from __future__ import annotations

# Declared by prelude.h before the first line of a source.
_PRELUDE = """
algorithm any array atomic bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes
climits clocale cmath codecvt compare complex concepts condition_variable csetjmp csignal
cstdalign cstdarg cstdbool cstddef cstdint cstdio cstdlib cstring ctime cwchar deque exception
execution experimental/filesystem filesystem forward_list fstream functional future
initializer_list iomanip ios iosfwd iostream istream iterator limits list locale map memory
memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex
scoped_allocator set shared_mutex source_location span sstream stack stdexcept streambuf string
string_view system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set
utility valarray variant vector version ext/numeric ext/algorithm bits/stdc++.h tr1/functional
alloca.h arpa/inet.h assert.h complex.h ctype.h dirent.h dlfcn.h errno.h error.h execinfo.h
fcntl.h features.h fenv.h float.h getopt.h immintrin.h x86intrin.h xmmintrin.h emmintrin.h
intrin.h inttypes.h iso646.h libgen.h limits.h linux/limits.h locale.h malloc.h math.h memory.h
netinet/in.h omp.h pthread.h pwd.h sched.h semaphore.h setjmp.h signal.h stdalign.h stdarg.h
stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h sys/file.h sys/ioctl.h sys/ipc.h
sys/mman.h sys/param.h sys/resource.h sys/select.h sys/shm.h sys/socket.h sys/stat.h sys/syscall.h
sys/sysinfo.h sys/time.h sys/timeb.h sys/times.h sys/types.h sys/uio.h sys/utsname.h sys/wait.h
termios.h time.h unistd.h values.h wchar.h builtin_types.h channel_descriptor.h common_functions.h
crt/device_functions.h crt/host_defines.h crt/math_functions.h crt/sm_70_rt.h
cuda_device_runtime_api.h cuda_profiler_api.h cudaProfiler.h cuda_runtime.h cuda_runtime_api.h
cuda_surface_types.h cuda_texture_types.h cuda_vdpau_interop.h device_atomic_functions.h
device_double_functions.h device_functions.h device_launch_parameters.h device_types.h
driver_functions.h driver_types.h host_config.h host_defines.h math_constants.h math_functions.h
math_functions.hpp sm_20_atomic_functions.h sm_20_intrinsics.h sm_30_intrinsics.h
sm_32_atomic_functions.h sm_32_intrinsics.h sm_35_atomic_functions.h sm_35_intrinsics.h
sm_60_atomic_functions.h sm_61_intrinsics.h surface_functions.h surface_indirect_functions.h
surface_types.h texture_fetch_functions.h texture_indirect_functions.h texture_types.h
vector_functions.h vector_functions.hpp vector_types.h cuda_gl_interop.h
"""

# Shim part -> the names that bring it in.
_PARTS = {
    "cuda/half.h": "cuda_fp16.h cuda_fp16.hpp cuda_bf16.h cuda_bf16.hpp",
    "cuda/fp8.h": "cuda_fp8.h cuda_fp6.h cuda_fp4.h cuda_fp8.hpp",
    "cuda/cooperative_groups.h": "cooperative_groups.h cooperative_groups/reduce.h"
    " cooperative_groups/scan.h cooperative_groups/memcpy_async.h",
    "cuda/wmma.h": "mma.h crt/mma.h",
    "cuda/driver.h": "cuda.h nvrtc.h cudaTypedefs.h nvJitLink.h cuda_egl_interop.h",
    "cuda/cuda_std.h": """
        cuda/atomic cuda/barrier cuda/pipeline cuda/semaphore cuda/latch cuda/functional cuda/ptx
        cuda/annotated_ptr cuda/access_property cuda/cmath cuda/memory_resource cuda/stream_ref
        cuda/std/array cuda/std/atomic cuda/std/barrier cuda/std/bit cuda/std/cassert
        cuda/std/chrono cuda/std/climits cuda/std/cmath cuda/std/complex cuda/std/concepts
        cuda/std/cstddef cuda/std/cstdint cuda/std/functional cuda/std/iterator cuda/std/limits
        cuda/std/optional cuda/std/span cuda/std/tuple cuda/std/type_traits cuda/std/utility
        cuda/std/version cuda_pipeline.h cuda_pipeline_primitives.h cuda_awbarrier.h nv/target
    """,
    "libraries/blas.h": """
        cublas.h cublas_v2.h cublas_api.h cublasLt.h cublasXt.h cuComplex.h cufft.h cufftw.h
        cufftXt.h curand.h cusparse.h cusparse_v2.h cusparseLt.h cusolverDn.h cusolverSp.h
        cusolverMg.h cusolver_common.h cusolverRf.h cudnn.h cudnn_v8.h cudnn_version.h nccl.h
        library_types.h nvml.h nvToolsExt.h nvToolsExtCuda.h nvToolsExtCudaRt.h nvtx3/nvToolsExt.h
        nvtx3/nvToolsExtCuda.h nvtx3/nvToolsExtCudaRt.h nvtx3/nvtx3.hpp cutensor.h nvjpeg.h npp.h
    """,
    "libraries/curand_kernel.h": "curand_kernel.h curand_mtgp32_host.h curand_mtgp32_kernel.h"
    " curand_mtgp32dc_p_11213.h curand_normal.h curand_uniform.h curand_philox4x32_x.h",
    "libraries/mpi.h": "mpi.h",
    "libraries/samples.h": "helper_cuda.h helper_functions.h helper_timer.h helper_string.h"
    " helper_image.h exception.h helper_cuda_drvapi.h cutil.h cutil_inline.h",
    "libraries/torch.h": """
        torch/extension.h torch/torch.h torch/all.h torch/types.h torch/script.h torch/library.h
        torch/python.h torch/cuda.h torch/serialize/tensor.h ATen/ATen.h ATen/Dispatch.h
        ATen/Tensor.h ATen/TensorUtils.h ATen/AccumulateType.h ATen/OpMathType.h ATen/Type.h
        ATen/cuda/CUDAContext.h ATen/cuda/CUDAContextLight.h ATen/cuda/Exceptions.h
        ATen/cuda/CUDAEvent.h ATen/cuda/Atomic.cuh ATen/cuda/NumericLimits.cuh
        ATen/cuda/DeviceUtils.cuh ATen/core/TensorAccessor.h c10/cuda/CUDAGuard.h
        c10/cuda/CUDAStream.h c10/cuda/CUDAException.h c10/cuda/CUDAFunctions.h
        c10/cuda/CUDAMathCompat.h c10/cuda/CUDACachingAllocator.h c10/util/Half.h
        c10/util/BFloat16.h c10/util/Exception.h c10/util/Optional.h c10/macros/Macros.h
        c10/core/ScalarType.h pybind11/pybind11.h pybind11/numpy.h pybind11/stl.h
        pybind11/pytypes.h THC/THC.h THC/THCAtomics.cuh THC/THCDeviceUtils.cuh THC/THCGeneral.h
    """,
    "libraries/cub.h": """
        cub/cub.cuh cub/util_type.cuh cub/util_device.cuh cub/util_allocator.cuh cub/util_ptx.cuh
        cub/util_debug.cuh cub/util_macro.cuh cub/util_math.cuh cub/config.cuh cub/version.cuh
        cub/agent/agent_radix_sort_histogram.cuh cub/thread/thread_operators.cuh
        cub/thread/thread_load.cuh cub/thread/thread_store.cuh cub/thread/thread_reduce.cuh
        cub/thread/thread_search.cuh cub/thread/thread_scan.cuh cub/grid/grid_barrier.cuh
        cub/iterator/transform_input_iterator.cuh cub/iterator/counting_input_iterator.cuh
        cub/iterator/constant_input_iterator.cuh cub/iterator/arg_index_input_iterator.cuh
        cub/iterator/cache_modified_input_iterator.cuh cub/iterator/discard_output_iterator.cuh
        cub/iterator/tex_obj_input_iterator.cuh cub/block/block_reduce.cuh
        cub/block/block_scan.cuh cub/block/block_load.cuh cub/block/block_store.cuh
        cub/block/block_radix_sort.cuh cub/block/block_merge_sort.cuh cub/block/block_exchange.cuh
        cub/block/block_histogram.cuh cub/block/block_discontinuity.cuh
        cub/block/block_adjacent_difference.cuh cub/block/block_shuffle.cuh
        cub/block/block_raking_layout.cuh cub/block/radix_rank_sort_operations.cuh
        cub/warp/warp_reduce.cuh cub/warp/warp_scan.cuh cub/warp/warp_load.cuh
        cub/warp/warp_store.cuh cub/warp/warp_merge_sort.cuh cub/warp/warp_exchange.cuh
        cub/device/device_reduce.cuh cub/device/device_scan.cuh cub/device/device_radix_sort.cuh
        cub/device/device_merge_sort.cuh cub/device/device_select.cuh
        cub/device/device_partition.cuh cub/device/device_run_length_encode.cuh
        cub/device/device_histogram.cuh cub/device/device_segmented_reduce.cuh
        cub/device/device_segmented_radix_sort.cuh cub/device/device_segmented_sort.cuh
        cub/device/device_spmv.cuh cub/device/device_for.cuh cub/device/device_transform.cuh
        cub/device/device_adjacent_difference.cuh
    """,
}

# thrust/NAME.h, and the folders below it.
_THRUST = """
adjacent_difference advance allocate_unique async/copy async/reduce async/for_each binary_search
complex copy count detail/config detail/raw_pointer_cast detail/type_traits device_allocator
device_delete device_free device_make_unique device_malloc device_malloc_allocator device_new
device_new_allocator device_ptr device_reference device_vector distance equal event
execution_policy extrema fill find for_each functional future gather generate host_vector
inner_product iterator/constant_iterator iterator/counting_iterator iterator/discard_iterator
iterator/iterator_adaptor iterator/iterator_facade iterator/iterator_traits
iterator/permutation_iterator iterator/reverse_iterator iterator/transform_input_output_iterator
iterator/transform_iterator iterator/transform_output_iterator iterator/zip_iterator logical
memory merge mismatch mr/allocator mr/device_memory_resource optional pair partition
per_device_resource random random/linear_congruential_engine random/normal_distribution
random/uniform_int_distribution random/uniform_real_distribution reduce remove replace reverse
scan scatter sequence set_operations shuffle sort swap system/cuda/error
system/cuda/execution_policy system/cuda/experimental/pinned_allocator system/cuda/vector
system/omp/execution_policy system_error tabulate transform transform_reduce transform_scan tuple
type_traits/is_contiguous_iterator uninitialized_copy uninitialized_fill unique
universal_allocator universal_ptr universal_vector version zip_function
"""


def header_parts() -> dict[str, str]:
    """Every known header name, and the shim file that it includes ("" for none)."""
    parts = dict.fromkeys(_PRELUDE.split(), "")
    for part, names in _PARTS.items():
        parts.update(dict.fromkeys(names.split(), part))
    parts.update({f"thrust/{name}.h": "libraries/thrust.h" for name in _THRUST.split()})
    parts["thrust/system/cuda/detail/par.h"] = "libraries/thrust.h"
    return parts
