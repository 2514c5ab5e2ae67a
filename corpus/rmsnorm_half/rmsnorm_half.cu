// RMS norm of half rows, templated on the block size; sums in float, half2 loads.
#include <cuda_fp16.h>

template <int BLOCK>
__global__ void rmsnorm_half(const __half2* in, const __half2* weight, __half2* out, int pairs,
                             float eps) {
  __shared__ float sums[BLOCK];
  const __half2* x = in + blockIdx.x * pairs;
  float sum = 0.0f;
  for (int c = threadIdx.x; c < pairs; c += BLOCK) {
    float2 v = __half22float2(x[c]);
    sum += v.x * v.x + v.y * v.y;
  }
  sums[threadIdx.x] = sum;
  __syncthreads();
#pragma unroll
  for (int s = BLOCK / 2; s > 0; s >>= 1) {
    if (threadIdx.x < s) sums[threadIdx.x] += sums[threadIdx.x + s];
    __syncthreads();
  }
  float scale = rsqrtf(sums[0] / (2 * pairs) + eps);
  for (int c = threadIdx.x; c < pairs; c += BLOCK) {
    float2 v = __half22float2(x[c]);
    float2 w = __half22float2(weight[c]);
    out[blockIdx.x * pairs + c] = __floats2half2_rn(v.x * scale * w.x, v.y * scale * w.y);
  }
}

void launch_rmsnorm(const __half2* in, const __half2* weight, __half2* out, int rows, int pairs) {
  rmsnorm_half<64><<<rows, 64>>>(in, weight, out, pairs, 1e-6f);
  rmsnorm_half<256><<<rows, 256>>>(in, weight, out, pairs, 1e-6f);
}
