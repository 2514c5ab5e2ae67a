// Reads every stride-th element: how many sectors a request touches is the stride's doing.
__global__ void strided_gather(const float* in, float* out, int n, int stride, int offset) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = 2.0f * in[i * stride + offset];
}

void launch_strided(const float* in, float* out, int n, int stride, int offset) {
  strided_gather<<<(n + 127) / 128, 128>>>(in, out, n, stride, offset);
}
