// Column reads of an unpadded 32x32 tile: a 32-way bank conflict on purpose.
__global__ void shared_bank_conflict(const float* in, float* out) {
  __shared__ float tile[32][32];
  int base = blockIdx.x * 1024;
  int x = threadIdx.x, y = threadIdx.y;
  tile[y][x] = in[base + y * 32 + x];
  __syncthreads();
  out[base + y * 32 + x] = tile[x][y];
}

void launch_bank_conflict(const float* in, float* out, int tiles) {
  shared_bank_conflict<<<tiles, dim3(32, 32)>>>(in, out);
}
