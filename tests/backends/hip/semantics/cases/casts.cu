# Between half and bfloat16, a template's cast goes by way of float.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
template <class D, class S> __global__ void k(D* d, const S* s) { d[0] = static_cast<D>(s[0]); d[1] = (D)s[1]; d[2] = D(s[2]); }
void f(half* h, __nv_bfloat16* b) { k<half, __nv_bfloat16><<<1, 1>>>(h, b); }
---
#include <cuda_bf16.h>
#include <cuda_fp16.h>
template <class D, class S> __global__ void k(D* d, const S* s) { d[0] = cast_16<D>(s[0]); d[1] = cast_16<D>(s[1]); d[2] = cast_16<D>(s[2]); }
void f(half* h, __nv_bfloat16* b) { k<half, __nv_bfloat16><<<1, 1>>>(h, b); }

# Other casts stay.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
template <class D, class S> __global__ void k(D* d, const S* s) { d[0] = static_cast<D>(s[0]); }
void f(half* h, float* b, __nv_bfloat16* c) { k<half, float><<<1, 1>>>(h, b); k<float, __nv_bfloat16><<<1, 1>>>(b, c); }
---
#include <cuda_bf16.h>
#include <cuda_fp16.h>
template <class D, class S> __global__ void k(D* d, const S* s) { d[0] = static_cast<D>(s[0]); }
void f(half* h, float* b, __nv_bfloat16* c) { k<half, float><<<1, 1>>>(h, b); k<float, __nv_bfloat16><<<1, 1>>>(b, c); }
