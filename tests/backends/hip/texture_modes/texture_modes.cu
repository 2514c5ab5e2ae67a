// A 2-D texture at places around and far outside it: each kernel reads what another address mode
// and filter make of the same coordinates.
__device__ float sample(cudaTextureObject_t image, const float* u, const float* v, int i) {
  return tex2D<float>(image, u[i], v[i]);
}

__global__ void wrap_linear(cudaTextureObject_t image, const float* u, const float* v, float* out,
                            int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = sample(image, u, v, i);
}

__global__ void mirror_linear(cudaTextureObject_t image, const float* u, const float* v, float* out,
                              int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = sample(image, u, v, i);
}

__global__ void clamp_linear(cudaTextureObject_t image, const float* u, const float* v, float* out,
                             int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = sample(image, u, v, i);
}

__global__ void mirror_point(cudaTextureObject_t image, const float* u, const float* v, float* out,
                             int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = sample(image, u, v, i);
}

// Four channels, wrapped, without a filter.
__global__ void wrap_four(cudaTextureObject_t image, const float* u, const float* v, float* out,
                          int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float4 texel = tex2D<float4>(image, u[i], v[i]);
  out[i] = texel.x + 2.0f * texel.y + 4.0f * texel.z + 8.0f * texel.w;
}

void launch_texture_modes(cudaTextureObject_t image, const float* u, const float* v, float* out, int n) {
  wrap_linear<<<(n + 127) / 128, 128>>>(image, u, v, out, n);
}
