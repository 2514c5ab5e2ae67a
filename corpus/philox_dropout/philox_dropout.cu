// Dropout whose mask comes from a counter: ten rounds of Philox 4x32, no state in memory.
__device__ uint4 philox(uint4 counter, uint2 key) {
  for (int round = 0; round < 10; ++round) {
    unsigned int hi0 = __umulhi(0xD2511F53u, counter.x), lo0 = 0xD2511F53u * counter.x;
    unsigned int hi1 = __umulhi(0xCD9E8D57u, counter.z), lo1 = 0xCD9E8D57u * counter.z;
    counter = make_uint4(hi1 ^ counter.y ^ key.x, lo1, hi0 ^ counter.w ^ key.y, lo0);
    key.x += 0x9E3779B9u;
    key.y += 0xBB67AE85u;
  }
  return counter;
}

__global__ void philox_dropout(const float* in, float* out, unsigned char* mask, int n,
                               unsigned int threshold, float scale, unsigned long long seed) {
  int quad = blockIdx.x * blockDim.x + threadIdx.x;
  if (quad * 4 >= n) return;
  uint2 key = make_uint2((unsigned int)seed, (unsigned int)(seed >> 32));
  uint4 r = philox(make_uint4(quad, 0, 0, 0), key);
  unsigned int draw[4] = {r.x, r.y, r.z, r.w};
  for (int k = 0; k < 4 && quad * 4 + k < n; ++k) {
    int i = quad * 4 + k;
    bool keep = draw[k] >= threshold;
    mask[i] = keep;
    out[i] = keep ? in[i] * scale : 0.0f;
  }
}

void launch_dropout(const float* in, float* out, unsigned char* mask, int n) {
  philox_dropout<<<(n / 4 + 128) / 128, 128>>>(in, out, mask, n, 0x40000000u, 4.0f / 3.0f, 1234ull);
}
