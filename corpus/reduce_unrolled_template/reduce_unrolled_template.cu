// Spelling 5 of 5: block size as a template parameter, the last warp without barriers.
template <unsigned int BLOCK>
__device__ void warp_tail(volatile int* shared, unsigned int tid) {
  int sum = shared[tid];
  if (BLOCK >= 64) { sum += shared[tid + 32]; __syncwarp(); shared[tid] = sum; __syncwarp(); }
  sum += shared[tid + 16]; __syncwarp(); shared[tid] = sum; __syncwarp();
  sum += shared[tid + 8]; __syncwarp(); shared[tid] = sum; __syncwarp();
  sum += shared[tid + 4]; __syncwarp(); shared[tid] = sum; __syncwarp();
  sum += shared[tid + 2]; __syncwarp(); shared[tid] = sum; __syncwarp();
  sum += shared[tid + 1]; __syncwarp(); shared[tid] = sum;
}

template <unsigned int BLOCK>
__global__ void reduce_unrolled(const int* in, int* out, unsigned int n) {
  extern __shared__ int shared[];
  unsigned int tid = threadIdx.x;
  unsigned int i = blockIdx.x * (BLOCK * 2) + tid;
  int sum = i < n ? in[i] : 0;
  if (i + BLOCK < n) sum += in[i + BLOCK];
  shared[tid] = sum;
  if (tid < 32) shared[BLOCK + tid] = 0;  // The tail reads past the block's own elements.
  __syncthreads();
  if (BLOCK >= 256) { if (tid < 128) shared[tid] += shared[tid + 128]; __syncthreads(); }
  if (BLOCK >= 128) { if (tid < 64) shared[tid] += shared[tid + 64]; __syncthreads(); }
  if (tid < 32) warp_tail<BLOCK>(shared, tid);
  if (tid == 0) out[blockIdx.x] = shared[0];
}

void launch_reduce_unrolled(const int* in, int* out, unsigned int n) {
  reduce_unrolled<256><<<(n + 511) / 512, 256, 288 * sizeof(int)>>>(in, out, n);
  reduce_unrolled<64><<<(n + 127) / 128, 64, 96 * sizeof(int)>>>(in, out, n);
}
