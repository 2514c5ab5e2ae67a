// Row-wise argmax: butterfly shuffles of (value, index) pairs; ties go to the lower index.
__global__ void argmax_butterfly(const float* in, int* index, float* value, int cols) {
  const float* row = in + blockIdx.x * cols;
  float best = -INFINITY;
  int where = cols;
  for (int c = threadIdx.x; c < cols; c += 32) {
    if (row[c] > best) {
      best = row[c];
      where = c;
    }
  }
  for (int mask = 16; mask > 0; mask >>= 1) {
    float other = __shfl_xor_sync(0xffffffff, best, mask);
    int other_where = __shfl_xor_sync(0xffffffff, where, mask);
    if (other > best || (other == best && other_where < where)) {
      best = other;
      where = other_where;
    }
  }
  if (threadIdx.x == 0) {
    index[blockIdx.x] = where;
    value[blockIdx.x] = best;
  }
}

void launch_argmax(const float* in, int* index, float* value, int rows, int cols) {
  argmax_butterfly<<<rows, 32>>>(in, index, value, cols);
}
