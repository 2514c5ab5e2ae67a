// All-pairs gravity: bodies pass through shared memory a block at a time.
#define BLOCK 64

__global__ void nbody_tiled(const float4* body, float3* force, int n, float softening) {
  __shared__ float4 tile[BLOCK];
  int i = blockIdx.x * BLOCK + threadIdx.x;
  float4 mine = i < n ? body[i] : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
  float3 sum = make_float3(0.0f, 0.0f, 0.0f);
  for (int t = 0; t < (n + BLOCK - 1) / BLOCK; ++t) {
    int j = t * BLOCK + threadIdx.x;
    tile[threadIdx.x] = j < n ? body[j] : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    __syncthreads();
#pragma unroll 8
    for (int k = 0; k < BLOCK; ++k) {
      float dx = tile[k].x - mine.x, dy = tile[k].y - mine.y, dz = tile[k].z - mine.z;
      float d2 = dx * dx + dy * dy + dz * dz + softening;
      float inverse = rsqrtf(d2);
      float s = tile[k].w * inverse * inverse * inverse;
      sum.x += dx * s;
      sum.y += dy * s;
      sum.z += dz * s;
    }
    __syncthreads();
  }
  if (i < n) force[i] = sum;
}

void launch_nbody(const float4* body, float3* force, int n) {
  nbody_tiled<<<(n + BLOCK - 1) / BLOCK, BLOCK>>>(body, force, n, 0.01f);
}
