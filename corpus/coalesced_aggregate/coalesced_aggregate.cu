// Warp-aggregated increments: the lanes inside a branch form a coalesced group.
#include <cooperative_groups.h>

namespace cg = cooperative_groups;

__device__ int reserve(int* counter) {
  cg::coalesced_group active = cg::coalesced_threads();
  int base = 0;
  if (active.thread_rank() == 0) base = atomicAdd(counter, (int)active.size());
  return active.shfl(base, 0) + active.thread_rank();
}

__global__ void coalesced_aggregate(const int* in, int* out, int* counter, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n && in[i] % 3 == 0) {
    int slot = reserve(counter);
    out[slot] = in[i];
  }
}

void launch_coalesced(const int* in, int* out, int* counter, int n) {
  coalesced_aggregate<<<(n + 127) / 128, 128>>>(in, out, counter, n);
}
