// Attention of one query row a block: scores and probabilities in dynamic shared memory.
__global__ void attention_naive(const float* Q, const float* K, const float* V, float* out, int len,
                                int dim, float scale, bool causal) {
  extern __shared__ float score[];
  __shared__ float reduced[2];
  int row = blockIdx.x;
  int keys = causal ? row + 1 : len;
  const float* q = Q + row * dim;
  for (int j = threadIdx.x; j < keys; j += blockDim.x) {
    float dot = 0.0f;
    for (int d = 0; d < dim; ++d) dot += q[d] * K[j * dim + d];
    score[j] = dot * scale;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    float top = score[0];
    for (int j = 1; j < keys; ++j) top = fmaxf(top, score[j]);
    float sum = 0.0f;
    for (int j = 0; j < keys; ++j) sum += expf(score[j] - top);
    reduced[0] = top;
    reduced[1] = 1.0f / sum;
  }
  __syncthreads();
  for (int d = threadIdx.x; d < dim; d += blockDim.x) {
    float acc = 0.0f;
    for (int j = 0; j < keys; ++j) acc += expf(score[j] - reduced[0]) * reduced[1] * V[j * dim + d];
    out[row * dim + d] = acc;
  }
}

void launch_attention(const float* Q, const float* K, const float* V, float* out, int len, int dim) {
  attention_naive<<<len, 64, len * sizeof(float)>>>(Q, K, V, out, len, dim, 0.125f, true);
}
