// Spelling 1 of 5: a tree in shared memory, halving the active threads each step.
__global__ void reduce_shared_tree(const float* in, float* out, int n) {
  __shared__ float buffer[256];
  int tid = threadIdx.x;
  int i = blockIdx.x * 256 + tid;
  buffer[tid] = i < n ? in[i] : 0.0f;
  __syncthreads();
  for (int stride = 128; stride > 0; stride >>= 1) {
    if (tid < stride) buffer[tid] += buffer[tid + stride];
    __syncthreads();
  }
  if (tid == 0) out[blockIdx.x] = buffer[0];
}

void launch_reduce_shared_tree(const float* in, float* out, int n) {
  reduce_shared_tree<<<(n + 255) / 256, 256>>>(in, out, n);
}
