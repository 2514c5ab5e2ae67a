// Grid-stride loop: a fixed grid walks an array of any length.
__global__ void saxpy_grid_stride(int n, float alpha, const float* __restrict__ x,
                                  float* __restrict__ y) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) {
    y[i] = alpha * x[i] + y[i];
  }
}

void launch_saxpy(int n, float alpha, const float* x, float* y) {
  saxpy_grid_stride<<<8, 128>>>(n, alpha, x, y);
}
