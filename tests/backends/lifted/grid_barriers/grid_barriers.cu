// Barriers of the whole grid: in nested loops, under data-dependent ends, with shared memory kept.
#include <cooperative_groups.h>
namespace cg = cooperative_groups;

__global__ void nested(int* x, int* y, int n, int outer, int inner) {
  cg::grid_group grid = cg::this_grid();
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int mine = 0;
  for (int a = 0; a < outer; ++a) {
    if (i < n) x[i] += a;
    for (int b = a; b < inner; ++b) {
      grid.sync();
      int left = i > 0 && i < n ? x[i - 1] : 1;
      grid.sync();
      if (i < n) x[i] += left + b;
      mine += left;
    }
    if (a == 3) break;
    mine ^= a;
  }
  grid.sync();
  if (i < n) y[i] = mine + x[n - 1 - i];
}
__global__ void keeps_shared(int* x, int* y, int n) {
  __shared__ int s[128];
  cg::grid_group grid = cg::this_grid();
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  s[threadIdx.x] = i < n ? x[i] : 0;
  float f = s[threadIdx.x] * 0.5f;
  bool odd = i & 1;
  grid.sync();
  if (i < n) x[i] = s[127 - threadIdx.x] + (odd ? 3 : 4);
  grid.sync();
  if (i < n) y[i] = x[n - 1 - i] + (int)f + s[threadIdx.x];
}
__global__ void until_done(int* x, int* flag, int n) {
  cg::grid_group grid = cg::this_grid();
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int round = 0;
  do {
    grid.sync();
    if (i == 0) flag[round + 1] = 0;
    grid.sync();
    if (i < n && x[i] > 0) { x[i] -= 1; flag[round + 1] = 1; }
    grid.sync();
    ++round;
  } while (flag[round] != 0 && round < 50);
  if (i < n) x[i] = round * 10 + x[i];
}
__global__ void early(int* x, int* y, int n) {
  cg::grid_group grid = cg::this_grid();
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) { y[i] = x[i] + 1; }
  grid.sync();
  if (i >= n) return;
  int v = y[n - 1 - i];
  x[i] = v * 2;
}
