// Image rotation through a 2-D texture: bilinear filtering, border address mode.
__global__ void texture_bilinear(cudaTextureObject_t image, float* out, int width, int height,
                                 float cosine, float sine) {
  int x = blockIdx.x * blockDim.x + threadIdx.x;
  int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  float u = x - width * 0.5f;
  float v = y - height * 0.5f;
  float sx = u * cosine - v * sine + width * 0.5f;
  float sy = v * cosine + u * sine + height * 0.5f;
  out[y * width + x] = tex2D<float>(image, sx + 0.5f, sy + 0.5f);
}

void launch_texture(cudaTextureObject_t image, float* out, int width, int height) {
  dim3 grid((width + 15) / 16, (height + 15) / 16);
  texture_bilinear<<<grid, dim3(16, 16)>>>(image, out, width, height, 0.875f, 0.484375f);
}
