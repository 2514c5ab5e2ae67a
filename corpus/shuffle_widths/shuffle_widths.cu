// Shuffles of width 4, 8 and 16, a lane chosen at run time, doubles and 64-bit integers.
__global__ void shuffle_widths(const int* in, int* out, double* sums, long long* rotated) {
  int tid = threadIdx.x;
  int i = blockIdx.x * blockDim.x + tid;
  int v = in[i];
  int a = __shfl_sync(0xffffffff, v, 0, 4);
  int b = __shfl_up_sync(0xffffffff, v, 3, 8);
  int c = __shfl_down_sync(0xffffffff, v, 5, 16);
  int d = __shfl_xor_sync(0xffffffff, v, 7, 16);
  int e = __shfl_sync(0xffffffff, v, v & 31);
  out[i] = a + 3 * b + 5 * c + 7 * d + 11 * e;
  double s = v * 0.5;
  for (int offset = 8; offset > 0; offset >>= 1) s += __shfl_xor_sync(0xffffffff, s, offset, 16);
  sums[i] = s;
  rotated[i] = __shfl_sync(0xffffffff, (long long)v << 20, (tid + 1) % 32);
}

void launch_shuffle_widths(const int* in, int* out, double* sums, long long* rotated, int blocks) {
  shuffle_widths<<<blocks, 64>>>(in, out, sums, rotated);
}
