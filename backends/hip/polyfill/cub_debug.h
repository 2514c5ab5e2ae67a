// CUB's check of an error code: report it, and end the program.
#include <cstdio>
#include <cstdlib>
static inline void crossport_cub_debug_exit(hipError_t error) {
  if (error == hipSuccess) return;
  fprintf(stderr, "HIP error: %s\n", hipGetErrorString(error));
  exit(1);
}
