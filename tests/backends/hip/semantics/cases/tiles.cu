# A tile's type names its parent, in the words of the source.
#include <cooperative_groups.h>
namespace cg = cooperative_groups;
__device__ int f(const cg::thread_block_tile<32>& t) { return t.thread_rank(); }
__global__ void k(int* p) { cg::thread_block_tile<32> t = cg::tiled_partition<32>(cg::this_thread_block()); *p = f(t); }
---
#include <cooperative_groups.h>
namespace cg = cooperative_groups;
__device__ int f(const cg::thread_block_tile<32, cg::thread_block>& t) { return t.thread_rank(); }
__global__ void k(int* p) { cg::thread_block_tile<32, cg::thread_block> t = cg::tiled_partition<32>(cg::this_thread_block()); *p = f(t); }

# Tiles of tiles stay.
#include <cooperative_groups.h>
using namespace cooperative_groups;
__global__ void k() { thread_block_tile<8> t = tiled_partition<8>(tiled_partition<32>(this_thread_block())); }
---
#include <cooperative_groups.h>
using namespace cooperative_groups;
__global__ void k() { thread_block_tile<8> t = tiled_partition<8>(tiled_partition<32>(this_thread_block())); }

# Asynchronous copies are done at once.
#include <cuda_pipeline.h>
__global__ void k(int* p) { __shared__ int s[4]; __pipeline_memcpy_async(s, p, 16); __pipeline_commit(); __pipeline_wait_prior(0); }
---
#include <cuda_pipeline.h>
__global__ void k(int* p) { __shared__ int s[4]; copy_now(s, p, 16); ((void)0); ((void)0); }

# A tile's shuffle of what is no number.
#include <cooperative_groups.h>
namespace cg = cooperative_groups;
__global__ void k(uint4 v, uint* p) { auto t = cg::tiled_partition<8>(cg::this_thread_block()); v = t.shfl_xor(v, 1); *p = t.shfl_xor(v.y, 1); }
---
#include <cooperative_groups.h>
namespace cg = cooperative_groups;
__global__ void k(uint4 v, uint* p) { auto t = cg::tiled_partition<8>(cg::this_thread_block()); v = warp32_shfl_xor(v, 1, t.size()); *p = t.shfl_xor(v.y, 1); }
