"""Facts about API names: the rules that most follow, and a row for each exception.

To add one, see docs/adding-an-api-row.md. `tests/backends/hip/test_api_rows.py` checks that each
row's HIP name is one that HIP's headers declare, and that no row repeats what a rule says.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A family's prefix and its counterpart. `is_folded`: also try without case and underscores."""

    prefix: str
    replacement: str
    is_folded: bool = False


@dataclass(frozen=True, slots=True)
class ApiRow:
    """One name that no rule gets right. `note` says what a reader should know of the difference."""

    cuda: str
    hip: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class UnportedRow:
    """Why the names that match `pattern` have no counterpart, and the way out."""

    pattern: str
    reason: str
    help: str


# Tried in this order; the first proposal that HIP declares is taken.
RULES = (
    Rule("cudaDevAttr", "hipDeviceAttribute", is_folded=True),
    Rule("cudaHostAlloc", "hipHostMalloc"),
    Rule("cuda", "hip", is_folded=True),
    Rule("make_cuda", "make_hip"),
    Rule("make_cu", "make_hip"),
    Rule("CUDART_", "HIP_"),
    Rule("CUDA_ERROR_", "hipError", is_folded=True),
    Rule("CUDA_", "HIP_", is_folded=True),
    Rule("cublasLt", "hipblasLt"),
    Rule("CUBLASLT_", "HIPBLASLT_"),
    Rule("cublas", "hipblas"),
    Rule("CUBLAS_", "HIPBLAS_"),
    Rule("cufft", "hipfft"),
    Rule("CUFFT_", "HIPFFT_"),
    Rule("curand", "hiprand"),
    Rule("CURAND_", "HIPRAND_"),
    Rule("cusparse", "hipsparse"),
    Rule("CUSPARSE_", "HIPSPARSE_"),
    Rule("cusolver", "hipsolver"),
    Rule("CUSOLVER_", "HIPSOLVER_"),
    Rule("cutensor", "hiptensor"),
    Rule("CUTENSOR_", "HIPTENSOR_"),
    Rule("nvrtc", "hiprtc"),
    Rule("NVRTC_", "HIPRTC_"),
    Rule("nvtx", "roctx"),
    Rule("__nv_", "__hip_"),
    Rule("nv_bfloat", "__hip_bfloat"),
    Rule("__NV_", "__HIP_"),
    Rule("CU_JIT_", "hipJitOption", is_folded=True),
    Rule("CU_TR_", "HIP_TR_"),
    Rule("CU_", "HIP_"),
    Rule("CU_", "hip", is_folded=True),
    Rule("CU", "hip", is_folded=True),
    Rule("cu", "hip"),
)

