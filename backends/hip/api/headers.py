"""Facts about headers: the HIP header of each CUDA one, and those that have none."""

from __future__ import annotations

from crossport.backends.hip.api.rows import UnportedRow

# "" means: part of hip/hip_runtime.h, which the file includes anyhow.
HEADERS = {
    "cuda.h": "hip/hip_runtime.h",
    "cuda_runtime.h": "hip/hip_runtime.h",
    "cuda_runtime_api.h": "hip/hip_runtime_api.h",
    "cuda_device_runtime_api.h": "",
    "device_launch_parameters.h": "",
    "builtin_types.h": "",
    "driver_types.h": "hip/driver_types.h",
    "host_defines.h": "",
    "crt/host_defines.h": "",
    "device_functions.h": "",
    "device_atomic_functions.h": "",
    "device_double_functions.h": "",
    "common_functions.h": "",
    "sm_20_atomic_functions.h": "",
    "sm_20_intrinsics.h": "",
    "sm_30_intrinsics.h": "",
    "sm_32_atomic_functions.h": "",
    "sm_32_intrinsics.h": "",
    "sm_35_intrinsics.h": "",
    "sm_60_atomic_functions.h": "",
    "sm_61_intrinsics.h": "",
    "math_functions.h": "",
    "crt/math_functions.h": "",
    "crt/device_functions.h": "",
    "math_constants.h": "hip/hip_math_constants.h",
    "vector_types.h": "hip/hip_vector_types.h",
    "vector_functions.h": "hip/hip_vector_types.h",
    "vector_functions.hpp": "hip/hip_vector_types.h",
    "channel_descriptor.h": "hip/channel_descriptor.h",
    "texture_types.h": "hip/hip_texture_types.h",
    "cuda_texture_types.h": "hip/hip_texture_types.h",
    "texture_fetch_functions.h": "",
    "texture_indirect_functions.h": "",
    "surface_types.h": "hip/surface_types.h",
    "surface_functions.h": "",
    "surface_indirect_functions.h": "",
    "library_types.h": "hip/library_types.h",
    "cuda_profiler_api.h": "hip/hip_runtime_api.h",
    "cudaProfiler.h": "hip/hip_runtime_api.h",
    "cuda_gl_interop.h": "hip/hip_gl_interop.h",
    "cuComplex.h": "hip/hip_complex.h",
    # Its three functions are rewritten by semantics/words.py.
    "cuda_pipeline.h": "",
    "cuda_pipeline_primitives.h": "",
    "cuda_fp16.h": "hip/hip_fp16.h",
    "cuda_fp16.hpp": "hip/hip_fp16.h",
    "cuda_bf16.h": "hip/hip_bf16.h",
    "cuda_bf16.hpp": "hip/hip_bf16.h",
    "cuda_fp8.h": "hip/hip_fp8.h",
    "cooperative_groups.h": "hip/hip_cooperative_groups.h",
    # Their members are defined by polyfill/group_*.h.
    "cooperative_groups/reduce.h": "hip/hip_cooperative_groups.h",
    "cooperative_groups/scan.h": "hip/hip_cooperative_groups.h",
    "cooperative_groups/memcpy_async.h": "hip/hip_cooperative_groups.h",
    "nvrtc.h": "hip/hiprtc.h",
    "cublas.h": "hipblas/hipblas.h",
    "cublas_v2.h": "hipblas/hipblas.h",
    "cublas_api.h": "hipblas/hipblas.h",
    "cublasLt.h": "hipblaslt/hipblaslt.h",
    "cufft.h": "hipfft/hipfft.h",
    "cufftXt.h": "hipfft/hipfftXt.h",
    "curand.h": "hiprand/hiprand.h",
    "curand_kernel.h": "hiprand/hiprand_kernel.h",
    "cusparse.h": "hipsparse/hipsparse.h",
    "cusparse_v2.h": "hipsparse/hipsparse.h",
    "cusolverDn.h": "hipsolver/hipsolver.h",
    "cusolverSp.h": "hipsolver/hipsolver.h",
    "cusolverRf.h": "hipsolver/hipsolver.h",
    "cusolver_common.h": "hipsolver/hipsolver.h",
    "cutensor.h": "hiptensor/hiptensor.hpp",
    "cudnn.h": "miopen/miopen.h",
    "nccl.h": "rccl/rccl.h",
    "nvToolsExt.h": "roctracer/roctx.h",
    "nvtx3/nvToolsExt.h": "roctracer/roctx.h",
    # Defines nvcuda::wmma for warps of 32 lanes; it comes with the port.
    "mma.h": "crossport_wmma.h",
    # What of libcu++ a port brings along; namespaces.py reports the rest by name.
    "cuda/atomic": "crossport_cuda.h",
    "cuda/barrier": "crossport_cuda.h",
    "cuda/pipeline": "crossport_cuda.h",
    "cuda/std/atomic": "crossport_cuda.h",
}

