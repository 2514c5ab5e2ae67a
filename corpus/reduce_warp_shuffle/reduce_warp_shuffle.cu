// Spelling 2 of 5: shuffles inside each warp, then one warp over the warps' sums.
__inline__ __device__ float warp_sum(float value) {
  for (int offset = 16; offset > 0; offset /= 2) {
    value += __shfl_down_sync(0xffffffff, value, offset);
  }
  return value;
}

__global__ void reduce_warp_shuffle(const float* in, float* out, int n) {
  __shared__ float warp_sums[32];
  int lane = threadIdx.x % 32;
  int warp = threadIdx.x / 32;
  float sum = 0.0f;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) {
    sum += in[i];
  }
  sum = warp_sum(sum);
  if (lane == 0) warp_sums[warp] = sum;
  __syncthreads();
  if (warp == 0) {
    sum = lane < blockDim.x / 32 ? warp_sums[lane] : 0.0f;
    sum = warp_sum(sum);
    if (lane == 0) out[blockIdx.x] = sum;
  }
}

void launch_reduce_warp_shuffle(const float* in, float* out, int n) {
  reduce_warp_shuffle<<<4, 256>>>(in, out, n);
}
