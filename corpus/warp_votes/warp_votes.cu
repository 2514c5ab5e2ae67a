// any, all, ballot, active mask arithmetic and a partial mask for half a warp.
__global__ void warp_votes(const int* in, unsigned int* ballots, int* flags, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int lane = threadIdx.x % 32;
  int value = i < n ? in[i] : 0;
  unsigned int odd = __ballot_sync(0xffffffffu, value & 1);
  int any = __any_sync(0xffffffffu, value > 90);
  int all = __all_sync(0xffffffffu, value >= 0);
  unsigned int low = 0;
  if (lane < 16) low = __ballot_sync(0x0000ffffu, value > 50);
  int below = __popc(odd & ((1u << lane) - 1u));
  if (i < n) {
    ballots[i] = odd ^ (low << 16);
    flags[i] = any | (all << 1) | (below << 2) | ((__clz(odd) & 31) << 8) | ((odd >> 31) << 16);
  }
}

void launch_warp_votes(const int* in, unsigned int* ballots, int* flags, int n) {
  warp_votes<<<(n + 63) / 64, 64>>>(in, ballots, flags, n);
}
