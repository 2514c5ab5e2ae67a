// Stream compaction: ballot and popcount rank the keepers of a warp, one atomic reserves a range.
__global__ void compact_ballot(const int* in, int* out, int* count, int n, int threshold) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int lane = threadIdx.x & 31;
  bool keep = i < n && in[i] > threshold;
  unsigned int mask = __ballot_sync(0xffffffff, keep);
  int rank = __popc(mask & ((1u << lane) - 1));
  int base = 0;
  if (lane == 0 && mask != 0) base = atomicAdd(count, __popc(mask));
  base = __shfl_sync(0xffffffff, base, 0);
  if (keep) out[base + rank] = in[i];
}

void launch_compact(const int* in, int* out, int* count, int n, int threshold) {
  compact_ballot<<<(n + 127) / 128, 128>>>(in, out, count, n, threshold);
}
