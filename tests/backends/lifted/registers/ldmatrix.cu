// Rows of shared memory to registers by ldmatrix, addresses as numbers; mma.sync on what it gives.
#include <cuda_fp16.h>

__device__ unsigned int address(const void* p) {
  return (unsigned int)__cvta_generic_to_shared(p);
}

__global__ void loaded_rows(const __half* a, const __half* b, float* d) {
  __shared__ __half sa[16][24];
  __shared__ __half sb[16][8];
  int t = threadIdx.x & 31;
  unsigned int to = address(sa) + (t / 2 * 24 + t % 2 * 8) * sizeof(__half);
  if (threadIdx.x < 32) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 16;\n" ::"r"(to),
                 "l"(a + blockIdx.x * 256 + t * 8));
    for (int i = 0; i < 4; ++i) sb[t / 2][t % 2 * 4 + i] = b[blockIdx.x * 128 + t * 4 + i];
  }
  asm volatile("cp.async.commit_group;\n" ::);
  asm volatile("cp.async.wait_group 0;\n" ::);
  __syncthreads();
  unsigned int ra[4], rb[2];
  unsigned int from = address(&sa[t % 16][t / 16 * 8]);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(ra[0]), "=r"(ra[1]), "=r"(ra[2]), "=r"(ra[3]) : "r"(from));
  unsigned int right = address(&sb[t % 16][0]);
  asm volatile("ldmatrix.sync.aligned.x2.trans.m8n8.shared.b16 {%0, %1}, [%2];\n"
               : "=r"(rb[0]), "=r"(rb[1]) : "r"(right));
  float c[4] = {1.0f, 2.0f, 3.0f, 4.0f};
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(ra[0]), "r"(ra[1]), "r"(ra[2]), "r"(ra[3]), "r"(rb[0]), "r"(rb[1]));
  if (threadIdx.x >= 32) return;
  float* tile = d + blockIdx.x * 128;
  tile[t / 4 * 8 + t % 4 * 2] = c[0];
  tile[t / 4 * 8 + t % 4 * 2 + 1] = c[1];
  tile[(t / 4 + 8) * 8 + t % 4 * 2] = c[2];
  tile[(t / 4 + 8) * 8 + t % 4 * 2 + 1] = c[3];
}
