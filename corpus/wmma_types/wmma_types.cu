// Tensor cores in every element type of wmma, two warps a block with a tile each. The second warp
// goes one step further along k than the first where `uneven` is set.
#include <cuda_bf16.h>
#include <mma.h>

using namespace nvcuda;

// C = A * B, A row by row, B column by column, tiles of one warp below each other.
__global__ void wmma_bytes(const signed char* A, const signed char* B, int* C, int K, int uneven) {
  int warp = blockIdx.x * 2 + threadIdx.x / 32;
  int length = K - (uneven && threadIdx.x < 32 ? 16 : 0);
  wmma::fragment<wmma::matrix_a, 16, 16, 16, signed char, wmma::row_major> a;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, signed char, wmma::col_major> b;
  wmma::fragment<wmma::accumulator, 16, 16, 16, int> c;
  wmma::fill_fragment(c, 1);
  for (int k = 0; k < length; k += 16) {
    wmma::load_matrix_sync(a, A + warp * 16 * K + k, K);
    wmma::load_matrix_sync(b, B + k, K);
    wmma::mma_sync(c, a, b, c);
  }
  wmma::store_matrix_sync(C + warp * 16 * 16, c, 16, wmma::mem_row_major);
}

__global__ void wmma_bfloats(const __nv_bfloat16* A, const __nv_bfloat16* B, float* C, int K,
                             int uneven) {
  int warp = blockIdx.x * 2 + threadIdx.x / 32;
  int length = K - (uneven && threadIdx.x < 32 ? 16 : 0);
  wmma::fragment<wmma::matrix_a, 32, 8, 16, __nv_bfloat16, wmma::row_major> a;
  wmma::fragment<wmma::matrix_b, 32, 8, 16, __nv_bfloat16, wmma::col_major> b;
  wmma::fragment<wmma::accumulator, 32, 8, 16, float> c;
  wmma::fill_fragment(c, 0.0f);
  for (int k = 0; k < length; k += 16) {
    wmma::load_matrix_sync(a, A + warp * 32 * K + k, K);
    wmma::load_matrix_sync(b, B + k, K);
    wmma::mma_sync(c, a, b, c);
  }
  for (int i = 0; i < c.num_elements; ++i) c.x[i] = fmaxf(c.x[i], 0.0f);
  wmma::store_matrix_sync(C + warp * 32 * 8, c, 32, wmma::mem_col_major);
}

// Floats rounded to tf32 in the fragments, through shared memory.
__global__ void wmma_tf32(const float* A, const float* B, float* C, int K, int uneven) {
  __shared__ __align__(32) float tiles[2][16 * 8];
  int warp = blockIdx.x * 2 + threadIdx.x / 32, lane = threadIdx.x % 32;
  int length = K - (uneven && threadIdx.x < 32 ? 8 : 0);
  float* tile = tiles[threadIdx.x / 32];
  wmma::fragment<wmma::matrix_a, 16, 16, 8, wmma::precision::tf32, wmma::row_major> a;
  wmma::fragment<wmma::matrix_b, 16, 16, 8, wmma::precision::tf32, wmma::row_major> b;
  wmma::fragment<wmma::accumulator, 16, 16, 8, float> c;
  wmma::fill_fragment(c, 0.0f);
  for (int k = 0; k < length; k += 8) {
    for (int i = lane; i < 16 * 8; i += 32) tile[i] = A[(warp * 16 + i / 8) * K + k + i % 8];
    __syncwarp();
    wmma::load_matrix_sync(a, tile, 8);
    wmma::load_matrix_sync(b, B + k * 16, 16);
    for (int i = 0; i < a.num_elements; ++i) a.x[i] = wmma::__float_to_tf32(a.x[i]);
    for (int i = 0; i < b.num_elements; ++i) b.x[i] = wmma::__float_to_tf32(b.x[i]);
    wmma::mma_sync(c, a, b, c);
    __syncwarp();
  }
  wmma::store_matrix_sync(C + warp * 16 * 16, c, 16, wmma::mem_row_major);
}

__global__ void wmma_doubles(const double* A, const double* B, double* C, int K, int uneven) {
  int warp = blockIdx.x * 2 + threadIdx.x / 32;
  int length = K - (uneven && threadIdx.x < 32 ? 4 : 0);
  wmma::fragment<wmma::matrix_a, 8, 8, 4, double, wmma::row_major> a;
  wmma::fragment<wmma::matrix_b, 8, 8, 4, double, wmma::row_major> b;
  wmma::fragment<wmma::accumulator, 8, 8, 4, double> c;
  wmma::fill_fragment(c, 0.0);
  for (int k = 0; k < length; k += 4) {
    wmma::load_matrix_sync(a, A + warp * 8 * K + k, K);
    wmma::load_matrix_sync(b, B + k * 8, 8);
    wmma::mma_sync(c, a, b, c);
  }
  wmma::store_matrix_sync(C + warp * 8 * 8, c, 8, wmma::mem_row_major);
}

void launch_wmma_types(const signed char* A, const signed char* B, int* C, int K, int blocks) {
  wmma_bytes<<<blocks, 64>>>(A, B, C, K, 1);
}
