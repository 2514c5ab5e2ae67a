// Texture references (`texture<float, 2> t;` at file scope) in software, for GPUs without image
// instructions. CUDA 12 has dropped them.
//
//   __device__ crossport_texture<float, 2> t;
//   t.filterMode = hipFilterModeLinear;           on the host, in its own copy of the variable
//   crossportBindTextureToArray(t, array);        fills in the device's
//   crossport_tex2D(t, x, y)                      on the device
#ifndef CROSSPORT_TEXTURE_REFERENCE_H
#define CROSSPORT_TEXTURE_REFERENCE_H

#include "crossport_texture.h"

// A setting whose bits are 0 at its default: the host's copy of a device variable is zeros.
template <class T, int usual> struct crossport_setting {
  int bits;
  void operator=(T value) { bits = static_cast<int>(value) ^ usual; }
  operator T() const { return static_cast<T>(bits ^ usual); }
};

template <class T, int dimensions = 1, hipTextureReadMode mode = hipReadModeElementType>
struct crossport_texture {
  crossport_image image;
  int normalized;
  crossport_setting<hipTextureFilterMode, hipFilterModePoint> filterMode;
  crossport_setting<hipTextureAddressMode, hipAddressModeClamp> addressMode[3];
  hipChannelFormatDesc channelDesc;
};

// What a fetch gives: the element, or as many floats.
template <class T, hipTextureReadMode mode> struct crossport_fetched { using type = T; };
template <class T> struct crossport_fetched<T, hipReadModeNormalizedFloat> { using type = float; };
template <class S, unsigned n>
struct crossport_fetched<HIP_vector_type<S, n>, hipReadModeNormalizedFloat> {
  using type = HIP_vector_type<float, n>;
};

#define CROSSPORT_TEXTURE_REFERENCE(name, dims, layer, parameters, ...)                       \
  template <class T, int dimensions, hipTextureReadMode mode>                                 \
  static __device__ inline typename crossport_fetched<T, mode>::type name(                    \
      const crossport_texture<T, dimensions, mode>& t, parameters) {                          \
    return crossport_fetch<typename crossport_fetched<T, mode>::type, dims>(                  \
        t.image, layer, {__VA_ARGS__});                                                       \
  }
#define CROSSPORT_LIST(...) __VA_ARGS__
CROSSPORT_TEXTURE_REFERENCE(crossport_tex1D, 1, 0, float x, x)
CROSSPORT_TEXTURE_REFERENCE(crossport_tex2D, 2, 0, CROSSPORT_LIST(float x, float y), x, y)
CROSSPORT_TEXTURE_REFERENCE(crossport_tex3D, 3, 0, CROSSPORT_LIST(float x, float y, float z), x, y, z)
CROSSPORT_TEXTURE_REFERENCE(crossport_tex1DLayered, 1, layer, CROSSPORT_LIST(float x, int layer), x)
CROSSPORT_TEXTURE_REFERENCE(
    crossport_tex2DLayered, 2, layer, CROSSPORT_LIST(float x, float y, int layer), x, y)
#undef CROSSPORT_TEXTURE_REFERENCE
#undef CROSSPORT_LIST
template <class T, int dimensions, hipTextureReadMode mode>
static __device__ inline typename crossport_fetched<T, mode>::type crossport_tex1Dfetch(
    const crossport_texture<T, dimensions, mode>& t, int i) {
  return crossport_element_of<typename crossport_fetched<T, mode>::type>(t.image, i);
}

template <class T, int dimensions, hipTextureReadMode mode>
static inline hipError_t crossport_bind(
    crossport_texture<T, dimensions, mode>& t, crossport_image image) {
  image.is_linear = t.filterMode == hipFilterModeLinear;
  image.is_normalized = t.normalized != 0;
  image.reads_normalized = mode == hipReadModeNormalizedFloat;
  for (int axis = 0; axis < 3; ++axis) image.address[axis] = t.addressMode[axis];
  return hipMemcpyToSymbol(reinterpret_cast<const void*>(&t), &image, sizeof image, 0,
                           hipMemcpyHostToDevice);
}

