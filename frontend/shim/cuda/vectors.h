// Vector types with CUDA's sizes and alignments, dim3, and the built-in indices.
#pragma once

#define SHIM_VECTORS(name, type, align2, align4)                                     \
    struct name##1 { type x; };                                                      \
    struct __attribute__((aligned(align2))) name##2 { type x, y; };                  \
    struct name##3 { type x, y, z; };                                                \
    struct __attribute__((aligned(align4))) name##4 { type x, y, z, w; };            \
    name##1 make_##name##1(type x);                                                  \
    name##2 make_##name##2(type x, type y);                                          \
    name##3 make_##name##3(type x, type y, type z);                                  \
    name##4 make_##name##4(type x, type y, type z, type w);
SHIM_VECTORS(char, signed char, 2, 4)
SHIM_VECTORS(uchar, unsigned char, 2, 4)
SHIM_VECTORS(short, short, 4, 8)
SHIM_VECTORS(ushort, unsigned short, 4, 8)
SHIM_VECTORS(int, int, 8, 16)
SHIM_VECTORS(uint, unsigned int, 8, 16)
SHIM_VECTORS(long, long, 16, 16)
SHIM_VECTORS(ulong, unsigned long, 16, 16)
SHIM_VECTORS(longlong, long long, 16, 16)
SHIM_VECTORS(ulonglong, unsigned long long, 16, 16)
SHIM_VECTORS(float, float, 8, 16)
SHIM_VECTORS(double, double, 16, 16)
#undef SHIM_VECTORS

struct dim3 {
    unsigned int x, y, z;
    constexpr dim3(unsigned int x = 1, unsigned int y = 1, unsigned int z = 1) : x(x), y(y), z(z) {}
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
    operator uint3() const;
};

#pragma clang force_cuda_host_device end
extern const __device__ uint3 threadIdx;
extern const __device__ uint3 blockIdx;
extern const __device__ dim3 blockDim;
extern const __device__ dim3 gridDim;
extern const __device__ int warpSize;
#pragma clang force_cuda_host_device begin
