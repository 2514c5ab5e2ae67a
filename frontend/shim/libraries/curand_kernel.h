// cuRAND's device side.
#pragma once
#include "blas.h"
#pragma clang force_cuda_host_device begin
struct curandStateXORWOW { unsigned d, v[5]; int boxmuller_flag, boxmuller_flag_double; float boxmuller_extra; double boxmuller_extra_double; };
struct curandStatePhilox4_32_10 { uint4 ctr, output; uint2 key; unsigned STATE; int boxmuller_flag; };
struct curandStateMRG32k3a { unsigned s1[3], s2[3]; int boxmuller_flag; };
struct curandStateMtgp32 { unsigned s[1024]; int offset, pIdx; };
struct curandStateSobol32 { unsigned i, x, c, direction_vectors[32]; };
struct curandStateSobol64 { unsigned long long i, x, c, direction_vectors[64]; };
struct curandStateScrambledSobol32 { unsigned i, x, c, direction_vectors[32]; };
struct mtgp32_kernel_params { unsigned pos_tbl[200]; };
typedef mtgp32_kernel_params mtgp32_kernel_params_t;
typedef curandStateXORWOW curandStateXORWOW_t, curandState_t, curandState;
typedef curandStatePhilox4_32_10 curandStatePhilox4_32_10_t;
typedef curandStateMRG32k3a curandStateMRG32k3a_t;
typedef curandStateMtgp32 curandStateMtgp32_t;
typedef curandStateSobol32 curandStateSobol32_t;
typedef curandStateSobol64 curandStateSobol64_t;
typedef curandStateScrambledSobol32 curandStateScrambledSobol32_t;
template <class... A> void curand_init(A&&...);
template <class S> unsigned curand(S*);
template <class S> uint4 curand4(S*);
template <class S> float curand_uniform(S*);
template <class S> double curand_uniform_double(S*);
template <class S> float4 curand_uniform4(S*);
template <class S> double2 curand_uniform2_double(S*);
template <class S> float curand_normal(S*);
template <class S> double curand_normal_double(S*);
template <class S> float2 curand_normal2(S*);
template <class S> double2 curand_normal2_double(S*);
template <class S> float4 curand_normal4(S*);
template <class S> float curand_log_normal(S*, float, float);
template <class S> double curand_log_normal_double(S*, double, double);
template <class S> unsigned curand_poisson(S*, double);
template <class S> void skipahead(unsigned long long, S*);
template <class S> void skipahead_sequence(unsigned long long, S*);
#pragma clang force_cuda_host_device end
