// Everything that a CUDA source may use without asking: included before its first line.
#pragma once
#ifndef __CUDA__
#error "this header is for -x cuda"
#endif
#include "cuda/attributes.h"
// What stands between these two may be called from host and device.
#pragma clang force_cuda_host_device begin
#include "std/base.h"
#include "std/math.h"
#include "std/utility.h"
#include "std/containers.h"
#include "std/host.h"
#include "cuda/vectors.h"
#include "cuda/device.h"
#include "cuda/runtime.h"
#include "cuda/textures.h"
#pragma clang force_cuda_host_device end
