// One level of breadth-first search over CSR: claim unvisited vertices by atomicCAS.
__global__ void bfs_frontier(const int* row_start, const int* neighbour, int* level, int* changed,
                             int vertices, int depth) {
  int v = blockIdx.x * blockDim.x + threadIdx.x;
  if (v >= vertices || level[v] != depth) return;
  for (int e = row_start[v]; e < row_start[v + 1]; ++e) {
    int u = neighbour[e];
    if (atomicCAS(&level[u], -1, depth + 1) == -1) *changed = 1;
  }
}

void launch_bfs(const int* row_start, const int* neighbour, int* level, int* changed, int vertices,
                int depth) {
  bfs_frontier<<<(vertices + 63) / 64, 64>>>(row_start, neighbour, level, changed, vertices, depth);
}
