// 64x64 block tile, 4x4 outputs a thread held in registers, K in steps of 16. Sizes divide evenly.
template <int BM, int BN, int BK, int TM, int TN>
__global__ void matmul_register_tiled(const float* A, const float* B, float* C, int M, int N,
                                      int K) {
  __shared__ float As[BK][BM];
  __shared__ float Bs[BK][BN];
  const int threads = (BM / TM) * (BN / TN);
  int tid = threadIdx.x;
  int thread_row = tid / (BN / TN);
  int thread_col = tid % (BN / TN);
  const float* a_tile = A + blockIdx.y * BM * K;
  const float* b_tile = B + blockIdx.x * BN;

  float acc[TM][TN] = {};
  float a_reg[TM], b_reg[TN];
  for (int k0 = 0; k0 < K; k0 += BK) {
    for (int i = tid; i < BM * BK; i += threads) As[i % BK][i / BK] = a_tile[(i / BK) * K + k0 + i % BK];
    for (int i = tid; i < BK * BN; i += threads) Bs[i / BN][i % BN] = b_tile[(k0 + i / BN) * N + i % BN];
    __syncthreads();
#pragma unroll
    for (int k = 0; k < BK; ++k) {
#pragma unroll
      for (int m = 0; m < TM; ++m) a_reg[m] = As[k][thread_row * TM + m];
#pragma unroll
      for (int n = 0; n < TN; ++n) b_reg[n] = Bs[k][thread_col * TN + n];
#pragma unroll
      for (int m = 0; m < TM; ++m) {
#pragma unroll
        for (int n = 0; n < TN; ++n) acc[m][n] += a_reg[m] * b_reg[n];
      }
    }
    __syncthreads();
  }
  for (int m = 0; m < TM; ++m) {
    for (int n = 0; n < TN; ++n) {
      C[(blockIdx.y * BM + thread_row * TM + m) * N + blockIdx.x * BN + thread_col * TN + n] = acc[m][n];
    }
  }
}

void launch_matmul_register_tiled(const float* A, const float* B, float* C, int M, int N, int K) {
  matmul_register_tiled<64, 64, 16, 4, 4><<<dim3(N / 64, M / 64), 256>>>(A, B, C, M, N, K);
}
