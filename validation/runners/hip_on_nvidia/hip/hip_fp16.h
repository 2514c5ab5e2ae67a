// HIP halves are CUDA halves.
#pragma once
#include <cuda_fp16.h>
