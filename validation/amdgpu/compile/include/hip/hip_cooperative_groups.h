// Cooperative groups for HIP where a toolchain's headers lack them (the triton wheel's do).
//
// The part of HIP's <hip/hip_cooperative_groups.h> that works inside one launch: thread blocks,
// tiles of a wavefront, coalesced groups, the grid. On a 64-lane wavefront two tiles of 32 live side
// by side, so every mask here is shifted to the tile's own lanes.

#pragma once

#include <hip/hip_runtime.h>

#if defined(__cplusplus) && defined(__clang__) && defined(__HIP__)

namespace cooperative_groups {

#pragma push_macro("CP_DEV")
#define CP_DEV __device__ inline __attribute__((always_inline))

namespace cp_detail {
CP_DEV unsigned lane() {
  return __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0u));
}
CP_DEV unsigned block_rank() {
  return (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
}
CP_DEV unsigned block_size() { return blockDim.x * blockDim.y * blockDim.z; }
CP_DEV unsigned long long lanes_below(unsigned n) { return n >= 64 ? ~0ull : (1ull << n) - 1; }
// What orders memory between the lanes of one wavefront, which runs in step.
CP_DEV void wave_fence() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
  __builtin_amdgcn_wave_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
}
#if defined(__GFX12__)
// RDNA4 has no unit that waits for the grid, so workgroups meet at a counter: the last to arrive
// starts the next turn.
static __device__ unsigned grid_arrived, grid_turn;
CP_DEV void grid_sync() {
  __syncthreads();
  if (block_rank() == 0) {
    unsigned turn = __hip_atomic_load(&grid_turn, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
    unsigned count = gridDim.x * gridDim.y * gridDim.z;
    __threadfence();
    if (__hip_atomic_fetch_add(&grid_arrived, 1u, __ATOMIC_ACQ_REL, __HIP_MEMORY_SCOPE_AGENT) ==
        count - 1) {
      __hip_atomic_store(&grid_arrived, 0u, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
      __hip_atomic_store(&grid_turn, turn + 1, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_AGENT);
    } else {
      while (__hip_atomic_load(&grid_turn, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT) == turn)
        __builtin_amdgcn_s_sleep(1);
    }
    __threadfence();
  }
  __syncthreads();
}
#else
CP_DEV void grid_sync() { __ockl_grid_sync(); }
#endif
}  // namespace cp_detail

enum group_kind { kind_block, kind_tile, kind_coalesced, kind_grid };

class thread_group {
 public:
  CP_DEV unsigned size() const { return size_; }
  CP_DEV unsigned num_threads() const { return size_; }
  CP_DEV unsigned thread_rank() const;
  CP_DEV void sync() const;
  CP_DEV bool is_valid() const { return true; }
  CP_DEV group_kind kind() const { return kind_; }
  CP_DEV unsigned long long mask() const { return mask_; }

 protected:
  CP_DEV thread_group(group_kind kind, unsigned size, unsigned long long mask = 0)
      : kind_(kind), size_(size), mask_(mask) {}
  friend class thread_block;
  friend __device__ inline thread_group tiled_partition(const thread_group&, unsigned);
  group_kind kind_;
  unsigned size_;
  unsigned long long mask_;
};

class thread_block : public thread_group {
 public:
  CP_DEV static void sync() { __syncthreads(); }
  CP_DEV static unsigned thread_rank() { return cp_detail::block_rank(); }
  CP_DEV static unsigned size() { return cp_detail::block_size(); }
  CP_DEV static unsigned num_threads() { return cp_detail::block_size(); }
  CP_DEV static dim3 group_index() { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
  CP_DEV static dim3 thread_index() { return dim3(threadIdx.x, threadIdx.y, threadIdx.z); }
  CP_DEV static dim3 group_dim() { return dim3(blockDim.x, blockDim.y, blockDim.z); }
  CP_DEV static dim3 dim_threads() { return group_dim(); }

 private:
  CP_DEV thread_block() : thread_group(kind_block, cp_detail::block_size()) {}
  friend __device__ inline thread_block this_thread_block();
};
CP_DEV thread_block this_thread_block() { return thread_block(); }

class grid_group {
 public:
  CP_DEV void sync() const { cp_detail::grid_sync(); }
  CP_DEV bool is_valid() const { return __ockl_grid_is_valid(); }
  CP_DEV unsigned long long num_blocks() const {
    return (unsigned long long)gridDim.x * gridDim.y * gridDim.z;
  }
  CP_DEV unsigned long long block_rank() const {
    return ((unsigned long long)blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  }
  CP_DEV unsigned long long thread_rank() const {
    return block_rank() * cp_detail::block_size() + cp_detail::block_rank();
  }
  CP_DEV unsigned long long size() const { return num_blocks() * cp_detail::block_size(); }
  CP_DEV unsigned long long num_threads() const { return size(); }
  CP_DEV dim3 group_dim() const { return dim3(gridDim.x, gridDim.y, gridDim.z); }
  CP_DEV dim3 dim_blocks() const { return group_dim(); }
  CP_DEV dim3 block_index() const { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
};
CP_DEV grid_group this_grid() { return grid_group(); }

// Exchanges inside a tile of Size lanes: HIP's shuffles already work within a width.
template <unsigned Size>
class tile_operations {
 public:
  CP_DEV static unsigned lane_base() { return cp_detail::lane() & ~(Size - 1); }
  CP_DEV static unsigned thread_rank() { return cp_detail::block_rank() & (Size - 1); }
  CP_DEV static constexpr unsigned size() { return Size; }
  CP_DEV static constexpr unsigned num_threads() { return Size; }
  CP_DEV static void sync() { cp_detail::wave_fence(); }
  template <typename T>
  CP_DEV T shfl(T v, int from) const { return __shfl(v, from, Size); }
  template <typename T>
  CP_DEV T shfl_up(T v, unsigned by) const { return __shfl_up(v, by, Size); }
  template <typename T>
  CP_DEV T shfl_down(T v, unsigned by) const { return __shfl_down(v, by, Size); }
  template <typename T>
  CP_DEV T shfl_xor(T v, unsigned mask) const { return __shfl_xor(v, (int)mask, Size); }
  CP_DEV unsigned long long ballot(int predicate) const {
    return (__ballot(predicate) >> lane_base()) & cp_detail::lanes_below(Size);
  }
  CP_DEV int any(int predicate) const { return ballot(predicate) != 0; }
  CP_DEV int all(int predicate) const {
    unsigned long long here = (__ballot(1) >> lane_base()) & cp_detail::lanes_below(Size);
    return ballot(predicate) == here;
  }
  template <typename T>
  CP_DEV unsigned long long match_any(T v) const {
    unsigned long long same = 0;
    for (unsigned i = 0; i < Size; ++i) same |= (unsigned long long)(shfl(v, i) == v) << i;
    return same & ballot(1);
  }
  template <typename T>
  CP_DEV unsigned long long match_all(T v, int& pred) const {
    unsigned long long here = ballot(1);
    pred = match_any(v) == here;
    pred = all(pred);
    return pred ? here : 0;
  }
};

template <unsigned Size, typename Parent = void>
class thread_block_tile : public tile_operations<Size> {
 public:
  CP_DEV static unsigned meta_group_rank() { return cp_detail::block_rank() / Size; }
  CP_DEV static unsigned meta_group_size() {
    return (cp_detail::block_size() + Size - 1) / Size;
  }
  CP_DEV static bool is_valid() { return true; }
};

template <unsigned Size, typename Parent>
CP_DEV thread_block_tile<Size, Parent> tiled_partition(const Parent&) {
  static_assert(Size && (Size & (Size - 1)) == 0, "a tile's size is a power of two");
  static_assert(Size <= 64, "a tile is no larger than a wavefront");
  return thread_block_tile<Size, Parent>();
}

// The lanes of this wavefront that are active here, counted from zero.
class coalesced_group : public thread_group {
 public:
  CP_DEV explicit coalesced_group(unsigned long long mask)
      : thread_group(kind_coalesced, (unsigned)__popcll(mask), mask) {}
  CP_DEV unsigned thread_rank() const {
    return (unsigned)__popcll(mask_ & cp_detail::lanes_below(cp_detail::lane()));
  }
  CP_DEV void sync() const { cp_detail::wave_fence(); }
  CP_DEV unsigned meta_group_rank() const { return 0; }
  CP_DEV unsigned meta_group_size() const { return 1; }
  template <typename T>
  CP_DEV T shfl(T v, int from) const { return __shfl(v, nth((unsigned)from % size_)); }
  template <typename T>
  CP_DEV T shfl_up(T v, unsigned by) const {
    unsigned me = thread_rank();
    return __shfl(v, me < by ? (int)cp_detail::lane() : nth(me - by));
  }
  template <typename T>
  CP_DEV T shfl_down(T v, unsigned by) const {
    unsigned me = thread_rank();
    return __shfl(v, me + by >= size_ ? (int)cp_detail::lane() : nth(me + by));
  }
  CP_DEV unsigned long long ballot(int predicate) const {
    unsigned long long all = __ballot(predicate) & mask_, packed = 0;
    unsigned at = 0;
    for (unsigned long long left = mask_; left; left &= left - 1)
      packed |= ((all >> (__ffsll(left) - 1)) & 1ull) << at++;
    return packed;
  }
  CP_DEV int any(int predicate) const { return (__ballot(predicate) & mask_) != 0; }
  CP_DEV int all(int predicate) const { return (__ballot(predicate) & mask_) == mask_; }

 private:
  // The lane that has rank n in this group.
  CP_DEV int nth(unsigned n) const {
    unsigned long long left = mask_;
    for (unsigned i = 0; i < n; ++i) left &= left - 1;
    return __ffsll(left) - 1;
  }
};
CP_DEV coalesced_group coalesced_threads() { return coalesced_group(__ballot(1)); }

CP_DEV thread_group tiled_partition(const thread_group&, unsigned size) {
  unsigned base = cp_detail::lane() & ~(size - 1);
  return thread_group(kind_tile, size, cp_detail::lanes_below(size) << base);
}
CP_DEV unsigned thread_group::thread_rank() const {
  if (kind_ == kind_block) return cp_detail::block_rank();
  return (unsigned)__popcll(mask_ & cp_detail::lanes_below(cp_detail::lane()));
}
CP_DEV void thread_group::sync() const {
  if (kind_ == kind_block)
    __syncthreads();
  else
    cp_detail::wave_fence();
}

template <typename Group>
CP_DEV void sync(const Group& g) { g.sync(); }
template <typename Group>
CP_DEV unsigned thread_rank(const Group& g) { return g.thread_rank(); }
template <typename Group>
CP_DEV unsigned group_size(const Group& g) { return g.size(); }

#pragma pop_macro("CP_DEV")
}  // namespace cooperative_groups

#endif
