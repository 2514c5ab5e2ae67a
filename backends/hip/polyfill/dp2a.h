// Two products of 16 by 8 bits added to a 32-bit sum; the 8-bit factors are the low or high pair.
static __device__ inline int crossport_dp2a(int a, int b, int c, int shift) {
  for (int i = 0; i < 2; ++i) {
    c += static_cast<short>(a >> (16 * i)) * static_cast<signed char>(b >> (shift + 8 * i));
  }
  return c;
}
static __device__ inline unsigned crossport_dp2a(unsigned a, unsigned b, unsigned c, int shift) {
  for (int i = 0; i < 2; ++i) c += ((a >> (16 * i)) & 0xffffu) * ((b >> (shift + 8 * i)) & 0xffu);
  return c;
}
template <typename T>
static __device__ inline T crossport_dp2a_lo(T a, T b, T c) { return crossport_dp2a(a, b, c, 0); }
template <typename T>
static __device__ inline T crossport_dp2a_hi(T a, T b, T c) { return crossport_dp2a(a, b, c, 16); }
