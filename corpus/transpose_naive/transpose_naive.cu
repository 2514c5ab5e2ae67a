// The transpose that reads rows and writes columns: strided, uncoalesced stores.
__global__ void transpose_naive(const float* in, float* out, int width, int height) {
  int x = blockIdx.x * blockDim.x + threadIdx.x;
  int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x < width && y < height) out[x * height + y] = in[y * width + x];
}

void launch_transpose_naive(const float* in, float* out, int width, int height) {
  dim3 block(32, 8);
  dim3 grid((width + 31) / 32, (height + 7) / 8);
  transpose_naive<<<grid, block>>>(in, out, width, height);
}