ROWS = (
    # Runtime.
    ApiRow("cudaPointerAttributes", "hipPointerAttribute_t"),
    ApiRow("cudaDeviceAttr", "hipDeviceAttribute_t"),
    ApiRow("cudaError", "hipError_t"),
    ApiRow("cudaThreadSynchronize", "hipDeviceSynchronize"),
    ApiRow("cudaThreadExit", "hipDeviceReset"),
    ApiRow("cudaThreadGetLimit", "hipDeviceGetLimit"),
    ApiRow("cudaThreadSetLimit", "hipDeviceSetLimit"),
    ApiRow("cudaThreadSetCacheConfig", "hipDeviceSetCacheConfig"),
    ApiRow("cudaMallocHost", "hipHostMalloc"),
    ApiRow("cudaFreeHost", "hipHostFree"),
    ApiRow("cudaDataType_t", "hipDataType"),
    ApiRow("cudaUUID_t", "hipUUID"),
    ApiRow("cudaErrorMemoryAllocation", "hipErrorOutOfMemory"),
    ApiRow("cudaErrorInitializationError", "hipErrorNotInitialized"),
    ApiRow("cudaErrorNoKernelImageForDevice", "hipErrorNoBinaryForGpu"),
    ApiRow("cudaErrorInvalidResourceHandle", "hipErrorInvalidHandle"),
    ApiRow("cudaErrorInvalidKernelImage", "hipErrorInvalidImage"),
    ApiRow("cudaErrorInvalidPtx", "hipErrorInvalidKernelFile"),
    ApiRow("cudaErrorCudartUnloading", "hipErrorDeinitialized"),
    ApiRow("cudaErrorDeviceUninitialized", "hipErrorInvalidContext"),
    ApiRow("cudaErrorECCUncorrectable", "hipErrorECCNotCorrectable"),
    ApiRow("cudaErrorSymbolNotFound", "hipErrorNotFound"),
    ApiRow("cudaErrorDevicesUnavailable", "hipErrorNoDevice"),
    ApiRow("cudaDevAttrGlobalMemoryBusWidth", "hipDeviceAttributeMemoryBusWidth"),
    ApiRow(
        "cudaDevAttrMaxSharedMemoryPerBlockOptin",
        "hipDeviceAttributeSharedMemPerBlockOptin",
        note="AMD GPUs have one limit of shared memory (64 KiB on CDNA3), with or without opt-in",
    ),
    ApiRow("cudaDeviceBlockingSync", "hipDeviceScheduleBlockingSync"),
    *(
        ApiRow(cuda, hip, note="the runtime for AMD answers hipErrorNotSupported: do not check it")
        for cuda, hip in (
            ("cudaProfilerStart", "hipProfilerStart"),
            ("cudaProfilerStop", "hipProfilerStop"),
            ("cuProfilerStart", "hipProfilerStart"),
            ("cuProfilerStop", "hipProfilerStop"),
            ("cudaSetValidDevices", "hipSetValidDevices"),
        )
    ),
    # What the compiler defines.
    ApiRow("__CUDACC__", "__HIPCC__"),
    ApiRow("__CUDACC_RTC__", "__HIPCC_RTC__"),
    ApiRow("__CUDA_NO_HALF_OPERATORS__", "__HIP_NO_HALF_OPERATORS__"),
    ApiRow("__CUDA_NO_HALF_CONVERSIONS__", "__HIP_NO_HALF_CONVERSIONS__"),
    # Driver.
    ApiRow("CUresult", "hipError_t"),
    ApiRow("CUdevice", "hipDevice_t"),
    ApiRow("CUmipmappedArray", "hipMipmappedArray_t"),
    ApiRow("CUgraphicsResource", "hipGraphicsResource_t"),
    ApiRow("CUuserObject", "hipUserObject_t"),
    ApiRow("CUdeviceptr", "hipDeviceptr_t"),
    ApiRow("CUcontext", "hipCtx_t"),
    ApiRow("CUmodule", "hipModule_t"),
    ApiRow("CUfunction", "hipFunction_t"),
    ApiRow("CUstream", "hipStream_t"),
    ApiRow("CUevent", "hipEvent_t"),
    ApiRow("CUarray", "hipArray_t"),
    ApiRow("CUlimit", "hipLimit_t"),
    ApiRow("CUtexObject", "hipTextureObject_t"),
    ApiRow("CUsurfObject", "hipSurfaceObject_t"),
    ApiRow("CUdevice_attribute", "hipDeviceAttribute_t"),
    ApiRow("CUfunc_cache", "hipFuncCache_t"),
    ApiRow("CUgraph", "hipGraph_t"),
    ApiRow("CUgraphExec", "hipGraphExec_t"),
    ApiRow("CUgraphNode", "hipGraphNode_t"),
    ApiRow("CUmemoryPool", "hipMemPool_t"),
    ApiRow("CUstreamCallback", "hipStreamCallback_t"),
    ApiRow("CUlinkState", "hiprtcLinkState"),
    ApiRow("CUDA_MEMCPY2D", "hip_Memcpy2D"),
    ApiRow("CUDA_SUCCESS", "hipSuccess"),
    ApiRow("CUDA_ERROR_LAUNCH_FAILED", "hipErrorLaunchFailure"),
    ApiRow("cuMemAlloc", "hipMalloc"),
    ApiRow("cuMemAlloc_v2", "hipMalloc"),
    ApiRow("cuMemFree", "hipFree"),
    ApiRow("cuMemFree_v2", "hipFree"),
    ApiRow("cuMemAllocManaged", "hipMallocManaged"),
    ApiRow("cuMemFreeHost", "hipHostFree"),
    ApiRow("cuMemHostAlloc", "hipHostMalloc"),
    ApiRow("cuMemHostRegister", "hipHostRegister"),
    ApiRow("cuMemHostUnregister", "hipHostUnregister"),
    ApiRow("cuMemHostGetDevicePointer", "hipHostGetDevicePointer"),
    ApiRow("cuMemAllocAsync", "hipMallocAsync"),
    ApiRow("cuMemFreeAsync", "hipFreeAsync"),
    ApiRow("cuLaunchKernel", "hipModuleLaunchKernel"),
    ApiRow("cuLaunchCooperativeKernel", "hipModuleLaunchCooperativeKernel"),
    ApiRow("cuStreamCreate", "hipStreamCreateWithFlags"),
    ApiRow("cuEventCreate", "hipEventCreateWithFlags"),
    ApiRow("cuMemcpy2D", "hipMemcpyParam2D"),
    ApiRow("cuMemcpy2DAsync", "hipMemcpyParam2DAsync"),
    ApiRow("cuMemcpy3D", "hipDrvMemcpy3D"),
    ApiRow("cuGetErrorString", "hipDrvGetErrorString"),
    ApiRow("cuGetErrorName", "hipDrvGetErrorName"),
    ApiRow("cuDeviceGetCount", "hipGetDeviceCount"),
    ApiRow(
        "cuOccupancyMaxActiveBlocksPerMultiprocessor",
        "hipModuleOccupancyMaxActiveBlocksPerMultiprocessor",
    ),
    ApiRow("cuOccupancyMaxPotentialBlockSize", "hipModuleOccupancyMaxPotentialBlockSize"),
    ApiRow("cuPointerGetAttributes", "hipDrvPointerGetAttributes"),
    ApiRow("cuLinkCreate", "hiprtcLinkCreate"),
    ApiRow("cuLinkAddData", "hiprtcLinkAddData"),
    ApiRow("cuLinkAddFile", "hiprtcLinkAddFile"),
    ApiRow("cuLinkComplete", "hiprtcLinkComplete"),
    ApiRow("cuLinkDestroy", "hiprtcLinkDestroy"),
    ApiRow("cuCtxGetLimit", "hipDeviceGetLimit"),
    ApiRow("cuCtxSetLimit", "hipDeviceSetLimit"),
    ApiRow("cuCtxGetStreamPriorityRange", "hipDeviceGetStreamPriorityRange"),
    # HIP declares these with hipCtx..., where the runtime for AMD answers hipErrorNotSupported.
    ApiRow("cuCtxSynchronize", "hipDeviceSynchronize"),
    ApiRow("cuCtxSetCacheConfig", "hipDeviceSetCacheConfig"),
    ApiRow("cuCtxGetCacheConfig", "hipDeviceGetCacheConfig"),
    ApiRow("cuCtxSetSharedMemConfig", "hipDeviceSetSharedMemConfig"),
    ApiRow("cuCtxGetSharedMemConfig", "hipDeviceGetSharedMemConfig"),
    ApiRow("cuCtxGetFlags", "hipGetDeviceFlags"),
    ApiRow("cuMemAllocFromPoolAsync", "hipMallocFromPoolAsync"),
    ApiRow("cuMemcpy2DUnaligned", "hipDrvMemcpy2DUnaligned"),
    ApiRow("CU_CTX_SCHED_AUTO", "hipDeviceScheduleAuto"),
    ApiRow("CU_CTX_SCHED_SPIN", "hipDeviceScheduleSpin"),
    ApiRow("CU_CTX_SCHED_YIELD", "hipDeviceScheduleYield"),
    ApiRow("CU_CTX_SCHED_BLOCKING_SYNC", "hipDeviceScheduleBlockingSync"),
    ApiRow("CU_CTX_MAP_HOST", "hipDeviceMapHost"),
    ApiRow("CUmemGenericAllocationHandle", "hipMemGenericAllocationHandle_t"),
    ApiRow("CU_MEM_ALLOC_GRANULARITY_MINIMUM", "hipMemAllocationGranularityMinimum"),
    ApiRow("CU_MEM_ALLOC_GRANULARITY_RECOMMENDED", "hipMemAllocationGranularityRecommended"),
    ApiRow(
        "CU_DEVICE_ATTRIBUTE_VIRTUAL_ADDRESS_MANAGEMENT_SUPPORTED",
        "hipDeviceAttributeVirtualMemoryManagementSupported",
    ),
    ApiRow("CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH", "hipDeviceAttributeMemoryBusWidth"),
    *(
        ApiRow(
            f"CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE{axes}D_{side.upper()}",
            f"hipDeviceAttributeMaxTexture{axes}D{side}",
        )
        for axes, sides in ((1, ("Width",)), (2, ("Width", "Height")))
        for side in sides
    ),
    *(
        ApiRow(
            f"CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE3D_{side.upper()}",
            f"hipDeviceAttributeMaxTexture3D{side}",
        )
        for side in ("Width", "Height", "Depth")
    ),
    # Graphics: the flags to map and to register with have the same numbers.
    *(
        ApiRow(f"cudaGraphicsMapFlags{flag}", f"hipGraphicsRegisterFlags{flag}")
        for flag in ("None", "ReadOnly", "WriteDiscard")
    ),
    # Run-time compilation: a HIP program is compiled to code, not to PTX.
    ApiRow("nvrtcGetPTX", "hiprtcGetCode", note="the result is AMD code, not PTX text"),
    ApiRow("nvrtcGetPTXSize", "hiprtcGetCodeSize"),
    ApiRow("nvrtcGetCUBIN", "hiprtcGetCode"),
    ApiRow("nvrtcGetCUBINSize", "hiprtcGetCodeSize"),
    # Complex numbers.
    # cuBLAS.
    ApiRow("cublasDataType_t", "hipblasDatatype_t"),
    ApiRow("cublasGetStatusString", "hipblasStatusToString"),
    ApiRow("cublasGetStatusName", "hipblasStatusToString"),
    ApiRow("CUBLAS_OP_HERMITAN", "HIPBLAS_OP_C"),
    *(
        ApiRow(f"CUBLAS_GEMM_{name}", "HIPBLAS_GEMM_DEFAULT", note="hipBLAS picks the algorithm")
        for name in (
            "DEFAULT_TENSOR_OP",
            "DFALT",
            "DFALT_TENSOR_OP",
            *(f"ALGO{number}" for number in range(24)),
            *(f"ALGO{number}_TENSOR_OP" for number in range(16)),
        )
    ),
    # cuFFT and cuRAND.
    ApiRow("CUFFT_INVERSE", "HIPFFT_BACKWARD"),
    ApiRow("curandStateXORWOW", "hiprandStateXORWOW_t"),
    ApiRow("curandStatePhilox4_32_10", "hiprandStatePhilox4_32_10_t"),
    ApiRow("curandStateMRG32k3a", "hiprandStateMRG32k3a_t"),
    # NVTX.
    ApiRow("nvtxRangeId_t", "roctx_range_id_t"),
)

