// Parameters packed in a struct passed by value, one member a pointer.
struct Lens {
  float strength;
  float center_x;
  float center_y;
  int width;
  int height;
  const float* gain;
};

__global__ void lens_struct(Lens lens, const float* in, float* out) {
  int x = blockIdx.x * blockDim.x + threadIdx.x;
  int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= lens.width || y >= lens.height) return;
  float dx = x - lens.center_x;
  float dy = y - lens.center_y;
  float factor = 1.0f + lens.strength * (dx * dx + dy * dy);
  int sx = min(max((int)(lens.center_x + dx * factor), 0), lens.width - 1);
  int sy = min(max((int)(lens.center_y + dy * factor), 0), lens.height - 1);
  out[y * lens.width + x] = in[sy * lens.width + sx] * lens.gain[y];
}

void launch_lens(Lens lens, const float* in, float* out) {
  dim3 grid((lens.width + 31) / 32, (lens.height + 3) / 4);
  lens_struct<<<grid, dim3(32, 4)>>>(lens, in, out);
}
