// Barriers under conditions that all threads of a block agree on.
#define TILE 16

__global__ void guarded_transpose(const float* in, float* out, int width, int height) {
  __shared__ float tile[TILE][TILE + 1];
  int x = blockIdx.x * TILE + threadIdx.x;
  int y = blockIdx.y * TILE + threadIdx.y;
  if (blockIdx.x * TILE < width && blockIdx.y * TILE < height) {
    tile[threadIdx.y][threadIdx.x] = in[y * 64 + x];
    __syncthreads();
    int to_x = blockIdx.y * TILE + threadIdx.x;
    int to_y = blockIdx.x * TILE + threadIdx.y;
    out[to_y * 64 + to_x] = tile[threadIdx.x][threadIdx.y];
  }
}

void launch_guarded(const float* in, float* out, int width, int height) {
  guarded_transpose<<<dim3(4, 4), dim3(TILE, TILE)>>>(in, out, width, height);
}

__global__ void transpose_inside(const float* in, float* out, int width, int height) {
  __shared__ float tile[TILE][TILE + 1];
  int x = blockIdx.x * TILE + threadIdx.x;
  int y = blockIdx.y * TILE + threadIdx.y;
  if (x < 16 * ((width + 15) / 16) && y < 16 * ((height + 15) / 16)) {
    tile[threadIdx.y][threadIdx.x] = in[y * 64 + x];
    __syncthreads();
    float moved = tile[threadIdx.x][threadIdx.y];
    __syncthreads();
    tile[threadIdx.y][threadIdx.x] = moved + 1.0f;
    __syncthreads();
    out[(blockIdx.x * TILE + threadIdx.y) * 64 + blockIdx.y * TILE + threadIdx.x] =
        moved * tile[threadIdx.y][15 - threadIdx.x];
  }
}

void launch_inside(const float* in, float* out, int width, int height) {
  transpose_inside<<<dim3(4, 4), dim3(TILE, TILE)>>>(in, out, width, height);
}

__global__ void kept_apart(const float* in, float* out, int n) {
  __shared__ float part[128];
  int w = 1;
  float mine = in[blockIdx.x * 128 + threadIdx.x];
  part[threadIdx.x] = mine;
  __syncthreads();
  float other = part[127 - threadIdx.x];
  if (n > 20) {
    w = 2;
    other = other + mine;
  } else {
    out[256 + blockIdx.x * 128 + threadIdx.x] = w * other;
    if (n > 10) w = 5;
  }
  out[blockIdx.x * 128 + threadIdx.x] = w * other;
}

void launch_kept_apart(const float* in, float* out, int n) { kept_apart<<<2, 128>>>(in, out, n); }

__global__ void guarded_sum(const float* in, float* out, int n) {
  __shared__ float part[128];
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (n > 3) {
    float mine = in[i];
    part[threadIdx.x] = mine;
    __syncthreads();
    for (int k = 64; k > 0; k >>= 1) {
      if (threadIdx.x < k) part[threadIdx.x] += part[threadIdx.x + k];
      __syncthreads();
    }
    out[i] = mine / part[0];
  } else {
    out[i] = 0.0f;
  }
}

void launch_guarded_sum(const float* in, float* out, int n) {
  guarded_sum<<<2, 128>>>(in, out, n);
}
