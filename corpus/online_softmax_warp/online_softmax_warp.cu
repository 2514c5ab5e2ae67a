// Softmax with a running maximum and a rescaled sum, one warp a row, both merged by shuffles.
__global__ void online_softmax_warp(const float* in, float* out, int rows, int cols) {
  int row = blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= rows) return;
  float top = -INFINITY, sum = 0.0f;
  for (int c = threadIdx.x; c < cols; c += 32) {
    float v = in[row * cols + c];
    float new_top = fmaxf(top, v);
    sum = sum * expf(top - new_top) + expf(v - new_top);
    top = new_top;
  }
  for (int mask = 16; mask; mask >>= 1) {
    float other_top = __shfl_xor_sync(0xffffffff, top, mask);
    float other_sum = __shfl_xor_sync(0xffffffff, sum, mask);
    float new_top = fmaxf(top, other_top);
    float mine = top == -INFINITY ? 0.0f : sum * expf(top - new_top);
    float theirs = other_top == -INFINITY ? 0.0f : other_sum * expf(other_top - new_top);
    sum = mine + theirs;
    top = new_top;
  }
  for (int c = threadIdx.x; c < cols; c += 32) {
    out[row * cols + c] = expf(in[row * cols + c] - top) / sum;
  }
}

void launch_online_softmax(const float* in, float* out, int rows, int cols) {
  online_softmax_warp<<<(rows + 3) / 4, dim3(32, 4)>>>(in, out, rows, cols);
}
