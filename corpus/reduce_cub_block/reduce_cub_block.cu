// CUB's block reduction inside our own kernel: maximum of absolute values, one result a block.
#include <cub/cub.cuh>

struct Larger {
  __device__ float operator()(float a, float b) const { return a > b ? a : b; }
};

__global__ void reduce_cub_block(const float* in, float* out, int n) {
  typedef cub::BlockReduce<float, 128> BlockReduce;
  __shared__ typename BlockReduce::TempStorage storage;
  float best = 0.0f;
  for (int i = blockIdx.x * 128 + threadIdx.x; i < n; i += gridDim.x * 128) {
    best = fmaxf(best, fabsf(in[i]));
  }
  best = BlockReduce(storage).Reduce(best, Larger());
  if (threadIdx.x == 0) out[blockIdx.x] = best;
}

void launch_reduce_cub(const float* in, float* out, int n) {
  reduce_cub_block<<<4, 128>>>(in, out, n);
}
