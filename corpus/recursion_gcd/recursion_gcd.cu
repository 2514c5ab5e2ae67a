// Recursive device functions: Euclid's algorithm and a small binomial.
__device__ unsigned int gcd(unsigned int a, unsigned int b) { return b == 0 ? a : gcd(b, a % b); }

__device__ int binomial(int n, int k) {
  if (k == 0 || k == n) return 1;
  return binomial(n - 1, k - 1) + binomial(n - 1, k);
}

__global__ void recursion_gcd(const unsigned int* a, const unsigned int* b, unsigned int* out,
                              int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  out[i] = gcd(a[i], b[i]) + (unsigned int)binomial(i % 7, i % 7 / 2);
}

void launch_recursion(const unsigned int* a, const unsigned int* b, unsigned int* out, int n) {
  recursion_gcd<<<(n + 63) / 64, 64>>>(a, b, out, n);
}
