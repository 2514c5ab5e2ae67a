// Bits of one variable looked at as values of several sizes: unions, casts of arrays, packs.
#include <cuda_fp16.h>

union Word {
  float whole;
  unsigned short half[2];
  unsigned char byte[4];
};

__global__ void members_of_a_union(const float* x, int* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  Word w;
  w.whole = x[i];
  w.half[1] ^= 0x8000;
  w.byte[0] = 7;
  y[i] = w.half[0] + w.byte[2] * 3 + (w.whole < 0);
}

__global__ void bytes_at_a_variable_place(const float* x, int* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  unsigned char bytes[8];
  *(float*)bytes = x[i];
  *(float*)(bytes + 4) = -x[i];
  int sum = 0;
  for (int k = 0; k < 8; ++k) sum = sum * 31 + bytes[(k * 3 + i) & 7];
  unsigned int words[2] = {(unsigned int)sum, (unsigned int)i};
  unsigned char* p = (unsigned char*)words;
  p[i & 7] = 200;
  y[i] = (int)(words[0] ^ (words[1] * 77));
}

__global__ void packed_halves(const __half* a, const __half* b, __half* c, int n) {
  int i = 8 * (blockIdx.x * blockDim.x + threadIdx.x);
  __half pa[8], pb[8], pc[8];
  *(float4*)pa = *(const float4*)(a + i);
  *(float4*)pb = *(const float4*)(b + i);
  for (int k = 0; k < 8; ++k) pc[k] = __hadd(pa[k], pb[k]);
  if (i + 7 < n * 64) *(float4*)(c + i) = *(float4*)pc;
}

__global__ void halves_of_a_register(const __half* a, float* y) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  float4 four = *(const float4*)(a + 8 * i);
  __half2* pairs = (__half2*)&four;
  float sum = 0.0f;
  for (int k = 0; k < 4; ++k) sum += __half2float(pairs[k].x) * __half2float(pairs[k].y);
  y[i] = sum;
}
