// Four elements a thread through float4; the scalar tail is done by the last threads.
__global__ void relu_float4(const float* in, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int quads = n / 4;
  if (i < quads) {
    float4 v = reinterpret_cast<const float4*>(in)[i];
    v.x = v.x > 0.0f ? v.x : 0.0f;
    v.y = v.y > 0.0f ? v.y : 0.0f;
    v.z = v.z > 0.0f ? v.z : 0.0f;
    v.w = v.w > 0.0f ? v.w : 0.0f;
    reinterpret_cast<float4*>(out)[i] = v;
  }
  int tail = quads * 4 + i;
  if (i < n % 4) out[tail] = in[tail] > 0.0f ? in[tail] : 0.0f;
}

void launch_relu(const float* in, float* out, int n) {
  relu_float4<<<(n / 4 + 256) / 256, 256>>>(in, out, n);
}
