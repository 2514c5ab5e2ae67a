// 3x3 median of an image: a local array sorted by insertion.
__global__ void median_window(const unsigned short* in, unsigned short* out, int width, int height) {
  int x = blockIdx.x * blockDim.x + threadIdx.x;
  int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  unsigned short window[9];
  int count = 0;
  for (int dy = -1; dy <= 1; ++dy) {
    for (int dx = -1; dx <= 1; ++dx) {
      int sx = min(max(x + dx, 0), width - 1);
      int sy = min(max(y + dy, 0), height - 1);
      window[count++] = in[sy * width + sx];
    }
  }
  for (int i = 1; i < 9; ++i) {
    unsigned short key = window[i];
    int j = i - 1;
    while (j >= 0 && window[j] > key) {
      window[j + 1] = window[j];
      --j;
    }
    window[j + 1] = key;
  }
  out[y * width + x] = window[4];
}

void launch_median(const unsigned short* in, unsigned short* out, int width, int height) {
  median_window<<<dim3((width + 15) / 16, (height + 15) / 16), dim3(16, 16)>>>(in, out, width, height);
}
