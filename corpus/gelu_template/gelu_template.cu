// Tanh GELU, templated on the element type; arithmetic in float for both instances.
#include <cuda_fp16.h>

__device__ inline float to_float(float v) { return v; }
__device__ inline float to_float(__half v) { return __half2float(v); }
template <typename T>
__device__ T from_float(float v);
template <>
__device__ inline float from_float<float>(float v) { return v; }
template <>
__device__ inline __half from_float<__half>(float v) { return __float2half(v); }

template <typename T>
__global__ void gelu(const T* in, T* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float x = to_float(in[i]);
  float inner = 0.7978845608f * (x + 0.044715f * x * x * x);
  out[i] = from_float<T>(0.5f * x * (1.0f + tanhf(inner)));
}

void launch_gelu(const float* in, float* out, int n) {
  gelu<float><<<(n + 127) / 128, 128>>>(in, out, n);
}

void launch_gelu(const __half* in, __half* out, int n) {
  gelu<__half><<<(n + 127) / 128, 128>>>(in, out, n);
}
