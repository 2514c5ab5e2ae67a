// Textures and surfaces for GPUs without image instructions (CDNA3, CDNA4), in software.
//
//   crossport_tex2D<T>(object, x, y)      as tex2D, of an object that crossport_array.h made
//   crossport_surf2Dwrite(v, object, x, y)
//
// The formulas are those of the CUDA C++ Programming Guide, "Texture Fetching": with a linear filter
// xb = x - 0.5, i = floor(xb), a = the fraction of xb in steps of 1/256, and (1 - a) T[i] + a T[i + 1]
// in each dimension. In two of them the weight of each of the four elements is such a step, as an
// H200 has it. Places and sums are computed in double, which these GPUs do as fast as float; the
// result is rounded once.
#ifndef CROSSPORT_TEXTURE_H
#define CROSSPORT_TEXTURE_H

#include <hip/hip_runtime.h>

#include "crossport_array.h"

// The numbers in an element, as T has them: float4 has four floats.
template <class T> struct crossport_element {
  using scalar = T;
  static constexpr int count = 1;
};
template <class S, unsigned n> struct crossport_element<HIP_vector_type<S, n>> {
  using scalar = S;
  static constexpr int count = n;
};

// --- reading ---

// Number `c` of an element: a float of integers that are read as such, or what is stored.
template <class S>
static __device__ inline S crossport_channel(const crossport_image& image, const char* at, int c) {
  if (c >= image.channels) return S(0);
  at += c * image.bytes;
  if constexpr (__is_same(S, float)) {
    if (image.kind == hipChannelFormatKindFloat) {
      if (image.bytes == 4) return *reinterpret_cast<const float*>(at);
      return static_cast<float>(*reinterpret_cast<const _Float16*>(at));
    }
    if (image.reads_normalized) {
      const bool is_signed = image.kind == hipChannelFormatKindSigned;
      float value, most;
      if (image.bytes == 1) {
        value = is_signed ? *reinterpret_cast<const signed char*>(at)
                          : *reinterpret_cast<const unsigned char*>(at);
        most = is_signed ? 127.0f : 255.0f;
      } else {
        value = is_signed ? *reinterpret_cast<const short*>(at)
                          : *reinterpret_cast<const unsigned short*>(at);
        most = is_signed ? 32767.0f : 65535.0f;
      }
      return fmaxf(value / most, -1.0f);
    }
  }
  S value{};
  if (image.bytes == sizeof(S)) {
    __builtin_memcpy(&value, at, sizeof(S));
  } else if (image.kind == hipChannelFormatKindSigned) {
    value = static_cast<S>(image.bytes == 1   ? *reinterpret_cast<const signed char*>(at)
                           : image.bytes == 2 ? *reinterpret_cast<const short*>(at)
                                              : *reinterpret_cast<const int*>(at));
  } else {
    value = static_cast<S>(image.bytes == 1   ? *reinterpret_cast<const unsigned char*>(at)
                           : image.bytes == 2 ? *reinterpret_cast<const unsigned short*>(at)
                                              : *reinterpret_cast<const unsigned*>(at));
  }
  return value;
}

template <class T, class Channel> static __device__ inline T crossport_gathered(Channel channel) {
  using Element = crossport_element<T>;
  typename Element::scalar values[Element::count];
#pragma unroll
  for (int c = 0; c < Element::count; ++c) values[c] = channel(c);
  T result;
  __builtin_memcpy(&result, values, sizeof(T));
  return result;
}

// A position along one axis: the element of a whole number, or -1 for the border.
static __device__ inline int crossport_place(const crossport_image& image, int axis, int i) {
  const int extent = image.extent[axis];
  if (i >= 0 && i < extent) return i;
  const int mode = image.address[axis];
  if (mode == hipAddressModeBorder) return -1;
  if (image.is_normalized && mode == hipAddressModeWrap) {
    const int rest = i % extent;
    return rest < 0 ? rest + extent : rest;
  }
  if (image.is_normalized && mode == hipAddressModeMirror) {
    int rest = i % (2 * extent);
    rest = rest < 0 ? rest + 2 * extent : rest;
    return rest < extent ? rest : 2 * extent - 1 - rest;
  }
  return i < 0 ? 0 : extent - 1;
}

