// Monte Carlo pi with a xorshift generator in registers; hits counted per block.
__device__ __forceinline__ unsigned int xorshift(unsigned int& state) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

__global__ void rng_monte_carlo(const unsigned int* seeds, unsigned int* hits, int draws) {
  __shared__ unsigned int total;
  if (threadIdx.x == 0) total = 0;
  __syncthreads();
  unsigned int state = seeds[blockIdx.x * blockDim.x + threadIdx.x] | 1u;
  unsigned int mine = 0;
  for (int d = 0; d < draws; ++d) {
    float x = (xorshift(state) >> 8) * (1.0f / 16777216.0f);
    float y = (xorshift(state) >> 8) * (1.0f / 16777216.0f);
    if (__fadd_rn(__fmul_rn(x, x), __fmul_rn(y, y)) <= 1.0f) ++mine;
  }
  atomicAdd(&total, mine);
  __syncthreads();
  if (threadIdx.x == 0) hits[blockIdx.x] = total;
}

void launch_monte_carlo(const unsigned int* seeds, unsigned int* hits, int blocks) {
  rng_monte_carlo<<<blocks, 96>>>(seeds, hits, 50);
}
