// hipRAND on the device is cuRAND under other names.
#pragma once
#include <curand_kernel.h>
#define hiprand_init curand_init
#define hiprand_uniform curand_uniform
#define hiprand_normal curand_normal
#define hiprandStatePhilox4_32_10_t curandStatePhilox4_32_10_t
#define hiprandState curandState
