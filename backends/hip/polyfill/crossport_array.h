// Arrays, texture and surface objects for GPUs without image instructions (CDNA3, CDNA4).
//
//   crossportMallocArray, crossportMemcpy2DToArray ...    an array is plain device memory, row by row
//   crossportCreateTextureObject, ...SurfaceObject        the object points to a crossport_image
//
// HIP's types stay (hipTextureObject_t, hipArray_t, the descriptors), so that an object or array of
// HIP's own must not be given to these functions, nor theirs to HIP's. Mipmaps, cube maps, views and
// sRGB are not here: what asks for them gets hipErrorNotSupported.
#ifndef CROSSPORT_ARRAY_H
#define CROSSPORT_ARRAY_H

#include <hip/hip_runtime.h>

// What a texture or surface object points to, in device memory.
struct crossport_image {
  char* data;
  size_t pitch, slice;  // bytes from row to row; from one layer or depth to the next
  int extent[3];        // in elements; 1 where a dimension is missing
  int layers;
  unsigned char channels, bytes, kind;  // of an element; kind: a hipChannelFormatKind
  bool is_linear, is_normalized, reads_normalized;
  unsigned char address[3];  // a hipTextureAddressMode each
  float border[4];
};

// What a hipArray_t of ours points to.
struct crossport_array {
  char* data;
  hipChannelFormatDesc format;
  hipExtent extent;
  unsigned flags;
  size_t element() const { return (format.x + format.y + format.z + format.w) / 8; }
  size_t pitch() const { return extent.width * element(); }
  size_t rows() const { return extent.height > 0 ? extent.height : 1; }
  size_t slices() const { return extent.depth > 0 ? extent.depth : 1; }
};

static inline crossport_array* crossport_array_of(hipArray_const_t array) {
  return const_cast<crossport_array*>(reinterpret_cast<const crossport_array*>(array));
}

static inline hipError_t crossportMalloc3DArray(
    hipArray_t* array, const hipChannelFormatDesc* format, hipExtent extent, unsigned flags = 0) {
  if ((flags & hipArrayCubemap) != 0 || extent.width == 0) return hipErrorNotSupported;
  auto* made = new crossport_array{nullptr, *format, extent, flags};
  const hipError_t error = hipMalloc(reinterpret_cast<void**>(&made->data),
                                     made->pitch() * made->rows() * made->slices());
  if (error != hipSuccess) {
    delete made;
    return error;
  }
  *array = reinterpret_cast<hipArray_t>(made);
  return hipSuccess;
}

static inline hipError_t crossportMallocArray(
    hipArray_t* array, const hipChannelFormatDesc* format, size_t width, size_t height = 0,
    unsigned flags = 0) {
  return crossportMalloc3DArray(array, format, make_hipExtent(width, height, 0), flags);
}

static inline hipError_t crossportFreeArray(hipArray_t array) {
  if (array == nullptr) return hipSuccess;
  const hipError_t error = hipFree(crossport_array_of(array)->data);
  delete crossport_array_of(array);
  return error;
}

static inline hipError_t crossportArrayGetInfo(
    hipChannelFormatDesc* format, hipExtent* extent, unsigned* flags, hipArray_t array) {
  if (format != nullptr) *format = crossport_array_of(array)->format;
  if (extent != nullptr) *extent = crossport_array_of(array)->extent;
  if (flags != nullptr) *flags = crossport_array_of(array)->flags;
  return hipSuccess;
}

static inline hipError_t crossportGetChannelDesc(
    hipChannelFormatDesc* format, hipArray_const_t array) {
  *format = crossport_array_of(array)->format;
  return hipSuccess;
}

static inline char* crossport_at_byte(hipArray_const_t array, size_t x, size_t y) {
  return crossport_array_of(array)->data + y * crossport_array_of(array)->pitch() + x;
}