// A coordinate in elements. Anything that no array is as large as stays a number that is far outside.
static __device__ inline double crossport_along(const crossport_image& image, int axis, float x) {
  const double place = image.is_normalized ? static_cast<double>(x) * image.extent[axis] : x;
  return place == place ? fmin(fmax(place, -1073741824.0), 1073741823.0) : 0.0;
}

// `i` holds the place along each axis, -1 for the border.
template <class S, int dims>
static __device__ inline S crossport_at(
    const crossport_image& image, int layer, const int (&i)[dims], int c) {
  const char* at = image.data + layer * image.slice;
  bool is_border = false;
#pragma unroll
  for (int axis = 0; axis < dims; ++axis) {
    is_border |= i[axis] < 0;
    at += i[axis] * (axis == 0 ? image.channels * image.bytes : axis == 1 ? image.pitch : image.slice);
  }
  return is_border ? static_cast<S>(image.border[c]) : crossport_channel<S>(image, at, c);
}

static __device__ inline double crossport_step(double weight) {
  return floor(weight * 256 + 0.5) / 256;
}

// The elements around a place, and what each counts.
template <int dims> struct crossport_corners {
  int low[dims], high[dims];
  double weight[1 << dims];

  __device__ crossport_corners(const crossport_image& image, const float (&x)[dims]) {
    double part[dims];
#pragma unroll
    for (int axis = 0; axis < dims; ++axis) {
      const double place = crossport_along(image, axis, x[axis]) - 0.5, base = floor(place);
      part[axis] = crossport_step(place - base);
      low[axis] = crossport_place(image, axis, static_cast<int>(base));
      high[axis] = crossport_place(image, axis, static_cast<int>(base) + 1);
    }
    if constexpr (dims == 2) {
      const double both = crossport_step(part[0] * part[1]);
      weight[0] = 1 - part[0] - part[1] + both;
      weight[1] = part[0] - both;
      weight[2] = part[1] - both;
      weight[3] = both;
    } else {
#pragma unroll
      for (int corner = 0; corner < 1 << dims; ++corner) {
        double product = 1;
        for (int axis = 0; axis < dims; ++axis) {
          product *= corner >> axis & 1 ? part[axis] : 1 - part[axis];
        }
        weight[corner] = product;
      }
    }
  }
};

template <class T, int dims>
static __device__ inline T crossport_fetch(
    const crossport_image& image, int layer, const float (&x)[dims]) {
  using S = typename crossport_element<T>::scalar;
  layer = layer < 0 ? 0 : layer >= image.layers ? image.layers - 1 : layer;
  if constexpr (__is_same(S, float)) {
    if (image.is_linear) {
      const crossport_corners<dims> corners(image, x);
      return crossport_gathered<T>([&](int c) {
        double sum = 0;
#pragma unroll
        for (int corner = 0; corner < 1 << dims; ++corner) {
          int i[dims];
          for (int axis = 0; axis < dims; ++axis) {
            i[axis] = corner >> axis & 1 ? corners.high[axis] : corners.low[axis];
          }
          sum = fma(corners.weight[corner], crossport_at<float>(image, layer, i, c), sum);
        }
        return static_cast<float>(sum);
      });
    }
  }
  int i[dims];
#pragma unroll
  for (int axis = 0; axis < dims; ++axis) {
    const double place = floor(crossport_along(image, axis, x[axis]));
    i[axis] = crossport_place(image, axis, static_cast<int>(place));
  }
  return crossport_gathered<T>([&](int c) { return crossport_at<S>(image, layer, i, c); });
}

static __device__ inline const crossport_image& crossport_image_of(hipTextureObject_t object) {
  return *reinterpret_cast<const crossport_image*>(object);
}

