// Integers the C way: wrapping, truncating division, shifts, mixed signedness, 64-bit, narrowing.
__global__ void integer_arithmetic(const int* a, const int* b, unsigned int* u, long long* w,
                                   short* s, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  int x = a[i], y = b[i];
  int d = y == 0 || (x == (int)0x80000000 && y == -1) ? 1 : y;
  unsigned int ux = (unsigned int)x;
  u[i] = (ux * 2654435761u) ^ (ux >> 13) ^ (unsigned int)(x >> 3) ^ (unsigned int)(x / d);
  w[i] = (long long)x * y + (x % d) - __mulhi(x, y) + (long long)__umulhi(ux, (unsigned int)y);
  s[i] = (short)((x << (y & 15)) + (signed char)y + (unsigned char)x);
}

void launch_integer_arithmetic(const int* a, const int* b, unsigned int* u, long long* w, short* s,
                               int n) {
  integer_arithmetic<<<(n + 127) / 128, 128>>>(a, b, u, w, s, n);
}
