// Inline PTX: lane id, byte permute, bit-field extract, add with carry, a predicated select.
__device__ unsigned int lane_id() {
  unsigned int lane;
  asm("mov.u32 %0, %%laneid;" : "=r"(lane));
  return lane;
}

__global__ void ptx_inline(const unsigned int* a, const unsigned int* b, unsigned int* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  unsigned int x = a[i], y = b[i];
  unsigned int permuted, field, low, high, chosen, merged;
  asm("prmt.b32 %0, %1, %2, 0x3526;" : "=r"(permuted) : "r"(x), "r"(y));
  asm("bfe.u32 %0, %1, 7, 11;" : "=r"(field) : "r"(x));
  asm("add.cc.u32 %0, %2, %3;\n\t"
      "addc.u32 %1, %4, 0;"
      : "=r"(low), "=r"(high)
      : "r"(x), "r"(y), "r"(field));
  asm("{\n\t"
      ".reg .pred p;\n\t"
      "setp.gt.s32 p, %1, %2;\n\t"
      "selp.b32 %0, %1, %2, p;\n\t"
      "}"
      : "=r"(chosen)
      : "r"(x), "r"(y));
  asm("lop3.b32 %0, %1, %2, %3, 0xE8;" : "=r"(merged) : "r"(x), "r"(y), "r"(chosen));
  float f = __uint_as_float((x & 0x007fffffu) | 0x3f800000u), g;
  asm volatile("fma.rn.f32 %0, %1, %2, %3;" : "=f"(g) : "f"(f), "f"(1.5f), "f"(-0.25f));
  out[i] = permuted ^ field ^ low ^ (high << 3) ^ chosen ^ merged ^ lane_id() ^ __float_as_uint(g);
}

void launch_ptx(const unsigned int* a, const unsigned int* b, unsigned int* out, int n) {
  ptx_inline<<<(n + 63) / 64, 64>>>(a, b, out, n);
}