static inline hipError_t crossportMemcpyToArray(
    hipArray_t to, size_t x, size_t y, const void* from, size_t count, hipMemcpyKind kind) {
  return hipMemcpy(crossport_at_byte(to, x, y), from, count, kind);
}
static inline hipError_t crossportMemcpyToArrayAsync(
    hipArray_t to, size_t x, size_t y, const void* from, size_t count, hipMemcpyKind kind,
    hipStream_t stream = nullptr) {
  return hipMemcpyAsync(crossport_at_byte(to, x, y), from, count, kind, stream);
}
static inline hipError_t crossportMemcpyFromArray(
    void* to, hipArray_const_t from, size_t x, size_t y, size_t count, hipMemcpyKind kind) {
  return hipMemcpy(to, crossport_at_byte(from, x, y), count, kind);
}
static inline hipError_t crossportMemcpy2DToArray(
    hipArray_t to, size_t x, size_t y, const void* from, size_t pitch, size_t width, size_t height,
    hipMemcpyKind kind) {
  return hipMemcpy2D(crossport_at_byte(to, x, y), crossport_array_of(to)->pitch(), from, pitch, width,
                     height, kind);
}
static inline hipError_t crossportMemcpy2DToArrayAsync(
    hipArray_t to, size_t x, size_t y, const void* from, size_t pitch, size_t width, size_t height,
    hipMemcpyKind kind, hipStream_t stream = nullptr) {
  return hipMemcpy2DAsync(crossport_at_byte(to, x, y), crossport_array_of(to)->pitch(), from, pitch,
                          width, height, kind, stream);
}
static inline hipError_t crossportMemcpy2DFromArray(
    void* to, size_t pitch, hipArray_const_t from, size_t x, size_t y, size_t width, size_t height,
    hipMemcpyKind kind) {
  return hipMemcpy2D(to, pitch, crossport_at_byte(from, x, y), crossport_array_of(from)->pitch(),
                     width, height, kind);
}
static inline hipError_t crossportMemcpy2DArrayToArray(
    hipArray_t to, size_t to_x, size_t to_y, hipArray_const_t from, size_t x, size_t y, size_t width,
    size_t height, hipMemcpyKind kind = hipMemcpyDeviceToDevice) {
  return hipMemcpy2D(crossport_at_byte(to, to_x, to_y), crossport_array_of(to)->pitch(),
                     crossport_at_byte(from, x, y), crossport_array_of(from)->pitch(), width, height,
                     kind);
}

// Arrays count elements, pitched memory counts bytes; so does the extent, if no array takes part.
static inline hipMemcpy3DParms crossport_without_arrays(const hipMemcpy3DParms* given) {
  hipMemcpy3DParms p = *given;
  size_t element = 1;
  for (const bool is_source : {true, false}) {
    hipArray_t& array = is_source ? p.srcArray : p.dstArray;
    if (array == nullptr) continue;
    const crossport_array* own = crossport_array_of(array);
    element = own->element();
    (is_source ? p.srcPtr : p.dstPtr) =
        make_hipPitchedPtr(own->data, own->pitch(), own->pitch(), own->rows());
    (is_source ? p.srcPos : p.dstPos).x *= element;
    array = nullptr;
  }
  p.extent.width *= element;
  return p;
}
static inline hipError_t crossportMemcpy3D(const hipMemcpy3DParms* given) {
  const hipMemcpy3DParms p = crossport_without_arrays(given);
  return hipMemcpy3D(&p);
}
static inline hipError_t crossportMemcpy3DAsync(
    const hipMemcpy3DParms* given, hipStream_t stream = nullptr) {
  const hipMemcpy3DParms p = crossport_without_arrays(given);
  return hipMemcpy3DAsync(&p, stream);
}

static inline void crossport_set_format(crossport_image& image, const hipChannelFormatDesc& format) {
  image.channels = (format.x > 0) + (format.y > 0) + (format.z > 0) + (format.w > 0);
  image.bytes = format.x / 8;
  image.kind = format.f;
}

