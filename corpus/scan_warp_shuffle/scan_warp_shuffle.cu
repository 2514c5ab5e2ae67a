// Inclusive block scan: shuffle-up within warps, then the warps' totals scanned by the first warp.
__global__ void scan_warp_shuffle(const int* in, int* out, int n) {
  __shared__ int totals[32];
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int lane = threadIdx.x & 31;
  int warp = threadIdx.x >> 5;
  int value = i < n ? in[i] : 0;
#pragma unroll
  for (int d = 1; d < 32; d <<= 1) {
    int other = __shfl_up_sync(0xffffffffu, value, d);
    if (lane >= d) value += other;
  }
  if (lane == 31) totals[warp] = value;
  __syncthreads();
  if (warp == 0) {
    int total = lane < (blockDim.x >> 5) ? totals[lane] : 0;
    for (int d = 1; d < 32; d <<= 1) {
      int other = __shfl_up_sync(0xffffffffu, total, d);
      if (lane >= d) total += other;
    }
    totals[lane] = total;
  }
  __syncthreads();
  if (warp > 0) value += totals[warp - 1];
  if (i < n) out[i] = value;
}

void launch_scan_warp(const int* in, int* out, int n) {
  scan_warp_shuffle<<<(n + 255) / 256, 256>>>(in, out, n);
}
