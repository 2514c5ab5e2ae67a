// A bare tensor-core instruction: mma.sync m16n8k16 on half with float accumulators, one warp.
#include <cuda_fp16.h>

__global__ void ptx_mma(const __half* A, const __half* B, float* D) {
  int lane = threadIdx.x & 31;
  int group = lane >> 2, pair = lane & 3;
  const __half* a_tile = A + blockIdx.x * 16 * 16;
  const __half* b_tile = B + blockIdx.x * 16 * 8;
  unsigned int a[4], b[2];
  a[0] = *(const unsigned int*)&a_tile[group * 16 + pair * 2];
  a[1] = *(const unsigned int*)&a_tile[(group + 8) * 16 + pair * 2];
  a[2] = *(const unsigned int*)&a_tile[group * 16 + pair * 2 + 8];
  a[3] = *(const unsigned int*)&a_tile[(group + 8) * 16 + pair * 2 + 8];
  // B is stored column by column: 8 columns of 16.
  b[0] = *(const unsigned int*)&b_tile[group * 16 + pair * 2];
  b[1] = *(const unsigned int*)&b_tile[group * 16 + pair * 2 + 8];
  float d[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  float* d_tile = D + blockIdx.x * 16 * 8;
  d_tile[group * 8 + pair * 2] = d[0];
  d_tile[group * 8 + pair * 2 + 1] = d[1];
  d_tile[(group + 8) * 8 + pair * 2] = d[2];
  d_tile[(group + 8) * 8 + pair * 2 + 1] = d[3];
}

void launch_ptx_mma(const __half* A, const __half* B, float* D, int tiles) {
  ptx_mma<<<tiles, 32>>>(A, B, D);
}
