// Cooperative launch: Jacobi steps over the whole grid with grid.sync() between them.
#include <cooperative_groups.h>

namespace cg = cooperative_groups;

__global__ void grid_sync_steps(float* a, float* b, int n, int steps) {
  cg::grid_group grid = cg::this_grid();
  int stride = gridDim.x * blockDim.x;
  for (int s = 0; s < steps; ++s) {
    for (int i = grid.thread_rank(); i < n; i += stride) {
      float left = i > 0 ? a[i - 1] : 0.0f;
      float right = i < n - 1 ? a[i + 1] : 0.0f;
      b[i] = 0.25f * left + 0.5f * a[i] + 0.25f * right;
    }
    grid.sync();
    float* t = a;
    a = b;
    b = t;
  }
}

void launch_grid_sync(float* a, float* b, int n, int steps) {
  void* args[] = {&a, &b, &n, &steps};
  cudaLaunchCooperativeKernel((void*)grid_sync_steps, dim3(4), dim3(64), args, 0, 0);
}
