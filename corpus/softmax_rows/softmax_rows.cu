// Softmax of each row, one block a row: max, sum of exponentials, scale. Shared-memory trees.
#include <float.h>

__global__ void softmax_rows(const float* in, float* out, int cols) {
  __shared__ float shared[128];
  const float* x = in + (size_t)blockIdx.x * cols;
  float* y = out + (size_t)blockIdx.x * cols;
  int tid = threadIdx.x;

  float top = -FLT_MAX;
  for (int c = tid; c < cols; c += 128) top = fmaxf(top, x[c]);
  shared[tid] = top;
  __syncthreads();
  for (int s = 64; s > 0; s >>= 1) {
    if (tid < s) shared[tid] = fmaxf(shared[tid], shared[tid + s]);
    __syncthreads();
  }
  top = shared[0];
  __syncthreads();

  float sum = 0.0f;
  for (int c = tid; c < cols; c += 128) sum += expf(x[c] - top);
  shared[tid] = sum;
  __syncthreads();
  for (int s = 64; s > 0; s >>= 1) {
    if (tid < s) shared[tid] += shared[tid + s];
    __syncthreads();
  }
  float scale = 1.0f / shared[0];
  for (int c = tid; c < cols; c += 128) y[c] = expf(x[c] - top) * scale;
}

void launch_softmax(const float* in, float* out, int rows, int cols) {
  softmax_rows<<<rows, 128>>>(in, out, cols);
}