static inline crossport_image crossport_whole(const crossport_array& array) {
  crossport_image image = {};
  const bool is_layered = (array.flags & hipArrayLayered) != 0;
  image.data = array.data;
  image.pitch = array.pitch();
  image.slice = array.pitch() * array.rows();
  image.extent[0] = array.extent.width;
  image.extent[1] = array.rows();
  image.extent[2] = is_layered ? 1 : array.slices();
  image.layers = is_layered ? array.slices() : 1;
  crossport_set_format(image, array.format);
  return image;
}

static inline crossport_image crossport_plain(
    void* data, const hipChannelFormatDesc& format, size_t width, size_t height, size_t pitch) {
  crossport_image image = {};
  image.data = static_cast<char*>(data);
  image.pitch = pitch;
  image.extent[0] = width;
  image.extent[1] = height;
  image.extent[2] = image.layers = 1;
  crossport_set_format(image, format);
  return image;
}

static inline hipError_t crossport_image_from(crossport_image& image, const hipResourceDesc& from) {
  const auto& linear = from.res.linear;
  const auto& pitched = from.res.pitch2D;
  switch (from.resType) {
    case hipResourceTypeArray:
      image = crossport_whole(*crossport_array_of(from.res.array.array));
      return hipSuccess;
    case hipResourceTypeLinear: {
      const size_t bytes = (linear.desc.x + linear.desc.y + linear.desc.z + linear.desc.w) / 8;
      if (bytes == 0) return hipErrorInvalidValue;
      image = crossport_plain(linear.devPtr, linear.desc, linear.sizeInBytes / bytes, 1,
                              linear.sizeInBytes);
      return hipSuccess;
    }
    case hipResourceTypePitch2D:
      image = crossport_plain(pitched.devPtr, pitched.desc, pitched.width, pitched.height,
                              pitched.pitchInBytes);
      return hipSuccess;
    default:
      return hipErrorNotSupported;
  }
}

template <class Object>
static inline hipError_t crossport_new_object(Object* object, const crossport_image& image) {
  void* made = nullptr;
  hipError_t error = hipMalloc(&made, sizeof image);
  if (error != hipSuccess) return error;
  error = hipMemcpy(made, &image, sizeof image, hipMemcpyHostToDevice);
  *object = reinterpret_cast<Object>(made);
  return error;
}

static inline hipError_t crossportCreateTextureObject(
    hipTextureObject_t* object, const hipResourceDesc* resource, const hipTextureDesc* how,
    const hipResourceViewDesc* view) {
  crossport_image image;
  const hipError_t error = crossport_image_from(image, *resource);
  if (error != hipSuccess) return error;
  if (view != nullptr || how->sRGB) return hipErrorNotSupported;
  image.is_linear = how->filterMode == hipFilterModeLinear;
  image.is_normalized = how->normalizedCoords != 0;
  image.reads_normalized = how->readMode == hipReadModeNormalizedFloat;
  for (int axis = 0; axis < 3; ++axis) image.address[axis] = how->addressMode[axis];
  for (int c = 0; c < 4; ++c) image.border[c] = how->borderColor[c];
  return crossport_new_object(object, image);
}
static inline hipError_t crossportDestroyTextureObject(hipTextureObject_t object) {
  return hipFree(reinterpret_cast<void*>(object));
}
static inline hipError_t crossportCreateSurfaceObject(
    hipSurfaceObject_t* object, const hipResourceDesc* resource) {
  if (resource->resType != hipResourceTypeArray) return hipErrorInvalidValue;
  return crossport_new_object(object, crossport_whole(*crossport_array_of(resource->res.array.array)));
}
static inline hipError_t crossportDestroySurfaceObject(hipSurfaceObject_t object) {
  return hipFree(reinterpret_cast<void*>(object));
}

#endif  // CROSSPORT_ARRAY_H
