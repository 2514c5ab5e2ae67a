// Population count, leading zeros, bit reversal, byte permutation, funnel shifts.
__global__ void bit_tricks(const unsigned int* in, unsigned int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  unsigned int x = in[i];
  unsigned int r = __popc(x) + (__clz((int)x) << 8) + (__ffs((int)x) << 16);
  r ^= __brev(x);
  r += __byte_perm(x, ~x, 0x5140);
  r ^= __funnelshift_l(x, r, 7) + __funnelshift_r(r, x, 11);
  unsigned long long wide = ((unsigned long long)x << 32) | r;
  r += __popcll(wide) ^ __clzll((long long)wide);
  out[i] = r;
}

void launch_bit_tricks(const unsigned int* in, unsigned int* out, int n) {
  bit_tricks<<<(n + 255) / 256, 256>>>(in, out, n);
}
