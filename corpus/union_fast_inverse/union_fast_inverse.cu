// The bit-level inverse square root through a union, and the same trick with __float_as_int.
union Bits {
  float f;
  unsigned int u;
};

__global__ void union_fast_inverse(const float* in, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  Bits bits;
  bits.f = in[i];
  bits.u = 0x5f3759dfu - (bits.u >> 1);
  float y = bits.f;
  y = y * (1.5f - 0.5f * in[i] * y * y);
  int exponent = (__float_as_int(y) >> 23) & 0xff;
  out[i] = __int_as_float(__float_as_int(y) ^ ((exponent & 1) << 31));
}

void launch_union(const float* in, float* out, int n) {
  union_fast_inverse<<<(n + 127) / 128, 128>>>(in, out, n);
}
