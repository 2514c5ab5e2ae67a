// Sixteen library functions, one a case of the switch: where vendors' libraries differ by an ulp.
__global__ void math_zoo(const float* in, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float x = in[i];
  float y;
  switch (i % 16) {
    case 0: y = sinf(x); break;
    case 1: y = cosf(x); break;
    case 2: y = expf(x * 0.1f); break;
    case 3: y = logf(fabsf(x) + 0.5f); break;
    case 4: y = sqrtf(fabsf(x)); break;
    case 5: y = rsqrtf(fabsf(x) + 1.0f); break;
    case 6: y = tanhf(x); break;
    case 7: y = erff(x); break;
    case 8: y = powf(fabsf(x) + 0.1f, 1.5f); break;
    case 9: y = atan2f(x, 2.0f); break;
    case 10: y = floorf(x) + ceilf(x * 0.5f); break;
    case 11: y = fmodf(x, 1.7f); break;
    case 12: y = exp2f(x * 0.25f); break;
    case 13: y = log1pf(fabsf(x)); break;
    case 14: y = cbrtf(x); break;
    default: y = copysignf(fmaf(x, x, 1.0f), x); break;
  }
  out[i] = y;
}

void launch_math_zoo(const float* in, float* out, int n) {
  math_zoo<<<(n + 127) / 128, 128>>>(in, out, n);
}
