# A vote is of the caller's own 32 lanes, and its mask stays a 32-bit number.
__device__ int f(int v) { return __popc(__ballot_sync(0xffffffff, v > 0)); }
---
__device__ int f(int v) { return __popc(warp32_ballot(0xffffffff, v > 0)); }

# Any, all and the active lanes.
__device__ int f(int v) { return __any_sync(~0u, v) + __all_sync(__activemask(), v); }
---
__device__ int f(int v) { return warp32_any(~0u, v) + warp32_all(warp32_ballot(0xffffffffu, 1), v); }

# Without a mask.
__device__ unsigned f(int v) { return __ballot(v) | __any(v); }
---
__device__ unsigned f(int v) { return warp32_ballot(0xffffffffu, v) | warp32_any(0xffffffffu, v); }

# Match and reduce.
__device__ unsigned f(unsigned v) { return __match_any_sync(~0u, v) + __reduce_add_sync(~0u, v); }
---
__device__ unsigned f(unsigned v) { return warp32_match_any(~0u, v) + warp32_reduce_add(~0u, v); }

# __syncwarp.
__device__ void f(unsigned m) { __syncwarp(); __syncwarp(m); }
---
__device__ void f(unsigned m) { warp32_sync(); warp32_sync(); }
