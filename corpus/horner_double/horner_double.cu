// A degree-7 polynomial in double precision, coefficients in constant memory.
__constant__ double coefficient[8];

__global__ void horner_double(const double* x, double* y, long long n) {
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  double t = x[i];
  double acc = coefficient[7];
  for (int k = 6; k >= 0; --k) acc = acc * t + coefficient[k];
  y[i] = acc;
}

void launch_horner(const double* host_coefficients, const double* x, double* y, long long n) {
  cudaMemcpyToSymbol(coefficient, host_coefficients, sizeof(coefficient));
  horner_double<<<(unsigned)((n + 255) / 256), 256>>>(x, y, n);
}
