// LayerNorm of each row with Welford's running mean and variance merged across a warp.
__global__ void layernorm_welford(const float* in, const float* gamma, const float* beta,
                                  float* out, int rows, int cols, float eps) {
  int row = blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= rows) return;
  const float* x = in + row * cols;
  float mean = 0.0f, m2 = 0.0f, count = 0.0f;
  for (int c = threadIdx.x; c < cols; c += 32) {
    count += 1.0f;
    float delta = x[c] - mean;
    mean += delta / count;
    m2 += delta * (x[c] - mean);
  }
  for (int offset = 16; offset > 0; offset >>= 1) {
    float other_mean = __shfl_xor_sync(0xffffffff, mean, offset);
    float other_m2 = __shfl_xor_sync(0xffffffff, m2, offset);
    float other_count = __shfl_xor_sync(0xffffffff, count, offset);
    float total = count + other_count;
    if (total > 0.0f) {
      float delta = other_mean - mean;
      m2 += other_m2 + delta * delta * count * other_count / total;
      mean = (mean * count + other_mean * other_count) / total;
    }
    count = total;
  }
  float scale = rsqrtf(m2 / cols + eps);
  for (int c = threadIdx.x; c < cols; c += 32) {
    out[row * cols + c] = (x[c] - mean) * scale * gamma[c] + beta[c];
  }
}

void launch_layernorm(const float* in, const float* gamma, const float* beta, float* out, int rows,
                      int cols) {
  layernorm_welford<<<(rows + 3) / 4, dim3(32, 4)>>>(in, gamma, beta, out, rows, cols, 1e-5f);
}