template <class T>
static __device__ inline T crossport_element_of(const crossport_image& image, int i) {
  using S = typename crossport_element<T>::scalar;
  const bool is_inside = i >= 0 && i < image.extent[0];
  const char* at = image.data + static_cast<size_t>(is_inside ? i : 0) * image.channels * image.bytes;
  return crossport_gathered<T>(
      [&](int c) { return is_inside ? crossport_channel<S>(image, at, c) : S(0); });
}

// Without mipmaps, a level of detail or gradients have nothing to choose.
template <class T>
static __device__ inline T crossport_tex1Dfetch(hipTextureObject_t t, int i) {
  return crossport_element_of<T>(crossport_image_of(t), i);
}
template <class T> static __device__ inline T crossport_tex1D(hipTextureObject_t t, float x) {
  return crossport_fetch<T, 1>(crossport_image_of(t), 0, {x});
}
template <class T>
static __device__ inline T crossport_tex2D(hipTextureObject_t t, float x, float y) {
  return crossport_fetch<T, 2>(crossport_image_of(t), 0, {x, y});
}
template <class T>
static __device__ inline T crossport_tex3D(hipTextureObject_t t, float x, float y, float z) {
  return crossport_fetch<T, 3>(crossport_image_of(t), 0, {x, y, z});
}
template <class T>
static __device__ inline T crossport_tex1DLod(hipTextureObject_t t, float x, float) {
  return crossport_tex1D<T>(t, x);
}
template <class T>
static __device__ inline T crossport_tex2DLod(hipTextureObject_t t, float x, float y, float) {
  return crossport_tex2D<T>(t, x, y);
}
template <class T>
static __device__ inline T crossport_tex3DLod(
    hipTextureObject_t t, float x, float y, float z, float) {
  return crossport_tex3D<T>(t, x, y, z);
}
template <class T>
static __device__ inline T crossport_tex1DGrad(hipTextureObject_t t, float x, float, float) {
  return crossport_tex1D<T>(t, x);
}
template <class T>
static __device__ inline T crossport_tex2DGrad(
    hipTextureObject_t t, float x, float y, float2, float2) {
  return crossport_tex2D<T>(t, x, y);
}
template <class T>
static __device__ inline T crossport_tex1DLayered(hipTextureObject_t t, float x, int layer) {
  return crossport_fetch<T, 1>(crossport_image_of(t), layer, {x});
}
template <class T>
static __device__ inline T crossport_tex2DLayered(
    hipTextureObject_t t, float x, float y, int layer) {
  return crossport_fetch<T, 2>(crossport_image_of(t), layer, {x, y});
}
// Number `c` of the four elements that a linear filter would mix, from below left, anticlockwise.
template <class T>
static __device__ inline T crossport_tex2Dgather(
    hipTextureObject_t t, float x, float y, int c = 0) {
  using S = typename crossport_element<T>::scalar;
  const crossport_image& image = crossport_image_of(t);
  const int left = static_cast<int>(floor(crossport_along(image, 0, x) - 0.5));
  const int top = static_cast<int>(floor(crossport_along(image, 1, y) - 0.5));
  return crossport_gathered<T>([&](int corner) {
    const int i[2] = {crossport_place(image, 0, left + (corner == 1 || corner == 2)),
                      crossport_place(image, 1, top + (corner < 2))};
    return crossport_at<S>(image, 0, i, c);
  });
}

// The form that stores through a pointer.
#define CROSSPORT_TEXTURE_STORES(name)                                                \
  template <class T, class... Where>                                                  \
  static __device__ inline void name(T* to, hipTextureObject_t t, Where... where) {   \
    *to = name<T>(t, where...);                                                       \
  }
