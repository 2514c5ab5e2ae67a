# Pairs have another name, single ones a function that exchanges the word.
#include <cuda_fp16.h>
__global__ void k(__half2* a, __half* b, float* c, __half2 v) { atomicAdd(a, v); atomicAdd(b, v.x); atomicAdd(c, 1.0f); }
---
#include <cuda_fp16.h>
__global__ void k(__half2* a, __half* b, float* c, __half2 v) { unsafeAtomicAdd(a, v); atomic_add_16(b, v.x); atomicAdd(c, 1.0f); }
