// Each warp reverses and adds its own row of shared memory; __syncwarp, no block barrier.
#define WARPS 4

__global__ void syncwarp_exchange(const float* in, float* out, int n) {
  __shared__ float row[WARPS][32];
  int lane = threadIdx.x & 31;
  int warp = threadIdx.x >> 5;
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  float v = i < n ? in[i] : 0.0f;
  row[warp][lane] = v;
  __syncwarp();
  float mirrored = row[warp][31 - lane];
  __syncwarp();
  row[warp][(lane + 1) & 31] = mirrored;
  __syncwarp();
  if (i < n) out[i] = v - row[warp][lane];
}

void launch_syncwarp(const float* in, float* out, int n) {
  syncwarp_exchange<<<(n + 127) / 128, 128>>>(in, out, n);
}
