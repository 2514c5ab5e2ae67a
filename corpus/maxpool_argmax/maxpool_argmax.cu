// 2x2 max pooling over NCHW with the winning index kept for the backward pass.
__global__ void maxpool_argmax(const float* in, float* out, int* where, int channels, int height,
                               int width) {
  int out_w = width / 2, out_h = height / 2;
  int ox = blockIdx.x * blockDim.x + threadIdx.x;
  int oy = blockIdx.y * blockDim.y + threadIdx.y;
  int c = blockIdx.z;
  if (ox >= out_w || oy >= out_h) return;
  const float* plane = in + c * height * width;
  float best = plane[2 * oy * width + 2 * ox];
  int index = 2 * oy * width + 2 * ox;
#pragma unroll
  for (int k = 1; k < 4; ++k) {
    int i = (2 * oy + k / 2) * width + 2 * ox + k % 2;
    if (plane[i] > best) {
      best = plane[i];
      index = i;
    }
  }
  out[(c * out_h + oy) * out_w + ox] = best;
  where[(c * out_h + oy) * out_w + ox] = index;
}

void launch_maxpool(const float* in, float* out, int* where, int channels, int height, int width) {
  dim3 grid((width / 2 + 15) / 16, (height / 2 + 3) / 4, channels);
  maxpool_argmax<<<grid, dim3(16, 4)>>>(in, out, where, channels, height, width);
}
