// cuRAND's device API: one generator a thread, two normals each.
#include <curand_kernel.h>

__global__ void curand_noise(float* out, int n, unsigned long long seed) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  curandStatePhilox4_32_10_t state;
  curand_init(seed, i, 0, &state);
  out[2 * i] = curand_uniform(&state);
  out[2 * i + 1] = curand_uniform(&state) - 0.5f;
}

void launch_curand(float* out, int n, unsigned long long seed) {
  curand_noise<<<(n + 63) / 64, 64>>>(out, n, seed);
}
