// Textures and surfaces, references and objects.
#pragma once

typedef unsigned long long cudaTextureObject_t;
typedef unsigned long long cudaSurfaceObject_t;
enum cudaTextureAddressMode { cudaAddressModeWrap, cudaAddressModeClamp, cudaAddressModeMirror, cudaAddressModeBorder };
enum cudaTextureFilterMode { cudaFilterModePoint, cudaFilterModeLinear };
enum cudaTextureReadMode { cudaReadModeElementType, cudaReadModeNormalizedFloat };
enum cudaResourceType {
    cudaResourceTypeArray, cudaResourceTypeMipmappedArray, cudaResourceTypeLinear, cudaResourceTypePitch2D
};
enum cudaResourceViewFormat { cudaResViewFormatNone };
struct cudaResourceViewDesc { cudaResourceViewFormat format; size_t width, height, depth; };
struct cudaResourceDesc {
    cudaResourceType resType;
    union {
        struct { cudaArray_t array; } array;
        struct { cudaMipmappedArray_t mipmap; } mipmap;
        struct { void* devPtr; cudaChannelFormatDesc desc; size_t sizeInBytes; } linear;
        struct { void* devPtr; cudaChannelFormatDesc desc; size_t width, height, pitchInBytes; } pitch2D;
    } res;
};
struct cudaTextureDesc {
    cudaTextureAddressMode addressMode[3]; cudaTextureFilterMode filterMode; cudaTextureReadMode readMode;
    int sRGB; float borderColor[4]; int normalizedCoords; unsigned maxAnisotropy;
    cudaTextureFilterMode mipmapFilterMode;
    float mipmapLevelBias, minMipmapLevelClamp, maxMipmapLevelClamp;
};
#define cudaTextureType1D 0x01
#define cudaTextureType2D 0x02
#define cudaTextureType3D 0x03
#define cudaTextureTypeCubemap 0x0C
#define cudaTextureType1DLayered 0xF1
#define cudaTextureType2DLayered 0xF2
#define cudaSurfaceType2D 0x02
#define cudaSurfaceType3D 0x03
struct textureReference {
    int normalized; cudaTextureFilterMode filterMode; cudaTextureAddressMode addressMode[3];
    cudaChannelFormatDesc channelDesc; int sRGB; unsigned maxAnisotropy;
};
struct surfaceReference { cudaChannelFormatDesc channelDesc; };
template <class T, int D = 1, cudaTextureReadMode M = cudaReadModeElementType>
struct __attribute__((device_builtin_texture_type)) texture : textureReference {};
template <class T, int D = 1> struct __attribute__((device_builtin_surface_type)) surface : surfaceReference {};
template <class T, int D> struct __attribute__((device_builtin_surface_type)) surface;

// A read-mode of normalized float turns integer texels into floats of the same width.
template <class T, cudaTextureReadMode M> struct __shim_texel { typedef T type; };
#define SHIM_NORMALIZED(T, F) template <> struct __shim_texel<T, cudaReadModeNormalizedFloat> { typedef F type; };
SHIM_NORMALIZED(unsigned char, float) SHIM_NORMALIZED(signed char, float) SHIM_NORMALIZED(unsigned short, float)
SHIM_NORMALIZED(uchar4, float4) SHIM_NORMALIZED(uchar2, float2) SHIM_NORMALIZED(ushort4, float4)
#undef SHIM_NORMALIZED

// One row a fetch: its name and its coordinates.
#define SHIM_FETCHES(X)                                                                         \
    X(tex1Dfetch, int) X(tex1D, float) X(tex2D, float, float) X(tex3D, float, float, float)      \
    X(tex1DLayered, float, int) X(tex2DLayered, float, float, int)                              \
    X(texCubemap, float, float, float) X(texCubemapLayered, float, float, float, int)           \
    X(tex1DLod, float, float) X(tex2DLod, float, float, float)                                  \
    X(tex3DLod, float, float, float, float)                                                     \
    X(tex1DGrad, float, float, float) X(tex2DGrad, float, float, float2, float2)                \
    X(tex2Dgather, float, float, int)
#define SHIM_FETCH(f, ...)                                                                      \
    template <class T> T f(cudaTextureObject_t, __VA_ARGS__);                                   \
    template <class T> void f(T*, cudaTextureObject_t, __VA_ARGS__);                            \
    template <class T, int D, cudaTextureReadMode M>                                            \
    typename __shim_texel<T, M>::type f(texture<T, D, M>, __VA_ARGS__);
SHIM_FETCHES(SHIM_FETCH)
#undef SHIM_FETCH
#undef SHIM_FETCHES
enum cudaSurfaceBoundaryMode { cudaBoundaryModeZero, cudaBoundaryModeClamp, cudaBoundaryModeTrap };
#define SHIM_SURFACES(X)                                                                         \
    X(surf1D, int) X(surf2D, int, int) X(surf3D, int, int, int) X(surf1DLayered, int, int)       \
    X(surf2DLayered, int, int, int) X(surfCubemap, int, int, int)
#define SHIM_SURFACE(f, ...)                                                                     \
    template <class T> T f##read(cudaSurfaceObject_t, __VA_ARGS__, cudaSurfaceBoundaryMode = cudaBoundaryModeTrap); \
    template <class T> void f##read(T*, cudaSurfaceObject_t, __VA_ARGS__, cudaSurfaceBoundaryMode = cudaBoundaryModeTrap); \
    template <class T> void f##write(T, cudaSurfaceObject_t, __VA_ARGS__, cudaSurfaceBoundaryMode = cudaBoundaryModeTrap); \
    template <class T, class U, int D> void f##read(T*, surface<U, D>, __VA_ARGS__, cudaSurfaceBoundaryMode = cudaBoundaryModeTrap); \
    template <class T, class U, int D> void f##write(T, surface<U, D>, __VA_ARGS__, cudaSurfaceBoundaryMode = cudaBoundaryModeTrap);
SHIM_SURFACES(SHIM_SURFACE)
#undef SHIM_SURFACE
#undef SHIM_SURFACES
cudaError_t cudaCreateTextureObject(cudaTextureObject_t*, const cudaResourceDesc*, const cudaTextureDesc*, const cudaResourceViewDesc*);
cudaError_t cudaDestroyTextureObject(cudaTextureObject_t);
cudaError_t cudaGetTextureObjectResourceDesc(cudaResourceDesc*, cudaTextureObject_t);
cudaError_t cudaCreateSurfaceObject(cudaSurfaceObject_t*, const cudaResourceDesc*);
cudaError_t cudaDestroySurfaceObject(cudaSurfaceObject_t);
cudaError_t cudaGetChannelDesc(cudaChannelFormatDesc*, cudaArray_const_t);
template <class... A> cudaError_t cudaBindTexture(A&&...);
template <class... A> cudaError_t cudaBindTexture2D(A&&...);
template <class... A> cudaError_t cudaBindTextureToArray(A&&...);
template <class... A> cudaError_t cudaBindTextureToMipmappedArray(A&&...);
template <class... A> cudaError_t cudaBindSurfaceToArray(A&&...);
template <class... A> cudaError_t cudaUnbindTexture(A&&...);
template <class... A> cudaError_t cudaGetTextureReference(A&&...);
template <class... A> cudaError_t cudaGetTextureAlignmentOffset(A&&...);
