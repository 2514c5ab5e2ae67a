// Absmax quantisation of each row to int8 with a scale, stores packed four to a word.
__global__ void int8_quantize(const float* in, char4* out, float* scale, int cols) {
  __shared__ float peak[4];
  int row = blockIdx.x;
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  float top = 0.0f;
  for (int c = threadIdx.x; c < cols; c += 128) top = fmaxf(top, fabsf(in[row * cols + c]));
  for (int d = 16; d > 0; d >>= 1) top = fmaxf(top, __shfl_xor_sync(0xffffffff, top, d));
  if (lane == 0) peak[warp] = top;
  __syncthreads();
  top = fmaxf(fmaxf(peak[0], peak[1]), fmaxf(peak[2], peak[3]));
  float s = top > 0.0f ? __fdiv_rn(127.0f, top) : 0.0f;
  if (threadIdx.x == 0) scale[row] = top;
  for (int q = threadIdx.x; q < cols / 4; q += 128) {
    float4 v = reinterpret_cast<const float4*>(in + row * cols)[q];
    char4 packed;
    packed.x = (signed char)__float2int_rn(__fmul_rn(v.x, s));
    packed.y = (signed char)__float2int_rn(__fmul_rn(v.y, s));
    packed.z = (signed char)__float2int_rn(__fmul_rn(v.z, s));
    packed.w = (signed char)__float2int_rn(__fmul_rn(v.w, s));
    out[row * (cols / 4) + q] = packed;
  }
}

void launch_quantize(const float* in, char4* out, float* scale, int rows, int cols) {
  int8_quantize<<<rows, 128>>>(in, out, scale, cols);
}
