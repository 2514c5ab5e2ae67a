// The usual inner loop of a tensor-core kernel in PTX: tiles staged in shared memory by cp.async,
// fragments by ldmatrix (B transposed), products by mma.sync, results back by stmatrix or stores.
// Two warps a block, a tile each.
#include <cuda_fp16.h>

__device__ unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}

// D = A * B of 16 x 16 by 16 x 8 halves, float accumulators; rows of A are K long, of B 8.
__global__ void ldmatrix_mma(const __half* A, const __half* B, float* D, int K) {
  __shared__ __align__(16) __half a_tile[2][16 * 16];
  __shared__ __align__(16) __half b_tile[2][16 * 8];
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32, tile = blockIdx.x * 2 + warp;
  float d[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  for (int k = 0; k < K; k += 16) {
    int row = lane / 2, half = lane % 2 * 8;
    asm volatile("cp.async.ca.shared.global [%0], [%1], 16;" ::"r"(
                     shared_address(&a_tile[warp][row * 16 + half])),
                 "l"(A + (tile * 16 + row) * K + k + half));
    if (lane < 16) {
      asm volatile("cp.async.ca.shared.global [%0], [%1], 16;" ::"r"(
                       shared_address(&b_tile[warp][lane * 8])),
                   "l"(B + (k + lane) * 8));
    }
    asm volatile("cp.async.commit_group;");
    asm volatile("cp.async.wait_group 0;");
    __syncwarp();
    unsigned a[4], b[2];
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(a[0]), "=r"(a[1]), "=r"(a[2]), "=r"(a[3])
                 : "r"(shared_address(&a_tile[warp][lane % 16 * 16 + lane / 16 * 8])));
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(b[0]), "=r"(b[1])
                 : "r"(shared_address(&b_tile[warp][lane % 16 * 8])));
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    __syncwarp();
  }
  float* out = D + tile * 16 * 8;
  int group = lane / 4, pair = lane % 4 * 2;
  out[group * 8 + pair] = d[0];
  out[group * 8 + pair + 1] = d[1];
  out[(group + 8) * 8 + pair] = d[2];
  out[(group + 8) * 8 + pair + 1] = d[3];
}

// Signed bytes times signed bytes, 16 x 32 by 32 x 8; a warp reads its fragments itself. One mma
// wraps around, the other stops at the ends of int.
__global__ void mma_bytes(const int* A, const int* B, const int* C, int* D, int* saturated) {
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32, tile = blockIdx.x * 2 + warp;
  int group = lane / 4, pair = lane % 4;
  const int *a = A + tile * 16 * 8, *b = B + tile * 8 * 8, *c = C + tile * 16 * 8;
  int a0 = a[group * 8 + pair], a1 = a[(group + 8) * 8 + pair];
  int a2 = a[group * 8 + pair + 4], a3 = a[(group + 8) * 8 + pair + 4];
  int b0 = b[group * 8 + pair], b1 = b[group * 8 + pair + 4];
  int at = group * 8 + pair * 2;
  int d[4] = {c[at], c[at + 1], c[at + 64], c[at + 65]}, s[4] = {d[0], d[1], d[2], d[3]};
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.s8.s32 {%0, %1, %2, %3}, "
      "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+r"(s[0]), "+r"(s[1]), "+r"(s[2]), "+r"(s[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  for (int i = 0; i < 4; ++i) {
    int to = tile * 128 + at + (i / 2) * 64 + i % 2;
    D[to] = d[i];
    saturated[to] = s[i];
  }
}

void launch_ldmatrix(const __half* A, const __half* B, float* D, int K, int blocks) {
  ldmatrix_mma<<<blocks, 64>>>(A, B, D, K);
}
