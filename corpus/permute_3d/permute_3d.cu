// (depth, height, width) -> (width, depth, height) with a 3-D block and a 3-D grid.
__global__ void permute_3d(const short* in, short* out, int depth, int height, int width) {
  int x = blockIdx.x * blockDim.x + threadIdx.x;
  int y = blockIdx.y * blockDim.y + threadIdx.y;
  int z = blockIdx.z * blockDim.z + threadIdx.z;
  if (x >= width || y >= height || z >= depth) return;
  out[(x * depth + z) * height + y] = in[(z * height + y) * width + x];
}

void launch_permute(const short* in, short* out, int depth, int height, int width) {
  dim3 block(8, 4, 4);
  dim3 grid((width + 7) / 8, (height + 3) / 4, (depth + 3) / 4);
  permute_3d<<<grid, block>>>(in, out, depth, height, width);
}
