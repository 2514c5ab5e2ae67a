// Device functions: fast math, conversions, bits, SIMD in a word, barriers, warps, memory, atomics.
#pragma once

template <class T> struct __shim_same { typedef T type; };

// --- Fast and rounded math -----------------------------------------------------------------------
#define SHIM_FAST(name) float __##name##f(float);
SHIM_FAST(sin) SHIM_FAST(cos) SHIM_FAST(tan) SHIM_FAST(exp) SHIM_FAST(exp10) SHIM_FAST(log)
SHIM_FAST(log2) SHIM_FAST(log10) SHIM_FAST(saturate) SHIM_FAST(tanh)
#undef SHIM_FAST
float __powf(float, float);
float __fdividef(float, float);
void __sincosf(float, float*, float*);
float saturate(float);
float __frsqrt_rn(float);
#define SHIM_ROUNDED(r)                         \
    float __fadd_##r(float, float);             \
    float __fsub_##r(float, float);             \
    float __fmul_##r(float, float);             \
    float __fdiv_##r(float, float);             \
    float __fsqrt_##r(float);                   \
    float __frcp_##r(float);                    \
    float __fmaf_##r(float, float, float);      \
    float __fmaf_ieee_##r(float, float, float); \
    double __dadd_##r(double, double);          \
    double __dsub_##r(double, double);          \
    double __dmul_##r(double, double);          \
    double __ddiv_##r(double, double);          \
    double __dsqrt_##r(double);                 \
    double __drcp_##r(double);                  \
    double __fma_##r(double, double, double);   \
    SHIM_CONVERT(r, float, float, double, double)  \
    SHIM_CONVERT(r, float, float, int, int)        \
    SHIM_CONVERT(r, float, float, uint, unsigned)  \
    SHIM_CONVERT(r, float, float, ll, long long)   \
    SHIM_CONVERT(r, float, float, ull, unsigned long long)   \
    SHIM_CONVERT(r, double, double, float, float)  \
    SHIM_CONVERT(r, double, double, int, int)      \
    SHIM_CONVERT(r, double, double, uint, unsigned) \
    SHIM_CONVERT(r, double, double, ll, long long) \
    SHIM_CONVERT(r, double, double, ull, unsigned long long) \
    SHIM_CONVERT(r, int, int, float, float)        \
    SHIM_CONVERT(r, int, int, double, double)      \
    SHIM_CONVERT(r, uint, unsigned, float, float)  \
    SHIM_CONVERT(r, uint, unsigned, double, double) \
    SHIM_CONVERT(r, ll, long long, float, float)   \
    SHIM_CONVERT(r, ll, long long, double, double) \
    SHIM_CONVERT(r, ull, unsigned long long, float, float)   \
    SHIM_CONVERT(r, ull, unsigned long long, double, double)
#define SHIM_CONVERT(r, from, from_type, to, to_type) to_type __##from##2##to##_##r(from_type);
SHIM_ROUNDED(rn) SHIM_ROUNDED(rz) SHIM_ROUNDED(ru) SHIM_ROUNDED(rd)
#undef SHIM_ROUNDED
#undef SHIM_CONVERT

// --- Bits ----------------------------------------------------------------------------------------
int __float_as_int(float);
float __int_as_float(int);
unsigned __float_as_uint(float);
float __uint_as_float(unsigned);
long long __double_as_longlong(double);
double __longlong_as_double(long long);
int __double2hiint(double);
int __double2loint(double);
double __hiloint2double(int, int);
int float_as_int(float);
float int_as_float(int);
unsigned float_as_uint(float);
float uint_as_float(unsigned);
int __mul24(int, int);
unsigned __umul24(unsigned, unsigned);
int __mulhi(int, int);
unsigned __umulhi(unsigned, unsigned);
long long __mul64hi(long long, long long);
unsigned long long __umul64hi(unsigned long long, unsigned long long);
int mul24(int, int);
unsigned umul24(unsigned, unsigned);
int mulhi(int, int);
unsigned umulhi(unsigned, unsigned);
unsigned __sad(int, int, unsigned);
unsigned __usad(unsigned, unsigned, unsigned);
int __hadd(int, int);
int __rhadd(int, int);
unsigned __uhadd(unsigned, unsigned);
unsigned __urhadd(unsigned, unsigned);
int __popc(unsigned);
int __popcll(unsigned long long);
int __clz(int);
int __clzll(long long);
int __ffs(int);
int __ffsll(long long);
extern "C" int ffs(int);
extern "C" int ffsll(long long);
unsigned __brev(unsigned);
unsigned long long __brevll(unsigned long long);
unsigned __byte_perm(unsigned, unsigned, unsigned);
unsigned __funnelshift_l(unsigned, unsigned, unsigned);
unsigned __funnelshift_r(unsigned, unsigned, unsigned);
unsigned __funnelshift_lc(unsigned, unsigned, unsigned);
unsigned __funnelshift_rc(unsigned, unsigned, unsigned);
unsigned __fns(unsigned, unsigned, int);
int __dp4a(int, int, int);
unsigned __dp4a(unsigned, unsigned, unsigned);
int __dp4a(char4, char4, int);
unsigned __dp4a(uchar4, uchar4, unsigned);
int __dp2a_lo(int, int, int);
unsigned __dp2a_lo(unsigned, unsigned, unsigned);
int __dp2a_hi(int, int, int);
unsigned __dp2a_hi(unsigned, unsigned, unsigned);

