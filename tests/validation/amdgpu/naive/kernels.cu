// Right on warps of 32; wrong on waves of 64 when only the names are changed. One idea a kernel;
// each takes n ints, gives n ints, and is launched with blocks of 256.
#define FULL 0xffffffffu

__global__ void broadcast_of_the_first_lane(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = __shfl_sync(FULL, in[i], 0);
}

__global__ void broadcast_of_the_last_lane(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x & 31, v = in[i] & 1023;
  for (int o = 1; o < 32; o *= 2) {
    int other = __shfl_up_sync(FULL, v, o);
    if (lane >= o) v += other;
  }
  out[i] = __shfl_sync(FULL, v, 31);
}

__global__ void rotation_by_lane_and_31(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x & 31;
  out[i] = __shfl_sync(FULL, in[i], (lane + 1) & 31);
}

__global__ void shuffle_down_stops_at_the_last_lane(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = __shfl_down_sync(FULL, in[i], 1);
}

__global__ void shuffle_up_stops_at_the_first_lane(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = __shfl_up_sync(FULL, in[i], 3);
}

__global__ void ballot_in_32_bits(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned votes = __ballot_sync(FULL, in[i] > 0);
  out[i] = __popc(votes);
}

__global__ void rank_below_lane_and_31(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x & 31;
  unsigned votes = __ballot_sync(FULL, in[i] > 0);
  out[i] = __popc(votes & ((1u << lane) - 1));
}

__global__ void own_bit_of_the_ballot(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned votes = __ballot_sync(FULL, in[i] > 0);
  out[i] = votes >> (threadIdx.x & 31) & 1;
}

__global__ void leader_by_find_first_set(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned votes = __ballot_sync(FULL, in[i] > 500);
  int leader = votes ? __ffs(votes) - 1 : 0;
  out[i] = __shfl_sync(FULL, in[i], leader);
}

__global__ void any_of_32(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = __any_sync(FULL, in[i] > 970) ? 1 : 0;
}

__global__ void all_of_32(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = __all_sync(FULL, in[i] > -970) ? 1 : 0;
}

__global__ void rounds_until_all_32_are_done(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, left = in[i] & 255, rounds = 0;
  while (__any_sync(FULL, left > 0)) {
    left -= 1;
    rounds += 1;
  }
  out[i] = rounds;
}

__global__ void aggregated_append(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x & 31;
  __shared__ int groups;
  if (threadIdx.x == 0) groups = 0;
  __syncthreads();
  unsigned active = __ballot_sync(FULL, in[i] > 0);
  if (active && lane == __ffs(active) - 1) atomicAdd(&groups, 1 + (__popc(active) << 8));
  __syncthreads();
  out[i] = groups;
}

__global__ void partial_sums_by_warps_of_32(const int* in, int* out, int n) {
  __shared__ int sums[256 / 32];
  int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x % warpSize, v = in[i] & 1023;
  for (int o = warpSize / 2; o > 0; o /= 2) v += __shfl_down_sync(FULL, v, o);
  if (lane == 0) sums[threadIdx.x / warpSize] = v;
  __syncthreads();
  int total = 0;
  for (int w = 0; w < 256 / 32; w++) total += sums[w];
  out[i] = total;
}

__global__ void table_of_32_lanes(const int* in, int* out, int n) {
  __shared__ int most[32];
  __shared__ int marks[32];
  int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x % warpSize;
  if (threadIdx.x < 32) most[threadIdx.x] = -1000, marks[threadIdx.x] = 7;
  __syncthreads();
  atomicMax(&most[lane], in[i]);
  __syncthreads();
  out[i] = most[threadIdx.x & 31] + marks[threadIdx.x & 31];
}

__global__ void one_result_for_each_32(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, v = in[i] & 1023;
  for (int o = 16; o > 0; o /= 2) v += __shfl_xor_sync(FULL, v, o);
  out[i] = 0;
  __syncthreads();
  if (threadIdx.x % warpSize == 0) out[blockIdx.x * blockDim.x + threadIdx.x / warpSize] = v;
}

__global__ void index_from_warp_and_lane(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x % warpSize;
  out[i] = in[i / warpSize * 32 + lane];
}

__global__ void segment_heads_in_32_bits(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x & 31;
  unsigned heads = __ballot_sync(FULL, in[i] % 5 == 0) | 1u;
  out[i] = 31 - __clz(heads & (FULL >> (31 - lane)));
}

void launch_all(const int* in, int* out, int n) {
  broadcast_of_the_first_lane<<<n / 256, 256>>>(in, out, n);
  broadcast_of_the_last_lane<<<n / 256, 256>>>(in, out, n);
  rotation_by_lane_and_31<<<n / 256, 256>>>(in, out, n);
  shuffle_down_stops_at_the_last_lane<<<n / 256, 256>>>(in, out, n);
  shuffle_up_stops_at_the_first_lane<<<n / 256, 256>>>(in, out, n);
  ballot_in_32_bits<<<n / 256, 256>>>(in, out, n);
  rank_below_lane_and_31<<<n / 256, 256>>>(in, out, n);
  own_bit_of_the_ballot<<<n / 256, 256>>>(in, out, n);
  leader_by_find_first_set<<<n / 256, 256>>>(in, out, n);
  any_of_32<<<n / 256, 256>>>(in, out, n);
  all_of_32<<<n / 256, 256>>>(in, out, n);
  rounds_until_all_32_are_done<<<n / 256, 256>>>(in, out, n);
  aggregated_append<<<n / 256, 256>>>(in, out, n);
  partial_sums_by_warps_of_32<<<n / 256, 256>>>(in, out, n);
  table_of_32_lanes<<<n / 256, 256>>>(in, out, n);
  one_result_for_each_32<<<n / 256, 256>>>(in, out, n);
  index_from_warp_and_lane<<<n / 256, 256>>>(in, out, n);
  segment_heads_in_32_bits<<<n / 256, 256>>>(in, out, n);
}

__global__ void scan_of_five_steps(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x % warpSize, v = in[i];
  for (int o = 1; o <= 16; o *= 2) {
    int other = __shfl_up_sync(FULL, v, o);
    if (lane >= o) v += other;
  }
  out[i] = v;
}

__global__ void sum_of_five_steps_by_the_leader(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, v = in[i];
  for (int o = 16; o > 0; o /= 2) v += __shfl_xor_sync(FULL, v, o);
  out[i] = threadIdx.x % warpSize == 0 ? v : 0;
}

__global__ void mask_below_by_a_shift_of_1u(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned below = (1u << (threadIdx.x % warpSize)) - 1;
  out[i] = __popc(__ballot_sync(FULL, in[i] > 0) & below);
}

__global__ void count_of_active_lanes(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = 0;
  if (in[i] > 300) {
    unsigned active = __activemask();
    out[i] = __popc(active);
  }
}

__global__ void votes_of_a_half_by_shift(const int* in, int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, half = (threadIdx.x & 31) / 16 * 16;
  out[i] = (__ballot_sync(FULL, in[i] > 0) >> half) & 0xffff;
}
