// One element a thread, with the usual guard for the ragged last block.
__global__ void vecadd(const float* a, const float* b, float* c, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i] + b[i];
}

void launch_vecadd(const float* a, const float* b, float* c, int n) {
  vecadd<<<(n + 255) / 256, 256>>>(a, b, c, n);
}
