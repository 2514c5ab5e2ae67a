// Loss and log-sum-exp of each row, with an ignored label; one warp a row, early exit for it.
__global__ void cross_entropy_rows(const float* logits, const long long* label, float* loss,
                                   float* lse, int rows, int classes, long long ignore) {
  const int row = blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5);
  const int lane = threadIdx.x & 31;
  if (row >= rows) return;
  if (label[row] == ignore) {
    if (lane == 0) {
      loss[row] = 0.0f;
      lse[row] = 0.0f;
    }
    return;
  }
  const float* x = logits + (size_t)row * classes;
  float top = -INFINITY;
  for (int c = lane; c < classes; c += 32) top = fmaxf(top, x[c]);
  for (int d = 16; d > 0; d >>= 1) top = fmaxf(top, __shfl_xor_sync(0xffffffff, top, d));
  float sum = 0.0f;
  for (int c = lane; c < classes; c += 32) sum += expf(x[c] - top);
  for (int d = 16; d > 0; d >>= 1) sum += __shfl_xor_sync(0xffffffff, sum, d);
  if (lane == 0) {
    float total = logf(sum) + top;
    lse[row] = total;
    loss[row] = total - x[label[row]];
  }
}

void launch_cross_entropy(const float* logits, const long long* label, float* loss, float* lse,
                          int rows, int classes) {
  cross_entropy_rows<<<(rows + 3) / 4, 128>>>(logits, label, loss, lse, rows, classes, -100);
}
