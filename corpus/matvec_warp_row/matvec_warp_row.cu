// y = A x in double, one warp a row, tiled partition of 32 lanes over the columns.
__global__ void matvec_warp_row(const double* A, const double* x, double* y, int rows, int cols) {
  int lane = threadIdx.x % warpSize;
  int row = (blockIdx.x * blockDim.x + threadIdx.x) / warpSize;
  if (row >= rows) return;
  double sum = 0.0;
  for (int c = lane; c < cols; c += warpSize) sum += A[(size_t)row * cols + c] * x[c];
  for (int offset = warpSize / 2; offset > 0; offset /= 2) {
    sum += __shfl_down_sync(0xffffffff, sum, offset);
  }
  if (lane == 0) y[row] = sum;
}

void launch_matvec(const double* A, const double* x, double* y, int rows, int cols) {
  matvec_warp_row<<<(rows + 3) / 4, 128>>>(A, x, y, rows, cols);
}
