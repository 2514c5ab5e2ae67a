// CUDA's minima and maxima with the type in the name.
static __host__ __device__ inline unsigned crossport_umin(unsigned a, unsigned b) {
  return a < b ? a : b;
}
static __host__ __device__ inline unsigned crossport_umax(unsigned a, unsigned b) {
  return a < b ? b : a;
}
static __host__ __device__ inline long long crossport_llmin(long long a, long long b) {
  return a < b ? a : b;
}
static __host__ __device__ inline long long crossport_llmax(long long a, long long b) {
  return a < b ? b : a;
}
static __host__ __device__ inline unsigned long long crossport_ullmin(
    unsigned long long a, unsigned long long b) {
  return a < b ? a : b;
}
static __host__ __device__ inline unsigned long long crossport_ullmax(
    unsigned long long a, unsigned long long b) {
  return a < b ? b : a;
}
