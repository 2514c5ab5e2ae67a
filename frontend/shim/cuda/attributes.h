// CUDA's words for functions and variables, as clang's attributes. Arguments that clang keeps to
// itself are repeated in an annotation, where the cursor API shows them (instantiated, evaluated).
#pragma once

#define __host__ __attribute__((host))
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __managed__ __attribute__((device)) __attribute__((annotate("managed")))
#define __launch_bounds__(...) \
    __attribute__((launch_bounds(__VA_ARGS__))) __attribute__((annotate("launch_bounds", __VA_ARGS__)))
#define __cluster_dims__(...) __attribute__((annotate("cluster_dims", __VA_ARGS__)))
#define __block_size__(...) __attribute__((annotate("block_size")))
#define __maxnreg__(...) __attribute__((annotate("maxnreg", __VA_ARGS__)))
#define __grid_constant__ __attribute__((annotate("grid_constant")))
#define __forceinline__ __inline__ __attribute__((always_inline))
#define __inline_hint__
#define __align__(...) __attribute__((aligned(__VA_ARGS__)))
#define __builtin_align__(...) __attribute__((aligned(__VA_ARGS__)))
#define __nv_pure__ __attribute__((pure))
#define __device_builtin__
#define __cudart_builtin__
#define __CUDA_HOSTDEVICE__ __host__ __device__
#define __CUDA_ALIGN__(n) __attribute__((aligned(n)))
#define CUDARTAPI
#define CUDART_CB
#define CUDAAPI
#define CUDA_CB
#define __cdecl
#define __stdcall

// What nvcc 12.4 announces. clang's own name goes, so that sources take nvcc's path.
#undef __clang__
#undef __clang_major__
#undef __clang_minor__
#undef __clang_patchlevel__
#undef __clang_version__
#define __CUDACC__ 1
#define __NVCC__ 1
#define __CUDACC_VER_MAJOR__ 12
#define __CUDACC_VER_MINOR__ 4
#define __CUDACC_VER_BUILD__ 131
#define __CUDACC_EXTENDED_LAMBDA__ 1
#define __CUDACC_RELAXED_CONSTEXPR__ 1
#define __CUDACC_RDC__ 1
#define CUDART_VERSION 12040
#define CUDA_VERSION 12040
#define CUDA_API_PER_THREAD_DEFAULT_STREAM 0
// Guards of NVIDIA's headers: sources test them to see what is there.
#define __DRIVER_TYPES_H__
#define __CUDA_RUNTIME_H__
#define __CUDA_RUNTIME_API_H__
#define __VECTOR_TYPES_H__
#define __VECTOR_FUNCTIONS_H__
#define __HOST_DEFINES_H__
