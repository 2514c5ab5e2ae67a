// Matrices that a warp holds in parts: wmma of several shapes and layouts, elementwise use of them.
#include <mma.h>

using namespace nvcuda;

template <int M, int N, int K, class T, class LA, class LB>
__device__ void product(const T* a, const T* b, float* c, int lda, int ldb, int ldc) {
  wmma::fragment<wmma::matrix_a, M, N, K, T, LA> fa;
  wmma::fragment<wmma::matrix_b, M, N, K, T, LB> fb;
  wmma::fragment<wmma::accumulator, M, N, K, float> fc;
  wmma::load_matrix_sync(fc, c, ldc, wmma::mem_col_major);
  wmma::load_matrix_sync(fa, a, lda);
  wmma::load_matrix_sync(fb, b, ldb);
  wmma::mma_sync(fc, fa, fb, fc);
  for (int i = 0; i < fc.num_elements; ++i) fc.x[i] = fc.x[i] * 2.0f - 1.0f;
  wmma::store_matrix_sync(c, fc, ldc, wmma::mem_row_major);
}

__global__ void wide_product(const __half* a, const __half* b, float* c) {
  int w = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
  product<8, 32, 16, __half, wmma::row_major, wmma::col_major>(a + w, b + 8 * w, c + 1024 * w, 24, 16, 32);
}

__global__ void high_product(const __half* a, const __half* b, float* c) {
  int w = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
  product<32, 8, 16, __half, wmma::col_major, wmma::row_major>(a + w, b + 8 * w, c + 1024 * w, 32, 8, 32);
}

__global__ void half_totals(const __half* a, const __half* b, __half* c) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, __half, wmma::col_major> fb[2];
  wmma::fragment<wmma::accumulator, 16, 16, 16, __half> fc[2];
  for (int j = 0; j < 2; ++j) {
    wmma::fill_fragment(fc[j], __float2half(0.0f));
    wmma::load_matrix_sync(fb[j], b + 256 * j, 16);
  }
  wmma::load_matrix_sync(fa, a + 16 * blockIdx.x, 16);
  for (int j = 0; j < 2; ++j) {
    wmma::mma_sync(fc[j], fa, fb[j], fc[j]);
    wmma::store_matrix_sync(c + 512 * blockIdx.x + 256 * j, fc[j], 16, wmma::mem_col_major);
  }
}

__global__ void bytes_product(const signed char* a, const signed char* b, int* c) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, signed char, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, signed char, wmma::row_major> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 16, int> fc;
  wmma::fill_fragment(fc, 5);
  wmma::load_matrix_sync(fa, a, 16);
  wmma::load_matrix_sync(fb, b, 16);
  wmma::mma_sync(fc, fa, fb, fc);
  wmma::store_matrix_sync(c + 256 * blockIdx.x, fc, 16, wmma::mem_row_major);
}
