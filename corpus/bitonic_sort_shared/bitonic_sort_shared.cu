// Bitonic sort of each block's 256 keys in shared memory, payload carried along.
#define COUNT 256

__global__ void bitonic_sort_shared(unsigned int* keys, int* payload) {
  __shared__ unsigned int k[COUNT];
  __shared__ int p[COUNT];
  int tid = threadIdx.x;
  int base = blockIdx.x * COUNT;
  k[tid] = keys[base + tid];
  p[tid] = payload[base + tid];
  __syncthreads();
  for (int size = 2; size <= COUNT; size <<= 1) {
    for (int stride = size >> 1; stride > 0; stride >>= 1) {
      int other = tid ^ stride;
      if (other > tid) {
        bool up = (tid & size) == 0;
        // Equal keys are ordered by payload, so that the result is unique.
        bool greater = k[tid] > k[other] || (k[tid] == k[other] && p[tid] > p[other]);
        if (greater == up) {
          unsigned int key = k[tid]; k[tid] = k[other]; k[other] = key;
          int load = p[tid]; p[tid] = p[other]; p[other] = load;
        }
      }
      __syncthreads();
    }
  }
  keys[base + tid] = k[tid];
  payload[base + tid] = p[tid];
}

void launch_bitonic(unsigned int* keys, int* payload, int blocks) {
  bitonic_sort_shared<<<blocks, COUNT>>>(keys, payload);
}
