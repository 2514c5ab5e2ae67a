// The integer warp reductions of compute capability 8: add, min, max, and, or, xor.
__global__ void warp_reduce_hardware(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int lane = threadIdx.x & 31;
  int v = i < n ? in[i] : 0;
  int sum = __reduce_add_sync(0xffffffff, v);
  int low = __reduce_min_sync(0xffffffff, v);
  int high = __reduce_max_sync(0xffffffff, v);
  unsigned int both = __reduce_and_sync(0xffffffff, (unsigned int)v | 1u);
  unsigned int either = __reduce_or_sync(0xffffffff, (unsigned int)v);
  unsigned int parity = __reduce_xor_sync(0xffffffff, (unsigned int)v);
  if (lane == 0) {
    int* row = out + (i / 32) * 6;
    row[0] = sum;
    row[1] = low;
    row[2] = high;
    row[3] = (int)both;
    row[4] = (int)either;
    row[5] = (int)parity;
  }
}

void launch_warp_reduce(const int* in, int* out, int n) {
  warp_reduce_hardware<<<(n + 63) / 64, 64>>>(in, out, n);
}
