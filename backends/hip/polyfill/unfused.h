// CUDA's __fmul_rn and its kin round on their own: they are never joined into a fused operation.
static __device__ inline float crossport_fmul_rn(float a, float b) {
#pragma clang fp contract(off)
  return a * b;
}
static __device__ inline float crossport_fadd_rn(float a, float b) {
#pragma clang fp contract(off)
  return a + b;
}
static __device__ inline float crossport_fsub_rn(float a, float b) {
#pragma clang fp contract(off)
  return a - b;
}
static __device__ inline double crossport_dmul_rn(double a, double b) {
#pragma clang fp contract(off)
  return a * b;
}
static __device__ inline double crossport_dadd_rn(double a, double b) {
#pragma clang fp contract(off)
  return a + b;
}
static __device__ inline double crossport_dsub_rn(double a, double b) {
#pragma clang fp contract(off)
  return a - b;
}
