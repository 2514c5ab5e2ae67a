// x[t] = a[t] x[t-1] + b[t] along each channel by a warp scan of affine maps, chunk by chunk.
__global__ void linear_recurrence(const float* a, const float* b, float* x, int length) {
  int channel = blockIdx.x;
  int lane = threadIdx.x;
  float carry = 0.0f;
  for (int t0 = 0; t0 < length; t0 += 32) {
    int t = t0 + lane;
    float scale = t < length ? a[channel * length + t] : 1.0f;
    float shift = t < length ? b[channel * length + t] : 0.0f;
    for (int d = 1; d < 32; d *= 2) {
      float left_scale = __shfl_up_sync(0xffffffff, scale, d);
      float left_shift = __shfl_up_sync(0xffffffff, shift, d);
      if (lane >= d) {
        shift = scale * left_shift + shift;
        scale = scale * left_scale;
      }
    }
    float value = scale * carry + shift;
    if (t < length) x[channel * length + t] = value;
    carry = __shfl_sync(0xffffffff, value, 31);
  }
}

void launch_recurrence(const float* a, const float* b, float* x, int channels, int length) {
  linear_recurrence<<<channels, 32>>>(a, b, x, length);
}
