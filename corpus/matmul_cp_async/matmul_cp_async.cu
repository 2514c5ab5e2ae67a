// Double-buffered tiles filled with asynchronous copies (cp.async through cuda_pipeline.h).
#include <cuda_pipeline.h>

#define TILE 16

__global__ void matmul_cp_async(const float* A, const float* B, float* C, int N) {
  __shared__ float As[2][TILE][TILE];
  __shared__ float Bs[2][TILE][TILE];
  int tx = threadIdx.x, ty = threadIdx.y;
  int row = blockIdx.y * TILE + ty;
  int col = blockIdx.x * TILE + tx;
  int tiles = N / TILE;
  __pipeline_memcpy_async(&As[0][ty][tx], &A[row * N + tx], sizeof(float));
  __pipeline_memcpy_async(&Bs[0][ty][tx], &B[ty * N + col], sizeof(float));
  __pipeline_commit();
  float acc = 0.0f;
  for (int t = 0; t < tiles; ++t) {
    int now = t & 1;
    if (t + 1 < tiles) {
      __pipeline_memcpy_async(&As[now ^ 1][ty][tx], &A[row * N + (t + 1) * TILE + tx], sizeof(float));
      __pipeline_memcpy_async(&Bs[now ^ 1][ty][tx], &B[((t + 1) * TILE + ty) * N + col], sizeof(float));
      __pipeline_commit();
      __pipeline_wait_prior(1);
    } else {
      __pipeline_wait_prior(0);
    }
    __syncthreads();
    for (int k = 0; k < TILE; ++k) acc += As[now][ty][k] * Bs[now][k][tx];
    __syncthreads();
  }
  C[row * N + col] = acc;
}

void launch_matmul_cp_async(const float* A, const float* B, float* C, int N) {
  matmul_cp_async<<<dim3(N / TILE, N / TILE), dim3(TILE, TILE)>>>(A, B, C, N);
}
