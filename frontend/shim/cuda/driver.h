// The CUDA driver API and runtime compilation: functions take anything.
#pragma once
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
typedef struct CUctx_st* CUcontext;
typedef struct CUmod_st* CUmodule;
typedef struct CUfunc_st* CUfunction;
typedef struct CUlinkState_st* CUlinkState;
typedef cudaStream_t CUstream;
typedef cudaEvent_t CUevent;
typedef cudaArray_t CUarray;
typedef cudaGraph_t CUgraph;
typedef unsigned long long CUtexObject, CUsurfObject, CUmemGenericAllocationHandle;
typedef struct CUtexref_st* CUtexref;
typedef struct CUuuid_st { char bytes[16]; } CUuuid;
struct CUtensorMap { unsigned long long opaque[16]; };
typedef enum cudaError_enum {
    CUDA_SUCCESS = 0, CUDA_ERROR_INVALID_VALUE = 1, CUDA_ERROR_OUT_OF_MEMORY = 2,
    CUDA_ERROR_NOT_INITIALIZED = 3, CUDA_ERROR_DEINITIALIZED = 4, CUDA_ERROR_NO_DEVICE = 100,
    CUDA_ERROR_INVALID_DEVICE = 101, CUDA_ERROR_INVALID_IMAGE = 200, CUDA_ERROR_INVALID_CONTEXT = 201,
    CUDA_ERROR_FILE_NOT_FOUND = 301, CUDA_ERROR_INVALID_HANDLE = 400, CUDA_ERROR_NOT_FOUND = 500,
    CUDA_ERROR_NOT_READY = 600, CUDA_ERROR_LAUNCH_FAILED = 719, CUDA_ERROR_NOT_SUPPORTED = 801,
    CUDA_ERROR_UNKNOWN = 999
} CUresult;
enum CUdevice_attribute {
    CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK = 1, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK = 8,
    CU_DEVICE_ATTRIBUTE_WARP_SIZE = 10, CU_DEVICE_ATTRIBUTE_CLOCK_RATE = 13,
    CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16, CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE = 36,
    CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH = 37, CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE = 38,
    CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING = 41, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76, CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY = 83,
    CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED = 102
};
enum CUfunction_attribute {
    CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES,
    CU_FUNC_ATTRIBUTE_NUM_REGS = 4, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8
};
enum CUjit_option { CU_JIT_MAX_REGISTERS, CU_JIT_INFO_LOG_BUFFER = 3, CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES,
                    CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, CU_JIT_OPTIMIZATION_LEVEL };