CROSSPORT_TEXTURE_STORES(crossport_tex1Dfetch)
CROSSPORT_TEXTURE_STORES(crossport_tex1D)
CROSSPORT_TEXTURE_STORES(crossport_tex2D)
CROSSPORT_TEXTURE_STORES(crossport_tex3D)
CROSSPORT_TEXTURE_STORES(crossport_tex1DLod)
CROSSPORT_TEXTURE_STORES(crossport_tex2DLod)
CROSSPORT_TEXTURE_STORES(crossport_tex3DLod)
CROSSPORT_TEXTURE_STORES(crossport_tex1DLayered)
CROSSPORT_TEXTURE_STORES(crossport_tex2DLayered)
#undef CROSSPORT_TEXTURE_STORES

// --- surfaces: x counts bytes ---

template <class T>
static __device__ inline T* crossport_surface(
    hipSurfaceObject_t surface, hipSurfaceBoundaryMode mode, int x, int y, int z, int layer) {
  const crossport_image& image = *reinterpret_cast<const crossport_image*>(surface);
  const int size = image.channels * image.bytes, i = x / size;
  const bool is_inside = x >= 0 && i < image.extent[0] && y >= 0 && y < image.extent[1] && z >= 0 &&
                         z < image.extent[2] && layer >= 0 && layer < image.layers;
  if (!is_inside) {
    if (mode == hipBoundaryModeZero) return nullptr;
    if (mode == hipBoundaryModeTrap) __builtin_trap();
    x = x < 0 ? 0 : i >= image.extent[0] ? (image.extent[0] - 1) * size : x;
    y = y < 0 ? 0 : y >= image.extent[1] ? image.extent[1] - 1 : y;
    z = z < 0 ? 0 : z >= image.extent[2] ? image.extent[2] - 1 : z;
    layer = layer < 0 ? 0 : layer >= image.layers ? image.layers - 1 : layer;
  }
  return reinterpret_cast<T*>(image.data + (z + layer) * image.slice + y * image.pitch + x);
}

#define CROSSPORT_SURFACE(read, write, parameters, ...)                                           \
  template <class T>                                                                              \
  static __device__ inline T read(                                                                \
      hipSurfaceObject_t s, parameters, hipSurfaceBoundaryMode mode = hipBoundaryModeTrap) {      \
    const T* at = crossport_surface<T>(s, mode, __VA_ARGS__);                                     \
    return at != nullptr ? *at : T{};                                                             \
  }                                                                                               \
  template <class T>                                                                              \
  static __device__ inline void read(                                                             \
      T* to, hipSurfaceObject_t s, parameters, hipSurfaceBoundaryMode mode = hipBoundaryModeTrap) {\
    const T* at = crossport_surface<T>(s, mode, __VA_ARGS__);                                     \
    *to = at != nullptr ? *at : T{};                                                              \
  }                                                                                               \
  template <class T>                                                                              \
  static __device__ inline void write(                                                            \
      T value, hipSurfaceObject_t s, parameters,                                                  \
      hipSurfaceBoundaryMode mode = hipBoundaryModeTrap) {                                        \
    T* at = crossport_surface<T>(s, mode, __VA_ARGS__);                                           \
    if (at != nullptr) *at = value;                                                               \
  }
#define CROSSPORT_LIST(...) __VA_ARGS__
CROSSPORT_SURFACE(crossport_surf1Dread, crossport_surf1Dwrite, int x, x, 0, 0, 0)
CROSSPORT_SURFACE(crossport_surf2Dread, crossport_surf2Dwrite, CROSSPORT_LIST(int x, int y), x, y, 0,
                  0)
CROSSPORT_SURFACE(crossport_surf3Dread, crossport_surf3Dwrite, CROSSPORT_LIST(int x, int y, int z), x,
                  y, z, 0)
CROSSPORT_SURFACE(crossport_surf1DLayeredread, crossport_surf1DLayeredwrite,
                  CROSSPORT_LIST(int x, int layer), x, 0, 0, layer)
CROSSPORT_SURFACE(crossport_surf2DLayeredread, crossport_surf2DLayeredwrite,
                  CROSSPORT_LIST(int x, int y, int layer), x, y, 0, layer)
#undef CROSSPORT_SURFACE
#undef CROSSPORT_LIST

#endif  // CROSSPORT_TEXTURE_H
