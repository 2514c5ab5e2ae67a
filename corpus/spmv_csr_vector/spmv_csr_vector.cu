// CSR product with eight lanes a row: a tile of eight, shuffles of width 8.
#include <cooperative_groups.h>

namespace cg = cooperative_groups;

__global__ void spmv_csr_vector(int rows, const int* row_start, const int* col, const float* value,
                                const float* x, float* y) {
  auto tile = cg::tiled_partition<8>(cg::this_thread_block());
  int row = (blockIdx.x * blockDim.x + threadIdx.x) / 8;
  if (row >= rows) return;
  float sum = 0.0f;
  for (int k = row_start[row] + tile.thread_rank(); k < row_start[row + 1]; k += 8) {
    sum += value[k] * x[col[k]];
  }
  for (int offset = 4; offset > 0; offset >>= 1) sum += tile.shfl_down(sum, offset);
  if (tile.thread_rank() == 0) y[row] = sum;
}

void launch_spmv_vector(int rows, const int* row_start, const int* col, const float* value,
                        const float* x, float* y) {
  spmv_csr_vector<<<(rows * 8 + 127) / 128, 128>>>(rows, row_start, col, value, x, y);
}
