// hipCUB is CUB under another name.
#pragma once
#include <cub/cub.cuh>
#define hipcub cub
