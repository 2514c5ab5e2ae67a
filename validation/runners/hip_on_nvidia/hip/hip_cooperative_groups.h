// The groups have the same names in both.
#pragma once
#include <cooperative_groups.h>
