// Escape times: a divergent while loop with a break, one pixel a thread.
__global__ void mandelbrot(int* iterations, int width, int height, float scale, int limit) {
  int px = blockIdx.x * blockDim.x + threadIdx.x;
  int py = blockIdx.y * blockDim.y + threadIdx.y;
  if (px >= width || py >= height) return;
  float cr = (px - width / 2) * scale - 0.5f;
  float ci = (py - height / 2) * scale;
  float zr = 0.0f, zi = 0.0f;
  int count = 0;
  while (count < limit) {
    float r2 = __fmul_rn(zr, zr), i2 = __fmul_rn(zi, zi);
    if (r2 + i2 > 4.0f) break;
    zi = __fadd_rn(__fmul_rn(2.0f * zr, zi), ci);
    zr = __fadd_rn(__fsub_rn(r2, i2), cr);
    ++count;
  }
  iterations[py * width + px] = count;
}

void launch_mandelbrot(int* iterations, int width, int height) {
  dim3 grid((width + 15) / 16, (height + 7) / 8);
  mandelbrot<<<grid, dim3(16, 8)>>>(iterations, width, height, 0.03125f, 100);
}
