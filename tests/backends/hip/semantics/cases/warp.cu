# A shuffle loses its mask and names its width.
__device__ float f(float v) { return __shfl_down_sync(0xffffffff, v, 16); }
---
__device__ float f(float v) { return __shfl_down(v, 16, 32); }

# A width that is there stays.
__device__ int f(int v) { return __shfl_xor_sync(~0u, v, 1, 8); }
---
__device__ int f(int v) { return __shfl_xor(v, 1, 8); }

# Shuffles nest, also in the mask.
__device__ int f(int v) { return __shfl_sync(__activemask(), __shfl_up_sync(-1, v, 1), 0); }
---
__device__ int f(int v) { return __shfl(__shfl_up(v, 1, 32), 0, 32); }

# The forms of before CUDA 9 mean 32 lanes too.
__device__ int f(int v) { return __shfl_down(v, 1) + __shfl(v, 0, 16); }
---
__device__ int f(int v) { return __shfl_down(v, 1, 32) + __shfl(v, 0, 16); }

# In a macro's body.
#define NEXT(v) __shfl_down_sync(0xffffffff, v, 1)
__device__ int f(int v) { return NEXT(v); }
---
#define NEXT(v) __shfl_down(v, 1, 32)
__device__ int f(int v) { return NEXT(v); }

# In a branch that is not compiled.
#if 0
__device__ int f(int v) { return __shfl_sync(0xffffffff, v, 0); }
#endif
__global__ void k() {}
---
#if 0
__device__ int f(int v) { return __shfl(v, 0, 32); }
#endif
__global__ void k() {}

# A mask that does something stays, evaluated first.
__device__ int next(int*);
__device__ int f(int v, int* p) { return __shfl_sync(next(p), v, 0); }
---
__device__ int next(int*);
__device__ int f(int v, int* p) { return __shfl(((void)(next(p)), v), 0, 32); }

# A comment in the arguments stays.
__device__ int f(int v) { return __shfl_sync(0xffffffff, v /* mine */, 0 /* first */); }
---
__device__ int f(int v) { return __shfl(v /* mine */, 0 /* first */, 32); }

# warpSize is the program's 32, a member of that name is not.
struct S { int warpSize; };
__device__ int f(S s) { return threadIdx.x % warpSize + s.warpSize; }
---
struct S { int warpSize; };
__device__ int f(S s) { return threadIdx.x % 32 + s.warpSize; }

# A name that the program defines is the program's.
__device__ int __shfl_sync(int a, int b, int c) { return a + b + c; }
__device__ int f(int v) { return __shfl_sync(1, v, 0); }
---
__device__ int __shfl_sync(int a, int b, int c) { return a + b + c; }
__device__ int f(int v) { return __shfl_sync(1, v, 0); }

# What a HIP branch says stays.
#ifdef __HIP_PLATFORM_AMD__
__device__ int f(int v) { return __shfl(v, 0) + warpSize; }
#else
__device__ int f(int v) { return __shfl_sync(0xffffffff, v, 0); }
#endif
---
#ifdef __HIP_PLATFORM_AMD__
__device__ int f(int v) { return __shfl(v, 0) + warpSize; }
#else
__device__ int f(int v) { return __shfl(v, 0, 32); }
#endif

# HIP's shuffles take no bfloat16: where one comes along, a function that takes any type.
#include <cuda_bf16.h>
template <class T> __device__ T f(T v) { return __shfl_xor_sync(~0u, v, 1); }
__global__ void k(__nv_bfloat16* p, int* q) { *p = f(*p); *q = __shfl_sync(~0u, f(*q), 1); }
---
#include <cuda_bf16.h>
template <class T> __device__ T f(T v) { return warp32_shfl_xor(v, 1, 32); }
__global__ void k(__nv_bfloat16* p, int* q) { *p = f(*p); *q = __shfl(f(*q), 1, 32); }