_NVML = "NVML reads NVIDIA's driver; AMD's counterpart, ROCm SMI, has another model of devices"
UNPORTED = (
    UnportedRow(r"nvml|NVML", _NVML, "use rsmi_* from rocm_smi/rocm_smi.h, or drop the query"),
    UnportedRow(
        r"cupti|CUPTI",
        "CUPTI profiles NVIDIA GPUs; ROCm's profiler library has another interface",
        "use rocprofiler-sdk, or leave the measurement out of the port",
    ),
    UnportedRow(
        r"__nv_fp|__nv_bf",
        "HIP's headers have no such type or conversion",
        "use the types of hip/hip_fp8.h and hip/hip_bf16.h",
    ),
    UnportedRow(
        r"cudnn|CUDNN",
        "MIOpen has no call of this meaning and signature",
        "write this step with MIOpen's own API (miopen/miopen.h)",
    ),
    UnportedRow(
        r"cutlass",
        "CUTLASS generates NVIDIA tensor-core code",
        "use hipBLASLt, rocWMMA or Composable Kernel, or port the kernel to Triton",
    ),
    UnportedRow(
        r"cuTensorMap|CU_TENSOR_MAP|CUtensorMap",
        "tensor maps drive NVIDIA's tensor memory accelerator, which AMD GPUs do not have",
        "load the tile with ordinary global loads into shared memory",
    ),
    UnportedRow(
        r"cudaLaunch(KernelEx|Attribute|Config)|cudaCluster|CU_LAUNCH|CUlaunch|cuLaunchKernelEx",
        "HIP 6 has no extended launch (clusters, programmatic dependent launch)",
        "launch with <<<grid, block, shared, stream>>> or hipLaunchCooperativeKernel",
    ),
    UnportedRow(
        r"cuda(Egl|EGL|VDPAU|D3D)|cuEGL|cuVDPAU|CUegl",
        "HIP has no interoperation with EGL, VDPAU or Direct3D",
        "copy through host memory",
    ),
)