// --- SIMD in a word: __vadd2, __vadd4 ... ----------------------------------------------------------
#define SHIM_SIMD1(f) unsigned __v##f##2(unsigned); unsigned __v##f##4(unsigned);
#define SHIM_SIMD2(f) unsigned __v##f##2(unsigned, unsigned); unsigned __v##f##4(unsigned, unsigned);
SHIM_SIMD1(abs) SHIM_SIMD1(absss) SHIM_SIMD1(neg) SHIM_SIMD1(negss)
SHIM_SIMD2(add) SHIM_SIMD2(addss) SHIM_SIMD2(addus) SHIM_SIMD2(sub) SHIM_SIMD2(subss)
SHIM_SIMD2(subus) SHIM_SIMD2(absdiffs) SHIM_SIMD2(absdiffu) SHIM_SIMD2(avgs) SHIM_SIMD2(avgu)
SHIM_SIMD2(haddu) SHIM_SIMD2(maxs) SHIM_SIMD2(maxu) SHIM_SIMD2(mins) SHIM_SIMD2(minu)
SHIM_SIMD2(sads) SHIM_SIMD2(sadu) SHIM_SIMD2(cmpeq) SHIM_SIMD2(cmpne) SHIM_SIMD2(cmpges)
SHIM_SIMD2(cmpgeu) SHIM_SIMD2(cmpgts) SHIM_SIMD2(cmpgtu) SHIM_SIMD2(cmples) SHIM_SIMD2(cmpleu)
SHIM_SIMD2(cmplts) SHIM_SIMD2(cmpltu) SHIM_SIMD2(seteq) SHIM_SIMD2(setne) SHIM_SIMD2(setges)
SHIM_SIMD2(setgeu) SHIM_SIMD2(setgts) SHIM_SIMD2(setgtu) SHIM_SIMD2(setles) SHIM_SIMD2(setleu)
SHIM_SIMD2(setlts) SHIM_SIMD2(setltu)
#undef SHIM_SIMD1
#undef SHIM_SIMD2
#define SHIM_SIMD3(f)                                                      \
    int __##f(int, int, int);                                             \
    int __##f##_relu(int, int, int);
SHIM_SIMD3(vimax3_s32) SHIM_SIMD3(vimin3_s32) SHIM_SIMD3(viaddmax_s32) SHIM_SIMD3(viaddmin_s32)
#undef SHIM_SIMD3
#define SHIM_SIMD3(f)                                                      \
    unsigned __##f(unsigned, unsigned, unsigned);                          \
    unsigned __##f##_relu(unsigned, unsigned, unsigned);
SHIM_SIMD3(vimax3_u32) SHIM_SIMD3(vimin3_u32) SHIM_SIMD3(viaddmax_u32) SHIM_SIMD3(viaddmin_u32)
SHIM_SIMD3(vimax3_s16x2) SHIM_SIMD3(vimin3_s16x2) SHIM_SIMD3(viaddmax_s16x2) SHIM_SIMD3(viaddmin_s16x2)
SHIM_SIMD3(vimax3_u16x2) SHIM_SIMD3(vimin3_u16x2) SHIM_SIMD3(viaddmax_u16x2) SHIM_SIMD3(viaddmin_u16x2)
#undef SHIM_SIMD3
#define SHIM_SIMD2(f) int __##f##_s32_relu(int, int); unsigned __##f##_s16x2_relu(unsigned, unsigned);
SHIM_SIMD2(vimax) SHIM_SIMD2(vimin)
#undef SHIM_SIMD2
int __vibmax_s32(int, int, bool*);
int __vibmin_s32(int, int, bool*);
unsigned __vibmax_u32(unsigned, unsigned, bool*);
unsigned __vibmin_u32(unsigned, unsigned, bool*);
unsigned __vibmax_s16x2(unsigned, unsigned, bool*, bool*);
unsigned __vibmin_s16x2(unsigned, unsigned, bool*, bool*);
unsigned __vibmax_u16x2(unsigned, unsigned, bool*, bool*);
unsigned __vibmin_u16x2(unsigned, unsigned, bool*, bool*);