# Whole folders. A replacement that is a header stands for all of them.
PREFIX_HEADERS = (
    ("cub/", "hipcub/hipcub.hpp"),
    ("curand_", "hiprand/hiprand_kernel.h"),
    ("thrust/system/cuda/", "thrust/system/hip/"),
    ("cuda/std/", "crossport_cuda.h"),
)

# The guard of a CUDA header, and of the HIP header that stands for it.
HEADER_GUARDS = {
    "__cuda_cuda_h__": "HIP_INCLUDE_HIP_HIP_RUNTIME_API_H",
    "__CUDA_RUNTIME_H__": "HIP_INCLUDE_HIP_HIP_RUNTIME_H",
    "__CUDA_RUNTIME_API_H__": "HIP_INCLUDE_HIP_HIP_RUNTIME_API_H",
    "__DRIVER_TYPES_H__": "HIP_INCLUDE_HIP_DRIVER_TYPES_H",
    "__VECTOR_TYPES_H__": "HIP_INCLUDE_HIP_HIP_VECTOR_TYPES_H",
    "__CUDA_FP16_H__": "HIP_INCLUDE_HIP_HIP_FP16_H",
    "__CUDA_BF16_H__": "HIP_INCLUDE_HIP_HIP_BF16_H",
    "CU_COMPLEX_H_": "HIP_INCLUDE_HIP_HIP_COMPLEX_H",
    "CUBLAS_H_": "HIPBLAS_H",
    "CUBLAS_API_H_": "HIPBLAS_H",
    "CUBLAS_V2_H_": "HIPBLAS_H",
    "_CUFFT_H_": "HIPFFT_H_",
    "CURAND_H_": "HIPRAND_H_",
    "CUSPARSE_H_": "HIPSPARSE_H",
    # The attribute macro of cusparse.h; helper_cuda.h asks for it.
    "CUSPARSEAPI": "HIPSPARSE_H",
    "CUSOLVER_COMMON_H_": "HIPSOLVER_H",
    "CUSOLVERDN_H_": "HIPSOLVER_H",
    "CUSOLVERSP_H_": "HIPSOLVER_H",
}

MISSING_HEADERS = (
    UnportedRow(
        r"cuda_pipeline_helpers\.h|cuda_awbarrier|cuda/ptx",
        "HIP has no asynchronous copies into shared memory behind CUDA's pipeline interface",
        "load through registers, then __syncthreads()",
    ),
    UnportedRow(
        r"cuda/|cuda/std/",
        "libcu++ is no part of ROCm",
        "install libhipcxx (its headers keep these names under hip/), or use HIP's own atomics",
    ),
    UnportedRow(
        r"cutlass/|cute/",
        "CUTLASS generates NVIDIA tensor-core code",
        "use hipBLASLt, rocWMMA or Composable Kernel",
    ),
    UnportedRow(
        r"nvml\.h",
        "NVML reads NVIDIA's driver",
        "use ROCm SMI (rocm_smi/rocm_smi.h)",
    ),
    UnportedRow(
        r"cupti\w*\.h",
        "CUPTI profiles NVIDIA GPUs",
        "use rocprofiler-sdk, or leave the measurement out",
    ),
    UnportedRow(
        r"(cuda_)?fp4|cuda_fp[46]\.h",
        "HIP 6 has no 4-bit and 6-bit float types",
        "use fp8 (hip/hip_fp8.h)",
    ),
    UnportedRow(
        r"helper_(cuda|functions|timer|string|image|math|gl|multiprocess)\w*\.h|cutil\w*\.h"
        r"|helper_\w+_drvapi\.h",
        "this header of the CUDA samples is not part of the project",
        "add the folder that holds it to the include path (-I), so that it is ported too",
    ),
    UnportedRow(
        r"nvtx3/nvtx3\.hpp|nvtx3/(?!nvToolsExt\.h)|nvToolsExt\w+\.h",
        "rocTX has the C interface of NVTX only",
        "use roctxRangePush and roctxRangePop (roctracer/roctx.h)",
    ),
    UnportedRow(
        r"(nvjpeg|npp\w*|optix\w*|NvInfer\w*|cufile|cusparseLt|cublasXt|cufftw|cublasdx|nvshmem\w*"
        r"|cuda_egl_interop|cudaGL|cudaEGL|cuda_vdpau_interop|cuda_d3d\d+_interop)\.\w+",
        "this NVIDIA library has no counterpart with the same interface in ROCm",
        "keep this part on CUDA, or rewrite it for the ROCm library nearest to it",
    ),
)
