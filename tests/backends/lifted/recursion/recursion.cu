// Functions that call themselves: at their end, twice, in a loop, through each other, for effects.
__device__ unsigned int gcd(unsigned int a, unsigned int b) { return b == 0 ? a : gcd(b, a % b); }

__device__ int paths(int n, int k) {
  if (k == 0 || k == n) return 1;
  return paths(n - 1, k - 1) + paths(n - 1, k);
}

__device__ bool is_odd(int n);
__device__ bool is_even(int n) { return n == 0 ? true : is_odd(n - 1); }
__device__ bool is_odd(int n) { return n == 0 ? false : is_even(n - 1); }

__device__ int weighed(const int* x, int low, int high, float scale) {
  if (high - low < 3) {
    int sum = 0;
    for (int i = low; i < high; ++i) sum += x[i];
    return sum;
  }
  int total = 0;
  for (int part = 0; part < 2; ++part) {
    int middle = (low + high) / 2;
    int found = part == 0 ? weighed(x, low, middle, scale * 0.5f)
                          : weighed(x, middle, high, scale * 0.25f);
    if (found > 50 && part == 0) continue;
    total += found * (1 + part) + (int)(scale * 8.0f);
  }
  return total;
}

__device__ void fill(int* y, int from, int count, int depth) {
  if (count == 0 || depth > 6) return;
  fill(y, from, count / 2, depth + 1);
  y[from + count / 2] += depth;
  fill(y, from + count / 2 + 1, count - count / 2 - 1, depth + 1);
}

__global__ void several_recursions(const int* x, int* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  y[i] = (int)gcd(x[i] * 12, x[i + 1] * 18) + paths(i % 7, i % 7 / 2) * 1000 + is_even(x[i]);
}

__global__ void recursion_in_a_loop(const int* x, int* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = weighed(x, i, i + 3 + i % 9, 1.0f);
}

__global__ void recursion_for_effects(int* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) fill(y, 32 * i, 31, 0);
}