// --- Barriers, fences, time ------------------------------------------------------------------------
#pragma clang force_cuda_host_device end
extern "C" __device__ void __syncthreads();
__device__ int __syncthreads_count(int);
__device__ int __syncthreads_and(int);
__device__ int __syncthreads_or(int);
#pragma clang force_cuda_host_device begin
void __syncwarp(unsigned mask = 0xffffffffu);
void __threadfence();
void __threadfence_block();
void __threadfence_system();
void __barrier_sync(unsigned);
void __barrier_sync_count(unsigned, unsigned);
void __nanosleep(unsigned);
void __trap();
void __brkpt();
void __prof_trigger(int);
void __assertfail(const char*, const char*, unsigned, const char*, size_t);
extern "C" clock_t clock();
long long clock64();
unsigned long long globaltimer();
unsigned __smid();

// --- Warps -----------------------------------------------------------------------------------------
unsigned __lane_id();
unsigned __activemask();
unsigned __ballot_sync(unsigned mask, int predicate);
int __all_sync(unsigned mask, int predicate);
int __any_sync(unsigned mask, int predicate);
int __uni_sync(unsigned mask, int predicate);
unsigned __ballot(int predicate);
int __all(int predicate);
int __any(int predicate);
template <class T> unsigned __match_any_sync(unsigned mask, T value);
template <class T> unsigned __match_all_sync(unsigned mask, T value, int* predicate);
template <class T> T __shfl_sync(unsigned mask, T value, int lane, int width = 32);
template <class T> T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32);
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32);
template <class T> T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32);
template <class T> T __shfl(T value, int lane, int width = 32);
template <class T> T __shfl_up(T value, unsigned delta, int width = 32);
template <class T> T __shfl_down(T value, unsigned delta, int width = 32);
template <class T> T __shfl_xor(T value, int lane_mask, int width = 32);
#define SHIM_REDUCE(f, T) T __reduce_##f##_sync(unsigned mask, T value);
SHIM_REDUCE(add, int) SHIM_REDUCE(add, unsigned) SHIM_REDUCE(min, int) SHIM_REDUCE(min, unsigned)
SHIM_REDUCE(max, int) SHIM_REDUCE(max, unsigned) SHIM_REDUCE(and, unsigned) SHIM_REDUCE(or, unsigned)
SHIM_REDUCE(xor, unsigned)
#undef SHIM_REDUCE

// --- Memory ----------------------------------------------------------------------------------------
#define SHIM_LOAD(f) template <class T> T f(const T* pointer);
SHIM_LOAD(__ldg) SHIM_LOAD(__ldcg) SHIM_LOAD(__ldca) SHIM_LOAD(__ldcs) SHIM_LOAD(__ldlu) SHIM_LOAD(__ldcv)
#undef SHIM_LOAD
#define SHIM_STORE(f) template <class T> void f(T* pointer, typename __shim_same<T>::type value);
SHIM_STORE(__stwb) SHIM_STORE(__stcg) SHIM_STORE(__stcs) SHIM_STORE(__stwt)
#undef SHIM_STORE
size_t __cvta_generic_to_shared(const void*);
size_t __cvta_generic_to_global(const void*);
size_t __cvta_generic_to_local(const void*);
size_t __cvta_generic_to_constant(const void*);
void* __cvta_shared_to_generic(size_t);
void* __cvta_global_to_generic(size_t);
void* __cvta_local_to_generic(size_t);
unsigned __isShared(const void*);
unsigned __isGlobal(const void*);
unsigned __isLocal(const void*);
unsigned __isConstant(const void*);
void* alloca(size_t);
#define alloca(size) __builtin_alloca(size)

// --- Atomics ---------------------------------------------------------------------------------------
#define SHIM_ATOMIC(f, scope)                                                                 \
    template <class T> T f##scope(T* address, typename __shim_same<T>::type value);           \
    template <class T> T f##scope(volatile T* address, typename __shim_same<T>::type value);
#define SHIM_ATOMICS(scope)                                                                   \
    SHIM_ATOMIC(atomicAdd, scope) SHIM_ATOMIC(atomicSub, scope) SHIM_ATOMIC(atomicExch, scope) \
    SHIM_ATOMIC(atomicMin, scope) SHIM_ATOMIC(atomicMax, scope) SHIM_ATOMIC(atomicInc, scope)  \
    SHIM_ATOMIC(atomicDec, scope) SHIM_ATOMIC(atomicAnd, scope) SHIM_ATOMIC(atomicOr, scope)   \
    SHIM_ATOMIC(atomicXor, scope)                                                             \
    template <class T>                                                                        \
    T atomicCAS##scope(T* address, typename __shim_same<T>::type compare,                     \
                       typename __shim_same<T>::type value);                                  \
    template <class T>                                                                        \
    T atomicCAS##scope(volatile T* address, typename __shim_same<T>::type compare,            \
                       typename __shim_same<T>::type value);
SHIM_ATOMICS() SHIM_ATOMICS(_block) SHIM_ATOMICS(_system)
#undef SHIM_ATOMIC
#undef SHIM_ATOMICS
