// CUDA's division by a name.
static __host__ __device__ inline double crossport_fdivide(double a, double b) { return a / b; }
