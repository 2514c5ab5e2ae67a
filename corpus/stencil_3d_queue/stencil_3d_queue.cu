// Seven-point 3-D stencil marching in z, neighbours along z kept in registers.
__global__ void stencil_3d_queue(const float* in, float* out, int nx, int ny, int nz, float center,
                                 float side) {
  int x = blockIdx.x * blockDim.x + threadIdx.x;
  int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x < 1 || x >= nx - 1 || y < 1 || y >= ny - 1) return;
  int plane = nx * ny;
  int index = y * nx + x;
  float below = in[index];
  float here = in[index + plane];
  for (int z = 1; z < nz - 1; ++z) {
    index += plane;
    float above = in[index + plane];
    out[index] = center * here + side * (below + above + in[index - 1] + in[index + 1] +
                                         in[index - nx] + in[index + nx]);
    below = here;
    here = above;
  }
}

void launch_stencil_3d(const float* in, float* out, int nx, int ny, int nz) {
  dim3 grid((nx + 31) / 32, (ny + 3) / 4);
  stencil_3d_queue<<<grid, dim3(32, 4)>>>(in, out, nx, ny, nz, 0.5f, 0.0833f);
}
