// y = A x for a CSR matrix, one thread a row: the loop's length differs between lanes.
__global__ void spmv_csr_scalar(int rows, const int* row_start, const int* col, const float* value,
                                const float* x, float* y) {
  int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  float sum = 0.0f;
  for (int k = row_start[row]; k < row_start[row + 1]; ++k) sum += value[k] * x[col[k]];
  y[row] = sum;
}

void launch_spmv(int rows, const int* row_start, const int* col, const float* value, const float* x,
                 float* y) {
  spmv_csr_scalar<<<(rows + 63) / 64, 64>>>(rows, row_start, col, value, x, y);
}
