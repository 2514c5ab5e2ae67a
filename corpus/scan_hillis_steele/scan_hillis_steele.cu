// Inclusive scan of each block, double-buffered in dynamic shared memory.
__global__ void scan_hillis_steele(const int* in, int* out, int n) {
  extern __shared__ int buffer[];
  int tid = threadIdx.x;
  int size = blockDim.x;
  int i = blockIdx.x * size + tid;
  int ping = 0;
  buffer[tid] = i < n ? in[i] : 0;
  __syncthreads();
  for (int offset = 1; offset < size; offset *= 2) {
    int pong = 1 - ping;
    int value = buffer[ping * size + tid];
    if (tid >= offset) value += buffer[ping * size + tid - offset];
    buffer[pong * size + tid] = value;
    ping = pong;
    __syncthreads();
  }
  if (i < n) out[i] = buffer[ping * size + tid];
}

void launch_scan(const int* in, int* out, int n) {
  scan_hillis_steele<<<(n + 127) / 128, 128, 2 * 128 * sizeof(int)>>>(in, out, n);
}
