// HIP's complex numbers (pairs of floats or doubles), for toolchains whose headers lack them.

#pragma once

#include <hip/hip_runtime.h>

#include <cmath>

typedef float2 hipFloatComplex;
typedef double2 hipDoubleComplex;
typedef hipFloatComplex hipComplex;

#define CP_COMPLEX(C, T, f, make, conj, add, sub, mul, div, abs, sqabs, root)                      \
  __host__ __device__ static inline C make(T re, T im) {                                           \
    C z;                                                                                           \
    z.x = re;                                                                                      \
    z.y = im;                                                                                      \
    return z;                                                                                      \
  }                                                                                                \
  __host__ __device__ static inline T hipCreal##f(C z) { return z.x; }                             \
  __host__ __device__ static inline T hipCimag##f(C z) { return z.y; }                             \
  __host__ __device__ static inline C conj(C z) { return make(z.x, -z.y); }                        \
  __host__ __device__ static inline C add(C p, C q) { return make(p.x + q.x, p.y + q.y); }         \
  __host__ __device__ static inline C sub(C p, C q) { return make(p.x - q.x, p.y - q.y); }         \
  __host__ __device__ static inline C mul(C p, C q) {                                              \
    return make(p.x * q.x - p.y * q.y, p.x * q.y + p.y * q.x);                                     \
  }                                                                                                \
  __host__ __device__ static inline T sqabs(C z) { return z.x * z.x + z.y * z.y; }                 \
  __host__ __device__ static inline C div(C p, C q) {                                              \
    T d = sqabs(q);                                                                                \
    return make((p.x * q.x + p.y * q.y) / d, (p.y * q.x - p.x * q.y) / d);                         \
  }                                                                                                \
  __host__ __device__ static inline T abs(C z) { return root(z.x, z.y); }
CP_COMPLEX(hipFloatComplex, float, f, make_hipFloatComplex, hipConjf, hipCaddf, hipCsubf, hipCmulf,
           hipCdivf, hipCabsf, hipCsqabsf, hypotf)
CP_COMPLEX(hipDoubleComplex, double, , make_hipDoubleComplex, hipConj, hipCadd, hipCsub, hipCmul,
           hipCdiv, hipCabs, hipCsqabs, hypot)
#undef CP_COMPLEX

__host__ __device__ static inline hipComplex make_hipComplex(float re, float im) {
  return make_hipFloatComplex(re, im);
}
__host__ __device__ static inline hipFloatComplex hipComplexDoubleToFloat(hipDoubleComplex z) {
  return make_hipFloatComplex((float)z.x, (float)z.y);
}
__host__ __device__ static inline hipDoubleComplex hipComplexFloatToDouble(hipFloatComplex z) {
  return make_hipDoubleComplex(z.x, z.y);
}
__host__ __device__ static inline hipComplex hipCfmaf(hipComplex p, hipComplex q, hipComplex r) {
  return hipCaddf(hipCmulf(p, q), r);
}
__host__ __device__ static inline hipDoubleComplex hipCfma(hipDoubleComplex p, hipDoubleComplex q,
                                                           hipDoubleComplex r) {
  return hipCadd(hipCmul(p, q), r);
}
