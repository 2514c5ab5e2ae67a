# register is no word of C++17.
__device__ int f() { register int i = 3; register  float* p = 0; return i + (p != 0); }
---
__device__ int f() { int i = 3; float* p = 0; return i + (p != 0); }

# A pause.
__device__ void f(int n) { __nanosleep(640); __nanosleep(n); }
---
__device__ void f(int n) { __builtin_amdgcn_s_sleep(10); __builtin_amdgcn_s_sleep(2); }

# No clusters.
__global__ void __launch_bounds__(128, 2, 4) k() {}
---
__global__ void __launch_bounds__(128, 2) k() {}

# The host computes with the kernels' width, and prints the device's.
int f(cudaDeviceProp p) { printf("%d", p.warpSize); return 256 / p.warpSize; }
---
int f(cudaDeviceProp p) { printf("%d", p.warpSize); return 256 / 32; }
