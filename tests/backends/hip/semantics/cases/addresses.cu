# The number of a shared address is its offset in LDS.
__device__ unsigned f(float* p) { return (unsigned)__cvta_generic_to_shared(p + 1); }
---
__device__ unsigned f(float* p) { return (unsigned)((size_t)(p + 1) & 0xffffffff); }

# And back.
__device__ float f(size_t a) { return *(float*)__cvta_shared_to_generic(a); }
---
__device__ float f(size_t a) { return *(float*)((void*)lds_pointer<char>(a)); }

# Inside one another.
__device__ void* f(int* p, int v) { return __cvta_global_to_generic(__cvta_generic_to_global(p + __shfl_sync(~0u, v, 0))); }
---
__device__ void* f(int* p, int v) { return ((void*)(((size_t)(p + __shfl(v, 0, 32))))); }