template <class T, int dimensions, hipTextureReadMode mode>
static inline hipError_t crossportBindTexture(
    size_t* offset, crossport_texture<T, dimensions, mode>& t, const void* data,
    const hipChannelFormatDesc& format, size_t size = 0xffffffff) {
  if (offset != nullptr) *offset = 0;
  return crossport_bind(
      t, crossport_plain(const_cast<void*>(data), format, size / sizeof(T), 1, size));
}
template <class T, int dimensions, hipTextureReadMode mode>
static inline hipError_t crossportBindTexture(
    size_t* offset, crossport_texture<T, dimensions, mode>& t, const void* data,
    size_t size = 0xffffffff) {
  return crossportBindTexture(offset, t, data, hipCreateChannelDesc<T>(), size);
}
template <class T, int dimensions, hipTextureReadMode mode>
static inline hipError_t crossportBindTexture2D(
    size_t* offset, crossport_texture<T, dimensions, mode>& t, const void* data,
    const hipChannelFormatDesc& format, size_t width, size_t height, size_t pitch) {
  if (offset != nullptr) *offset = 0;
  return crossport_bind(
      t, crossport_plain(const_cast<void*>(data), format, width, height, pitch));
}
template <class T, int dimensions, hipTextureReadMode mode>
static inline hipError_t crossportBindTexture2D(
    size_t* offset, crossport_texture<T, dimensions, mode>& t, const void* data, size_t width,
    size_t height, size_t pitch) {
  return crossportBindTexture2D(
      offset, t, data, hipCreateChannelDesc<T>(), width, height, pitch);
}
template <class T, int dimensions, hipTextureReadMode mode>
static inline hipError_t crossportBindTextureToArray(
    crossport_texture<T, dimensions, mode>& t, hipArray_const_t array) {
  return crossport_bind(t, crossport_whole(*crossport_array_of(array)));
}
template <class T, int dimensions, hipTextureReadMode mode>
static inline hipError_t crossportBindTextureToArray(
    crossport_texture<T, dimensions, mode>& t, hipArray_const_t array,
    const hipChannelFormatDesc&) {
  return crossportBindTextureToArray(t, array);
}
template <class T, int dimensions, hipTextureReadMode mode>
static inline hipError_t crossportUnbindTexture(crossport_texture<T, dimensions, mode>&) {
  return hipSuccess;
}

// The C interface's forms, by pointer.
template <class T, int dimensions, hipTextureReadMode mode>
static inline hipError_t crossportBindTexture(
    size_t* offset, crossport_texture<T, dimensions, mode>* t, const void* data,
    const hipChannelFormatDesc* format, size_t size = 0xffffffff) {
  return crossportBindTexture(offset, *t, data, *format, size);
}
template <class T, int dimensions, hipTextureReadMode mode>
static inline hipError_t crossportBindTexture2D(
    size_t* offset, crossport_texture<T, dimensions, mode>* t, const void* data,
    const hipChannelFormatDesc* format, size_t width, size_t height, size_t pitch) {
  return crossportBindTexture2D(offset, *t, data, *format, width, height, pitch);
}
template <class T, int dimensions, hipTextureReadMode mode>
static inline hipError_t crossportBindTextureToArray(
    crossport_texture<T, dimensions, mode>* t, hipArray_const_t array,
    const hipChannelFormatDesc*) {
  return crossportBindTextureToArray(*t, array);
}
template <class T, int dimensions, hipTextureReadMode mode>
static inline hipError_t crossportUnbindTexture(const crossport_texture<T, dimensions, mode>*) {
  return hipSuccess;
}

#endif  // CROSSPORT_TEXTURE_REFERENCE_H
