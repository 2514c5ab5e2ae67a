// Pairs of bfloat16 from floats, rounded to nearest even.
static __device__ inline __hip_bfloat162 crossport_floats2bfloat162(float low, float high) {
  return __hip_bfloat162{__float2bfloat16(low), __float2bfloat16(high)};
}
static __device__ inline __hip_bfloat162 crossport_float2bfloat162(float value) {
  return crossport_floats2bfloat162(value, value);
}
static __host__ __device__ inline __hip_bfloat162 crossport_make_bfloat162(
    __hip_bfloat16 low, __hip_bfloat16 high) {
  return __hip_bfloat162{low, high};
}
