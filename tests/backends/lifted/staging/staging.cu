// Copies in shared memory, and sums whose rounds become lanes.
#define T 64

__device__ float pull(float a, float b) { return (a - b) * (a - b); }

__global__ void pairs(const float* x, float* y, int n) {
  __shared__ float s[T];
  int i = blockIdx.x * T + threadIdx.x;
  float mine = i < n ? x[i] : 0.0f, sum = 0.0f;
  for (int t = 0; t < (n + T - 1) / T; ++t) {
    int j = t * T + threadIdx.x;
    if (j < n) s[threadIdx.x] = x[j]; else s[threadIdx.x] = 0.0f;
    __syncthreads();
    for (int k = 0; k < T; ++k) sum += pull(s[k], mine);
    __syncthreads();
  }
  if (i < n) y[i] = sum;
}

__global__ void short_round(const float* x, float* y, int n) {
  __shared__ float s[T];
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  float mine = i < n ? x[i] : 0.0f, sum = 3.0f;
  for (int base = 0; base < n; base += T) {
    s[threadIdx.x] = base + threadIdx.x < n ? x[base + threadIdx.x] : 0.0f;
    __syncthreads();
    for (int k = 0; k < min(T, n - base); ++k) sum += pull(s[k], mine);
    __syncthreads();
  }
  if (i < n) y[i] = sum;
}

__global__ void table(const float* centers, const float* x, float* y, int n, int count) {
  __shared__ float c[256];
  for (int k = threadIdx.x; k < count; k += blockDim.x) c[k] = centers[k];
  __syncthreads();
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float sum = 0.0f;
  for (int k = 0; k < count; ++k) sum += pull(c[k], x[i]);
  y[i] = sum;
}

__global__ void square(const float* x, float* y, int n) {
  __shared__ float s[8][9];
  int row = blockIdx.y * 8 + threadIdx.y, column = blockIdx.x * 8 + threadIdx.x;
  s[threadIdx.y][threadIdx.x] = x[row * n + column];
  __syncthreads();
  float sum = 0.0f;
  for (int k = 0; k < 8; ++k) sum += s[threadIdx.y][k];
  y[row * n + column] = sum;
}

__global__ void long_sums(const float* c, const float* x, float* y, int n, int m) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  float mine = i < n ? x[i] : 0.0f, sum = 0.0f;
  int near = 7;
  for (int k = 0; k < m; ++k) {
    float d = pull(c[k], mine);
    sum -= d;
    near += d < 1.0f ? 1 : 0;
  }
  if (i < n) y[i] = sum * (float)near;
}

__global__ void bodies(const float* v, float* y, int n) {
  __shared__ float4 s[T];
  int i = blockIdx.x * T + threadIdx.x;
  float sum = 0.0f;
  for (int t = 0; t < n / T; ++t) {
    int j = 4 * (t * T + threadIdx.x);
    s[threadIdx.x] = make_float4(v[j], v[j + 1], v[j + 2], v[j + 3]);
    __syncthreads();
    for (int k = 0; k < T; ++k) sum += s[k].x * s[k].z - s[k].w * (float)i;
    __syncthreads();
  }
  y[i] = sum;
}

void launch(const float* x, const float* c, float* y, int n, int m, int count) {
  pairs<<<(n + T - 1) / T, T>>>(x, y, n);
  short_round<<<(n + T - 1) / T, T>>>(x, y, n);
  bodies<<<n / T, T>>>(x, y, n);
  table<<<(n + 63) / 64, 64>>>(c, x, y, n, count);
  square<<<dim3(n / 8, n / 8), dim3(8, 8)>>>(x, y, n);
  long_sums<<<(n + 63) / 64, 64>>>(c, x, y, n, m);
}