enum CUctx_flags { CU_CTX_SCHED_AUTO = 0, CU_CTX_SCHED_SPIN = 1, CU_CTX_MAP_HOST = 8 };
#define CU_LAUNCH_PARAM_END ((void*)0)
#define CU_LAUNCH_PARAM_BUFFER_POINTER ((void*)1)
#define CU_LAUNCH_PARAM_BUFFER_SIZE ((void*)2)
#define CU_MEMHOSTALLOC_PORTABLE 1
#define CU_STREAM_NON_BLOCKING 1
#define SHIM_DRIVER(f) template <class... A> CUresult cu##f(A&&...);
SHIM_DRIVER(Init) SHIM_DRIVER(DriverGetVersion) SHIM_DRIVER(GetErrorString) SHIM_DRIVER(GetErrorName)
SHIM_DRIVER(GetProcAddress) SHIM_DRIVER(DeviceGet) SHIM_DRIVER(DeviceGetCount) SHIM_DRIVER(DeviceGetName)
SHIM_DRIVER(DeviceTotalMem) SHIM_DRIVER(DeviceGetAttribute) SHIM_DRIVER(DeviceGetUuid)
SHIM_DRIVER(DeviceComputeCapability) SHIM_DRIVER(DevicePrimaryCtxRetain) SHIM_DRIVER(DevicePrimaryCtxRelease)
SHIM_DRIVER(CtxCreate) SHIM_DRIVER(CtxDestroy) SHIM_DRIVER(CtxSetCurrent) SHIM_DRIVER(CtxGetCurrent)
SHIM_DRIVER(CtxGetDevice) SHIM_DRIVER(CtxPushCurrent) SHIM_DRIVER(CtxPopCurrent) SHIM_DRIVER(CtxSynchronize)
SHIM_DRIVER(ModuleLoad) SHIM_DRIVER(ModuleLoadData) SHIM_DRIVER(ModuleLoadDataEx) SHIM_DRIVER(ModuleUnload)
SHIM_DRIVER(ModuleGetFunction) SHIM_DRIVER(ModuleGetGlobal) SHIM_DRIVER(LinkCreate) SHIM_DRIVER(LinkAddData)
SHIM_DRIVER(LinkComplete) SHIM_DRIVER(LinkDestroy) SHIM_DRIVER(MemAlloc) SHIM_DRIVER(MemFree)
SHIM_DRIVER(MemAllocHost) SHIM_DRIVER(MemFreeHost) SHIM_DRIVER(MemAllocManaged) SHIM_DRIVER(MemHostAlloc)
SHIM_DRIVER(MemcpyHtoD) SHIM_DRIVER(MemcpyDtoH) SHIM_DRIVER(MemcpyDtoD) SHIM_DRIVER(MemcpyHtoDAsync)
SHIM_DRIVER(MemcpyDtoHAsync) SHIM_DRIVER(MemcpyDtoDAsync) SHIM_DRIVER(Memcpy) SHIM_DRIVER(MemsetD8)
SHIM_DRIVER(MemsetD32) SHIM_DRIVER(MemGetInfo) SHIM_DRIVER(MemCreate) SHIM_DRIVER(MemMap)
SHIM_DRIVER(MemUnmap) SHIM_DRIVER(MemRelease) SHIM_DRIVER(MemSetAccess) SHIM_DRIVER(MemAddressReserve)
SHIM_DRIVER(MemAddressFree) SHIM_DRIVER(MemGetAllocationGranularity) SHIM_DRIVER(FuncGetAttribute)
SHIM_DRIVER(FuncSetAttribute) SHIM_DRIVER(FuncSetCacheConfig) SHIM_DRIVER(LaunchKernel)
SHIM_DRIVER(LaunchCooperativeKernel) SHIM_DRIVER(LaunchKernelEx) SHIM_DRIVER(StreamCreate)
SHIM_DRIVER(StreamDestroy) SHIM_DRIVER(StreamSynchronize) SHIM_DRIVER(StreamWaitEvent)
SHIM_DRIVER(EventCreate) SHIM_DRIVER(EventDestroy) SHIM_DRIVER(EventRecord) SHIM_DRIVER(EventSynchronize)
SHIM_DRIVER(EventElapsedTime) SHIM_DRIVER(OccupancyMaxActiveBlocksPerMultiprocessor)
SHIM_DRIVER(OccupancyMaxPotentialBlockSize) SHIM_DRIVER(PointerGetAttribute) SHIM_DRIVER(TexObjectCreate)
SHIM_DRIVER(TensorMapEncodeTiled)
#undef SHIM_DRIVER
typedef struct _nvrtcProgram* nvrtcProgram;
enum nvrtcResult { NVRTC_SUCCESS, NVRTC_ERROR_OUT_OF_MEMORY, NVRTC_ERROR_COMPILATION = 6 };
const char* nvrtcGetErrorString(nvrtcResult);
#define SHIM_NVRTC(f) template <class... A> nvrtcResult nvrtc##f(A&&...);
SHIM_NVRTC(CreateProgram) SHIM_NVRTC(DestroyProgram) SHIM_NVRTC(CompileProgram) SHIM_NVRTC(GetPTX)
SHIM_NVRTC(GetPTXSize) SHIM_NVRTC(GetCUBIN) SHIM_NVRTC(GetCUBINSize) SHIM_NVRTC(GetProgramLog)
SHIM_NVRTC(GetProgramLogSize) SHIM_NVRTC(AddNameExpression) SHIM_NVRTC(GetLoweredName) SHIM_NVRTC(Version)
#undef SHIM_NVRTC
