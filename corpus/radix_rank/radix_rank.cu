// One pass of a block-local radix sort: a stable rank of 4-bit digits by counting earlier equals.
#define BLOCK 128

__global__ void radix_rank(const unsigned int* in, unsigned int* out, int shift) {
  __shared__ unsigned int digit[BLOCK];
  __shared__ int count[16];
  __shared__ int start[16];
  int tid = threadIdx.x;
  unsigned int key = in[blockIdx.x * BLOCK + tid];
  unsigned int d = (key >> shift) & 15u;
  digit[tid] = d;
  if (tid < 16) count[tid] = 0;
  __syncthreads();
  atomicAdd(&count[d], 1);
  int rank = 0;
  for (int j = 0; j < tid; ++j) rank += digit[j] == d;
  __syncthreads();
  if (tid == 0) {
    int total = 0;
    for (int b = 0; b < 16; ++b) {
      start[b] = total;
      total += count[b];
    }
  }
  __syncthreads();
  out[blockIdx.x * BLOCK + start[d] + rank] = key;
}

void launch_radix_rank(const unsigned int* in, unsigned int* out, int blocks, int shift) {
  radix_rank<<<blocks, BLOCK>>>(in, out, shift);
}
