# A special register.
__device__ unsigned f() { unsigned r; asm("mov.u32 %0, %%laneid;" : "=r"(r)); return r; }
---
__device__ unsigned f() { unsigned r; r = (__lane_id() & 31); return r; }

# nvcc takes a single percent sign too.
__device__ unsigned f() { unsigned r; asm("mov.u32 %0, %lanemask_lt;" : "=r"(r)); return r; }
---
__device__ unsigned f() { unsigned r; r = ((1u << (__lane_id() & 31)) - 1); return r; }

# A bit field with constant bounds.
__device__ unsigned f(unsigned x) { unsigned r; asm("bfe.u32 %0, %1, 8, 4;" : "=r"(r) : "r"(x)); return r; }
---
__device__ unsigned f(unsigned x) { unsigned r; r = (unsigned int)x >> 8 & 0xfu; return r; }

# Signed operations read signed values.
__device__ int f(int x) { int r; asm("shr.s32 %0, %1, 3;" : "=r"(r) : "r"(x)); return r; }
---
__device__ int f(int x) { int r; r = (int)x >> 3; return r; }

# High product, fused multiply-add.
__device__ void f(unsigned& h, float& s, unsigned a, float b) {
  asm("mul.hi.u32 %0, %1, %2;" : "=r"(h) : "r"(a), "r"(a));
  asm("fma.rn.f32 %0, %1, %2, 0f3F800000;" : "=f"(s) : "f"(b), "f"(b));
}
---
__device__ void f(unsigned& h, float& s, unsigned a, float b) {
  h = __umulhi((unsigned int)a, (unsigned int)a);
  s = fmaf(b, b, 1.0f);
}

# More than one instruction: a block, inputs read before outputs are written.
__device__ unsigned f(unsigned x) {
  unsigned r = 0;
  asm("{ .reg .pred p; setp.ne.u32 p, %1, 0; @p mov.u32 %0, 1; }" : "+r"(r) : "r"(x));
  return r;
}
---
__device__ unsigned f(unsigned x) {
  unsigned r = 0;
  {
    const unsigned int in0 = (unsigned int)(x);
    bool p;
    p = in0 != 0u;
    if (p) r = 1u;
  }
  return r;
}

# A local variable never hides a name of the operands.
__device__ unsigned f(unsigned p, unsigned in0) {
  asm("{ .reg .pred p; setp.eq.u32 p, %1, 0; @p mov.u32 %0, 1; }" : "=r"(p) : "r"(in0));
  return p;
}
---
__device__ unsigned f(unsigned p, unsigned in0) {
  {
    const unsigned int in0_ = (unsigned int)(in0);
    bool p_;
    p_ = in0_ == 0u;
    if (p_) p = 1u;
  }
  return p;
}

# A load with a cache hint.
__device__ float f(const float* p) { float r; asm("ld.global.nc.f32 %0, [%1];" : "=f"(r) : "l"(p)); return r; }
---
__device__ float f(const float* p) { float r; r = *((const float*)p); return r; }

# A compiler's fence stays.
__device__ void f() { asm volatile("" ::: "memory"); }
---
__device__ void f() { asm volatile("" ::: "memory"); }

# Assembly of the host stays.
unsigned long long f() { unsigned a, d; asm volatile("rdtsc" : "=a"(a), "=d"(d)); return a; }
---
unsigned long long f() { unsigned a, d; asm volatile("rdtsc" : "=a"(a), "=d"(d)); return a; }

# In a macro, on one line, with its parameters in brackets.
#define COPY(to, from) asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" :: "r"(to), "l"(from))
#define WAIT() asm volatile("cp.async.wait_all;" ::)
__global__ void k(int* p) { COPY(0, p); WAIT(); }
---
#define COPY(to, from) copy_to_lds<4>(lds_pointer<char>((unsigned int)(to)), ((const char*)(from)), 4)
#define WAIT() ((void)0)
__global__ void k(int* p) { COPY(0, p); WAIT(); }

# A funnel of video instructions.
__device__ unsigned f(unsigned a, unsigned b, unsigned c) {
  unsigned r;
  asm("vshr.u32.u32.u32.clamp.add %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}
---
__device__ unsigned f(unsigned a, unsigned b, unsigned c) {
  unsigned r;
  {
    const unsigned int t0 = (unsigned int)a;
    const unsigned int t1 = (unsigned int)b;
    r = (t1 < 32 ? (t0 >> t1) : 0) + (unsigned int)c;
  }
  return r;
}

# Halves and pairs of halves lie in registers as bits.
__global__ void k(unsigned* x, unsigned short* s, float* f) {
  asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(x[3]) : "r"(x[0]), "r"(x[1]), "r"(x[2]));
  asm("add.f16 %0, %1, %2;" : "=h"(s[2]) : "h"(s[0]), "h"(s[1]));
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(x[4]) : "f"(f[0]), "f"(f[1]));
  asm("cvt.f32.f16 %0, %1;" : "=f"(f[2]) : "h"(s[0]));
}
---
__global__ void k(unsigned* x, unsigned short* s, float* f) {
  x[3] = ptx_half_fma((unsigned int)(x[0]), (unsigned int)(x[1]), (unsigned int)(x[2]));
  s[2] = ptx_half_add((unsigned short)(s[0]), (unsigned short)(s[1]));
  x[4] = (unsigned int)ptx_half_bits(f[1]) | (unsigned int)ptx_half_bits(f[0]) << 16;
  f[2] = ptx_half_value((unsigned short)(s[0]));
}
