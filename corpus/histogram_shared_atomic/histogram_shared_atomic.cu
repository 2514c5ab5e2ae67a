// 256-bin byte histogram: one private histogram a block, merged with global atomics.
__global__ void histogram_shared_atomic(const unsigned char* data, unsigned int* bins, int n) {
  __shared__ unsigned int local[256];
  for (int b = threadIdx.x; b < 256; b += blockDim.x) local[b] = 0;
  __syncthreads();
  int stride = blockDim.x * gridDim.x;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) {
    atomicAdd(&local[data[i]], 1u);
  }
  __syncthreads();
  for (int b = threadIdx.x; b < 256; b += blockDim.x) {
    if (local[b] != 0) atomicAdd(&bins[b], local[b]);
  }
}

void launch_histogram(const unsigned char* data, unsigned int* bins, int n) {
  histogram_shared_atomic<<<4, 192>>>(data, bins, n);
}
