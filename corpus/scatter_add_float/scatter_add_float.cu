// Scatter-add of rows into an embedding gradient: float atomics whose order nobody fixes.
__global__ void scatter_add_float(const int* index, const float* grad, float* table, int rows,
                                  int dim) {
  int d = blockIdx.x * blockDim.x + threadIdx.x;
  int r = blockIdx.y;
  if (d < dim) atomicAdd(&table[index[r] * dim + d], grad[r * dim + d]);
}

void launch_scatter_add(const int* index, const float* grad, float* table, int rows, int dim) {
  scatter_add_float<<<dim3((dim + 63) / 64, rows), 64>>>(index, grad, table, rows, dim);
}
