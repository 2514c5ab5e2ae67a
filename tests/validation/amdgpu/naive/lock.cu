// A lock that every warp of 32 takes for itself: halves of a wave of 64 wait for each other.
__global__ void lock_taken_by_each_warp(const int* in, int* out, int* lock, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if ((threadIdx.x & 31) == 0) {
    while (atomicCAS(lock, 0, 1) != 0) {
    }
    out[0] += in[i];
    __threadfence();
    atomicExch(lock, 0);
  }
}

void launch(const int* in, int* out, int* lock, int n) {
  lock_taken_by_each_warp<<<n / 256, 256>>>(in, out, lock, n);
}
