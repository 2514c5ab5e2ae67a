// Block-wide barriers that also vote: count, and, or.
__global__ void sync_votes(const int* in, int* out, int n, int limit) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int v = i < n ? in[i] : 0;
  int rounds = 0;
  while (__syncthreads_or(v > limit)) {
    if (v > limit) v >>= 1;
    ++rounds;
  }
  int odd = __syncthreads_count(v & 1);
  int all = __syncthreads_and(v >= 0);
  if (i < n) out[i] = v + 1000 * rounds + 100000 * odd + (all ? 1 : 0);
}

void launch_sync_votes(const int* in, int* out, int n, int limit) {
  sync_votes<<<(n + 95) / 96, 96>>>(in, out, n, limit);
}
