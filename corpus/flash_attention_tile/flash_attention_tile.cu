// Flash attention, one query a thread: key/value tiles in shared memory, online softmax.
#include <float.h>

template <int DIM, int TILE>
__global__ void flash_attention(const float* Q, const float* K, const float* V, float* out, int len,
                                float scale) {
  __shared__ float Ks[TILE][DIM];
  __shared__ float Vs[TILE][DIM];
  int head = blockIdx.y;
  const size_t base = (size_t)head * len * DIM;
  int row = blockIdx.x * TILE + threadIdx.x;
  float q[DIM], acc[DIM];
  for (int d = 0; d < DIM; ++d) {
    q[d] = row < len ? Q[base + row * DIM + d] * scale : 0.0f;
    acc[d] = 0.0f;
  }
  float top = -FLT_MAX, sum = 0.0f;
  for (int k0 = 0; k0 < len; k0 += TILE) {
    int key = k0 + threadIdx.x;
    for (int d = 0; d < DIM; ++d) {
      Ks[threadIdx.x][d] = key < len ? K[base + key * DIM + d] : 0.0f;
      Vs[threadIdx.x][d] = key < len ? V[base + key * DIM + d] : 0.0f;
    }
    __syncthreads();
    int last = min(TILE, len - k0);
    for (int j = 0; j < last; ++j) {
      float s = 0.0f;
#pragma unroll
      for (int d = 0; d < DIM; ++d) s += q[d] * Ks[j][d];
      float new_top = fmaxf(top, s);
      float shrink = expf(top - new_top);
      float p = expf(s - new_top);
      sum = sum * shrink + p;
#pragma unroll
      for (int d = 0; d < DIM; ++d) acc[d] = acc[d] * shrink + p * Vs[j][d];
      top = new_top;
    }
    __syncthreads();
  }
  if (row < len) {
    for (int d = 0; d < DIM; ++d) out[base + row * DIM + d] = acc[d] / sum;
  }
}

void launch_flash(const float* Q, const float* K, const float* V, float* out, int heads, int len) {
  flash_attention<32, 32><<<dim3((len + 31) / 32, heads), 32>>>(Q, K, V, out, len, 0.1767767f);
}
