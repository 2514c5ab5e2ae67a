// Sums of products in many forms, and some that are none: see test_contract.py.
#include <cuda_fp16.h>
#define BM 32
#define BN 32
#define BK 8
// A by columns, padded shared memory, four by four totals a thread, bias and ReLU behind the loop.
__global__ void gemm_cm(const float* A, const float* B, const float* bias, float* C, int M, int N, int K, float alpha) {
  __shared__ float As[BK][BM + 1];
  __shared__ float Bs[BK][BN];
  int tx = threadIdx.x % 8, ty = threadIdx.x / 8;
  float acc[4][4];
  for (int i = 0; i < 4; i++) for (int j = 0; j < 4; j++) acc[i][j] = 0.f;
  for (int k0 = 0; k0 < K; k0 += BK) {
    for (int l = threadIdx.x; l < BK * BM; l += 64) {
      int k = l / BM, m = l % BM;
      int gm = blockIdx.y * BM + m, gk = k0 + k;
      As[k][m] = (gm < M && gk < K) ? A[gk * M + gm] : 0.f;
    }
    for (int l = threadIdx.x; l < BK * BN; l += 64) {
      int k = l / BN, n = l % BN;
      int gn = blockIdx.x * BN + n, gk = k0 + k;
      if (gn < N && gk < K) Bs[k][n] = B[gk * N + gn]; else Bs[k][n] = 0.f;
    }
    __syncthreads();
    for (int k = 0; k < BK; k++)
      for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
          acc[i][j] += As[k][ty * 4 + i] * Bs[k][tx * 4 + j];
    __syncthreads();
  }
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      int r = blockIdx.y * BM + ty * 4 + i, c = blockIdx.x * BN + tx * 4 + j;
      if (r < M && c < N) C[r * N + c] = fmaxf(alpha * acc[i][j] + bias[c], 0.f);
    }
}
__global__ void matvec(const float* A, const float* x, float* y, int M, int N) {
  int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row < M) {
    float s = 0.f;
    for (int j = 0; j < N; j++) s += A[row * N + j] * x[j];
    y[row] = s;
  }
}
__global__ void matvec_t(const float* A, const float* x, float* y, int M, int N) {
  int col = blockIdx.x * blockDim.x + threadIdx.x;
  if (col >= N) return;
  float s = 0.f;
  for (int j = 0; j < M; j++) s += A[j * N + col] * x[j];
  y[col] += s;
}
__global__ void hgemm(const __half* A, const __half* B, float* C, int N) {
  int row = blockIdx.y * blockDim.y + threadIdx.y, col = blockIdx.x * blockDim.x + threadIdx.x;
  float s = 0.f;
  if (row < N && col < N) {
    for (int k = 0; k < N; k++) s += __half2float(A[row * N + k]) * __half2float(B[k * N + col]);
    C[row * N + col] = s;
  }
}
__global__ void batched(const float* A, const float* B, float* C, int n) {
  __shared__ float a[16][16], b[16][16];
  size_t base = (size_t)blockIdx.z * n * n;
  int row = blockIdx.y * 16 + threadIdx.y, col = blockIdx.x * 16 + threadIdx.x;
  float s = 0.f;
  for (int t = 0; t < n / 16; t++) {
    a[threadIdx.y][threadIdx.x] = A[base + row * n + t * 16 + threadIdx.x];
    b[threadIdx.y][threadIdx.x] = B[base + (t * 16 + threadIdx.y) * n + col];
    __syncthreads();
    for (int k = 0; k < 16; k++) s += a[threadIdx.y][k] * b[k][threadIdx.x];
    __syncthreads();
  }
  C[base + row * n + col] = s;
}
__global__ void nosync(const float* A, const float* B, float* C, int n) {
  __shared__ float a[16][16], b[16][16];
  int row = blockIdx.y * 16 + threadIdx.y, col = blockIdx.x * 16 + threadIdx.x;
  float s = 0.f;
  for (int t = 0; t < n / 16; t++) {
    a[threadIdx.y][threadIdx.x] = A[row * n + t * 16 + threadIdx.x];
    b[threadIdx.y][threadIdx.x] = B[(t * 16 + threadIdx.y) * n + col];
    __syncthreads();
    for (int k = 0; k < 16; k++) s += a[threadIdx.y][k] * b[k][threadIdx.x];
  }
  C[row * n + col] = s;
}
__global__ void pointers(const float* A, const float* B, float* C, int M, int N, int K) {
  const int cRow = blockIdx.x, cCol = blockIdx.y;
  __shared__ float As[32 * 32];
  __shared__ float Bs[32 * 32];
  const int threadCol = threadIdx.x % 32, threadRow = threadIdx.x / 32;
  A += cRow * 32 * K; B += cCol * 32; C += cRow * 32 * N + cCol * 32;
  float tmp = 0.0;
  for (int bkIdx = 0; bkIdx < K; bkIdx += 32) {
    As[threadRow * 32 + threadCol] = A[threadRow * K + threadCol];
    Bs[threadRow * 32 + threadCol] = B[threadRow * N + threadCol];
    __syncthreads();
    A += 32; B += 32 * N;
    for (int dotIdx = 0; dotIdx < 32; ++dotIdx) tmp += As[threadRow * 32 + dotIdx] * Bs[dotIdx * 32 + threadCol];
    __syncthreads();
  }
  C[threadRow * N + threadCol] = 0.5f * tmp + 2.0f * C[threadRow * N + threadCol];
}
__global__ void wrongtile(const float* A, const float* B, float* C, int n) {
  __shared__ float a[16][16], b[16][16];
  int row = blockIdx.y * 16 + threadIdx.y, col = blockIdx.x * 16 + threadIdx.x;
  float s = 0.f;
  for (int t = 0; t < n / 16; t++) {
    a[threadIdx.y][threadIdx.x] = A[row * n + t * 16 + threadIdx.x];
    b[threadIdx.y][threadIdx.x] = B[(t * 16 + threadIdx.y) * n + col];
    __syncthreads();
    for (int k = 0; k < 15; k++) s += a[threadIdx.y][k] * b[k][threadIdx.x];
    __syncthreads();
  }
  C[row * n + col] = s;
}
