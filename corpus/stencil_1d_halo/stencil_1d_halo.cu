// Seven-point 1-D stencil; the block stages its elements and a halo in shared memory.
#define RADIUS 3
#define BLOCK 128

__global__ void stencil_1d_halo(const int* in, int* out, int n) {
  __shared__ int staged[BLOCK + 2 * RADIUS];
  int g = blockIdx.x * blockDim.x + threadIdx.x;
  int s = threadIdx.x + RADIUS;
  staged[s] = g < n ? in[g] : 0;
  if (threadIdx.x < RADIUS) {
    staged[s - RADIUS] = g >= RADIUS && g - RADIUS < n ? in[g - RADIUS] : 0;
    staged[s + BLOCK] = g + BLOCK < n ? in[g + BLOCK] : 0;
  }
  __syncthreads();
  int sum = 0;
  for (int offset = -RADIUS; offset <= RADIUS; offset++) sum += staged[s + offset];
  if (g < n) out[g] = sum;
}

void launch_stencil(const int* in, int* out, int n) {
  stencil_1d_halo<<<(n + BLOCK - 1) / BLOCK, BLOCK>>>(in, out, n);
}
