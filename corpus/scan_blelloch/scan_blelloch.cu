// Work-efficient exclusive scan of one block's 2*BLOCK elements, with padding against conflicts.
#define BLOCK 128
#define PAD(i) ((i) + ((i) >> 5))

__global__ void scan_blelloch(const unsigned int* in, unsigned int* out, unsigned int* totals,
                              int n) {
  __shared__ unsigned int temp[2 * BLOCK + 8];
  int tid = threadIdx.x;
  int base = blockIdx.x * 2 * BLOCK;
  int lo = base + tid, hi = base + tid + BLOCK;
  temp[PAD(tid)] = lo < n ? in[lo] : 0;
  temp[PAD(tid + BLOCK)] = hi < n ? in[hi] : 0;
  int offset = 1;
  for (int d = BLOCK; d > 0; d >>= 1) {
    __syncthreads();
    if (tid < d) {
      int a = offset * (2 * tid + 1) - 1;
      int b = offset * (2 * tid + 2) - 1;
      temp[PAD(b)] += temp[PAD(a)];
    }
    offset *= 2;
  }
  if (tid == 0) {
    totals[blockIdx.x] = temp[PAD(2 * BLOCK - 1)];
    temp[PAD(2 * BLOCK - 1)] = 0;
  }
  for (int d = 1; d <= BLOCK; d *= 2) {
    offset >>= 1;
    __syncthreads();
    if (tid < d) {
      int a = offset * (2 * tid + 1) - 1;
      int b = offset * (2 * tid + 2) - 1;
      unsigned int t = temp[PAD(a)];
      temp[PAD(a)] = temp[PAD(b)];
      temp[PAD(b)] += t;
    }
  }
  __syncthreads();
  if (lo < n) out[lo] = temp[PAD(tid)];
  if (hi < n) out[hi] = temp[PAD(tid + BLOCK)];
}

void launch_scan_blelloch(const unsigned int* in, unsigned int* out, unsigned int* totals, int n) {
  scan_blelloch<<<(n + 255) / 256, BLOCK>>>(in, out, totals, n);
}
