// Shared memory that holds copies, and near misses.
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

// The last round is shorter, and its cells are not written.
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

__global__ void structs(const float4* x, float* y, int n) {
  __shared__ float4 s[T];
  __shared__ float w[T];
  int i = blockIdx.x * T + threadIdx.x;
  float sum = 0.0f;
  for (int t = 0; t < n / T; ++t) {
    s[threadIdx.x] = x[t * T + threadIdx.x];
    w[threadIdx.x] = x[t * T + threadIdx.x].w;
    __syncthreads();
    for (int k = 0; k < T; ++k) sum += s[k].x * s[k].z - w[k] * (float)i;
    __syncthreads();
  }
  y[i] = sum;
}

// A whole table, by all threads together.
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

__global__ void no_barrier(const float* x, float* y, int n) {
  __shared__ float s[T];
  int i = blockIdx.x * T + threadIdx.x;
  float sum = 0.0f;
  for (int t = 0; t < n / T; ++t) {
    s[threadIdx.x] = x[t * T + threadIdx.x];
    for (int k = 0; k < T; ++k) sum += s[k];
    __syncthreads();
  }
  y[i] = sum;
}

__global__ void no_second_barrier(const float* x, float* y, int n) {
  __shared__ float s[T];
  int i = blockIdx.x * T + threadIdx.x;
  float sum = 0.0f;
  for (int t = 0; t < n / T; ++t) {
    s[threadIdx.x] = x[t * T + threadIdx.x];
    __syncthreads();
    for (int k = 0; k < T; ++k) sum += s[k];
  }
  y[i] = sum;
}

__global__ void writes_the_source(float* x, int n) {
  __shared__ float s[T];
  int i = blockIdx.x * T + threadIdx.x;
  float sum = 0.0f;
  for (int t = 0; t < n / T; ++t) {
    s[threadIdx.x] = x[t * T + threadIdx.x];
    __syncthreads();
    for (int k = 0; k < T; ++k) sum += s[k];
    __syncthreads();
  }
  x[i] = sum;
}

// Threads behind the end leave in their cells what the round before put there.
__global__ void unguarded_tail(const float* x, float* y, int n) {
  __shared__ float s[T];
  int i = blockIdx.x * T + threadIdx.x;
  float sum = 0.0f;
  for (int t = 0; t < (n + T - 1) / T; ++t) {
    if (t * T + threadIdx.x < n) s[threadIdx.x] = x[t * T + threadIdx.x];
    __syncthreads();
    for (int k = 0; k < T; ++k) sum += s[k];
    __syncthreads();
  }
  y[i] = sum;
}

__global__ void beyond_the_block(const float* x, float* y, int n) {
  __shared__ float s[2 * T];
  int i = blockIdx.x * T + threadIdx.x;
  float sum = 0.0f;
  for (int t = 0; t < n / T; ++t) {
    s[threadIdx.x] = x[t * T + threadIdx.x];
    __syncthreads();
    for (int k = 0; k <= T; ++k) sum += s[k];
    __syncthreads();
  }
  y[i] = sum;
}

__global__ void moves_on(const float* x, float* y, int n) {
  __shared__ float s[T];
  int i = blockIdx.x * T + threadIdx.x, at = 0;
  float sum = 0.0f;
  for (int t = 0; t < n / T; ++t) {
    s[threadIdx.x] = x[at + threadIdx.x];
    at += T;
    __syncthreads();
    for (int k = 0; k < T; ++k) {
      sum += s[k];
      at += k & 1;
    }
    __syncthreads();
  }
  y[i] = sum;
}

__global__ void two_stores(const float* x, float* y, int n) {
  __shared__ float s[T + 1];
  int i = blockIdx.x * T + threadIdx.x;
  float sum = 0.0f;
  for (int t = 0; t < n / T; ++t) {
    s[threadIdx.x] = x[t * T + threadIdx.x];
    s[threadIdx.x + 1] = x[t * T + threadIdx.x + 1];
    __syncthreads();
    for (int k = 0; k < T; ++k) sum += s[k];
    __syncthreads();
  }
  y[i] = sum;
}

__global__ void some_left(const float* x, float* y, int n) {
  __shared__ float s[T];
  int i = blockIdx.x * T + threadIdx.x;
  if (i >= n) return;
  float sum = 0.0f;
  for (int t = 0; t < n / T; ++t) {
    s[threadIdx.x] = x[t * T + threadIdx.x];
    __syncthreads();
    for (int k = 0; k < T; ++k) sum += s[k];
    __syncthreads();
  }
  y[i] = sum;
}

__global__ void dear(const float* x, float* y, int n) {
  __shared__ float s[T];
  int i = blockIdx.x * T + threadIdx.x;
  float sum = 0.0f;
  for (int t = 0; t < n / T; ++t) {
    s[threadIdx.x] = sinf(x[t * T + threadIdx.x]);
    __syncthreads();
    for (int k = 0; k < T; ++k) sum += s[k];
    __syncthreads();
  }
  y[i] = sum;
}

// For spread_rounds alone.
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

__global__ void own_elements(const float* x, float* y, int n, int m) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = 0.0f;
  for (int k = 0; k < m; ++k) sum += x[i * m + k] * (float)k;
  if (i < n) y[i] = sum;
}

__global__ void reads_its_sum(const float* c, float* y, int n, int m) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = 0.0f, most = 0.0f;
  for (int k = 0; k < m; ++k) {
    sum += c[k];
    most += sum;
  }
  if (i < n) y[i] = most;
}

__global__ void sums_doubles(const double* c, double* y, int n, int m) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  double sum = 0.0;
  for (int k = 0; k < m; ++k) sum += c[k] * i;
  if (i < n) y[i] = sum;
}
