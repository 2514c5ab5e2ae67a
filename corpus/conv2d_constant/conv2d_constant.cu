// 5x5 convolution of a zero-padded image, filter in constant memory.
#define RADIUS 2

__constant__ float filter[(2 * RADIUS + 1) * (2 * RADIUS + 1)];

__global__ void conv2d_constant(const float* in, float* out, int width, int height) {
  int x = blockIdx.x * blockDim.x + threadIdx.x;
  int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  float sum = 0.0f;
  for (int dy = -RADIUS; dy <= RADIUS; ++dy) {
    for (int dx = -RADIUS; dx <= RADIUS; ++dx) {
      int sx = x + dx, sy = y + dy;
      if (sx >= 0 && sx < width && sy >= 0 && sy < height) {
        sum += in[sy * width + sx] * filter[(dy + RADIUS) * (2 * RADIUS + 1) + dx + RADIUS];
      }
    }
  }
  out[y * width + x] = sum;
}

void launch_conv2d(const float* weights, const float* in, float* out, int width, int height) {
  cudaMemcpyToSymbol(filter, weights, sizeof(filter));
  conv2d_constant<<<dim3((width + 15) / 16, (height + 15) / 16), dim3(16, 16)>>>(in, out, width, height);
}
