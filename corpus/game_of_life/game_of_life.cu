// Conway's rule on a torus of bytes.
__global__ void game_of_life(const unsigned char* now, unsigned char* next, int width, int height) {
  int x = blockIdx.x * blockDim.x + threadIdx.x;
  int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  int neighbours = 0;
  for (int dy = -1; dy <= 1; dy++) {
    for (int dx = -1; dx <= 1; dx++) {
      if (dx == 0 && dy == 0) continue;
      int sx = (x + dx + width) % width;
      int sy = (y + dy + height) % height;
      neighbours += now[sy * width + sx];
    }
  }
  next[y * width + x] = neighbours == 3 || (neighbours == 2 && now[y * width + x]);
}

void launch_life(const unsigned char* now, unsigned char* next, int width, int height) {
  game_of_life<<<dim3((width + 31) / 32, (height + 7) / 8), dim3(32, 8)>>>(now, next, width, height);
}
