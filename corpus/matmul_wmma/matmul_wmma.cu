// Tensor cores through wmma: one warp a 16x16 output tile, half inputs, float accumulator.
#include <mma.h>

using namespace nvcuda;

__global__ void matmul_wmma(const __half* A, const __half* B, float* C, int M, int N, int K) {
  int tile_row = blockIdx.y;
  int tile_col = blockIdx.x;
  wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> a;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, __half, wmma::row_major> b;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> c;
  wmma::fill_fragment(c, 0.0f);
  for (int k = 0; k < K; k += 16) {
    wmma::load_matrix_sync(a, A + tile_row * 16 * K + k, K);
    wmma::load_matrix_sync(b, B + k * N + tile_col * 16, N);
    wmma::mma_sync(c, a, b, c);
  }
  for (int t = 0; t < c.num_elements; ++t) c.x[t] *= 0.5f;
  wmma::store_matrix_sync(C + tile_row * 16 * N + tile_col * 16, c, N, wmma::mem_row_major);
}

void launch_wmma(const __half* A, const __half* B, float* C, int M, int N, int K) {
  matmul_wmma<<<dim3(N / 16, M / 16), 32>>>(A, B, C, M, N, K);
}
