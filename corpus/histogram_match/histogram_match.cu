// Global histogram; lanes with the same bin agree by __match_any_sync, the first of them adds.
__global__ void histogram_match(const int* keys, int* bins, int n, int bin_count) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned int active = __ballot_sync(0xffffffff, i < n);
  if (i >= n) return;
  int bin = keys[i] % bin_count;
  unsigned int peers = __match_any_sync(active, bin);
  int leader = __ffs((int)peers) - 1;
  if ((int)(threadIdx.x & 31) == leader) atomicAdd(&bins[bin], __popc(peers));
}

void launch_histogram_match(const int* keys, int* bins, int n, int bin_count) {
  histogram_match<<<(n + 127) / 128, 128>>>(keys, bins, n, bin_count);
}
