// Cells that several threads give the same value; reductions of cooperative groups in two levels.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
namespace cg = cooperative_groups;

__global__ void norm_of_rows(const float* in, float* out, int n) {
  __shared__ float sums[32];
  __shared__ int length;
  cg::thread_block block = cg::this_thread_block();
  cg::thread_block_tile<32> warp = cg::tiled_partition<32>(block);
  length = n * 4;
  __syncthreads();
  float sum = 0.0f;
  for (int i = threadIdx.x; i < length; i += blockDim.x) sum += in[blockIdx.x * 256 + i];
  sum = cg::reduce(warp, sum, cg::plus<float>{});
  sums[warp.meta_group_rank()] = sum;
  __syncthreads();
  float part = warp.thread_rank() < warp.meta_group_size() ? sums[warp.thread_rank()] : 0.0f;
  float whole = cg::reduce(warp, part, cg::plus<float>{});
  for (int i = threadIdx.x; i < length; i += blockDim.x)
    out[blockIdx.x * 256 + i] = in[blockIdx.x * 256 + i] / whole;
}

void launch_norm(const float* in, float* out, int n) { norm_of_rows<<<2, 128>>>(in, out, n); }

__global__ void all_write_the_top(const int* in, int* out, int n) {
  __shared__ int top[4];
  int value = in[blockIdx.x * 128 + threadIdx.x];
  for (int d = 16; d > 0; d >>= 1) value = max(value, __shfl_xor_sync(0xffffffffu, value, d));
  top[threadIdx.x / 32] = value;
  __syncthreads();
  out[blockIdx.x * 128 + threadIdx.x] = top[3 - threadIdx.x / 32] * n + top[0];
}

void launch_top(const int* in, int* out, int n) { all_write_the_top<<<2, 128>>>(in, out, n); }

__global__ void reduced_minimum(const unsigned int* in, unsigned int* out) {
  __shared__ unsigned int low[8];
  unsigned int mine = in[blockIdx.x * 128 + threadIdx.x];
  low[threadIdx.x / 32] = __reduce_min_sync(0xffffffffu, mine);
  __syncthreads();
  out[blockIdx.x * 128 + threadIdx.x] = mine - low[threadIdx.x / 64];
}

void launch_minimum(const unsigned int* in, unsigned int* out) {
  reduced_minimum<<<2, 128>>>(in, out);
}
