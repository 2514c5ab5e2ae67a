# The width is written out where CUB would take the device's.
#include <cub/cub.cuh>
__global__ void k() { typedef cub::WarpReduce<float> R; using S = cub::WarpScan<std::pair<int, int>>; cub::WarpReduce<int, 16> t; }
---
#include <cub/cub.cuh>
__global__ void k() { typedef cub::WarpReduce<float, 32> R; using S = cub::WarpScan<std::pair<int, int>, 32>; cub::WarpReduce<int, 16> t; }

# Lane numbers and the width itself.
#include <cub/cub.cuh>
__global__ void k(int* p) { p[cub::LaneId()] = CUB_WARP_THREADS(0); }
---
#include <cub/cub.cuh>
__global__ void k(int* p) { p[(__lane_id() & 31)] = 32; }

# A template of the project's own of that name stays.
#include <cub/cub.cuh>
template <class T> struct WarpReduce { T x; };
__global__ void k() { WarpReduce<int> r; }
---
#include <cub/cub.cuh>
template <class T> struct WarpReduce { T x; };
__global__ void k() { WarpReduce<int> r; }

# Votes of tiles are behind a switch.
#include <cooperative_groups.h>
namespace cg = cooperative_groups;
__device__ int f(cg::thread_block_tile<32, cg::thread_block> t, int v) { return t.any(v); }
---
#define HIP_ENABLE_WARP_SYNC_BUILTINS
#include <cooperative_groups.h>
namespace cg = cooperative_groups;
__device__ int f(cg::thread_block_tile<32, cg::thread_block> t, int v) { return t.any(v); }

# A block that may be no multiple of 64 transposes as a whole.
#include <cub/cub.cuh>
template <int N> __global__ void k(int* p) { using L = cub::BlockLoad<int, N, 4, cub::BLOCK_LOAD_WARP_TRANSPOSE>; }
void f(int* p, int n) { k<32><<<1, n>>>(p); }
---
#include <cub/cub.cuh>
template <int N> __global__ void k(int* p) { using L = cub::BlockLoad<int, N, 4, cub::BLOCK_LOAD_TRANSPOSE>; }
void f(int* p, int n) { k<32><<<1, n>>>(p); }

# Whole wavefronts go on transposing by themselves.
#include <cub/cub.cuh>
template <int N> __global__ void k(int* p) { using L = cub::BlockLoad<int, N, 4, cub::BLOCK_LOAD_WARP_TRANSPOSE>; }
void f(int* p) { k<128><<<1, 128>>>(p); }
---
#include <cub/cub.cuh>
template <int N> __global__ void k(int* p) { using L = cub::BlockLoad<int, N, 4, cub::BLOCK_LOAD_WARP_TRANSPOSE>; }
void f(int* p) { k<128><<<1, 128>>>(p); }
