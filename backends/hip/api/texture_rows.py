"""Facts about textures: which GPUs have none in hardware, and what stands in for them there."""

from __future__ import annotations

# GPUs without image instructions (AMD's ISA guides for CDNA3 and CDNA4).
NO_IMAGES = frozenset({"gfx940", "gfx941", "gfx942", "gfx950"})

# Device functions that polyfill/crossport_texture.h defines, as crossport_tex2D for tex2D.
FETCHES = frozenset(
    b"tex1D tex1Dfetch tex2D tex3D tex1DLayered tex2DLayered tex1DLod tex2DLod tex3DLod tex1DGrad"
    b" tex2DGrad tex2Dgather".split()
)
SURFACES = frozenset(
    b"surf1Dread surf1Dwrite surf2Dread surf2Dwrite surf3Dread surf3Dwrite surf1DLayeredread"
    b" surf1DLayeredwrite surf2DLayeredread surf2DLayeredwrite".split()
)
# Host functions of polyfill/crossport_array.h, as crossportMallocArray for cudaMallocArray.
HOST = frozenset(
    b"cudaMallocArray cudaMalloc3DArray cudaFreeArray cudaArrayGetInfo cudaGetChannelDesc"
    b" cudaMemcpyToArray cudaMemcpyToArrayAsync cudaMemcpyFromArray cudaMemcpy2DToArray"
    b" cudaMemcpy2DToArrayAsync cudaMemcpy2DFromArray cudaMemcpy2DArrayToArray"
    b" cudaCreateTextureObject cudaDestroyTextureObject cudaCreateSurfaceObject"
    b" cudaDestroySurfaceObject".split()
)
# Where arrays come from, and what a program needs them for: without the first, they are another's.
ARRAY_SOURCES = frozenset({b"cudaMallocArray", b"cudaMalloc3DArray"})
ARRAY_USES = frozenset(
    b"cudaResourceTypeArray cudaBindTextureToArray cudaCreateSurfaceObject cudaGetChannelDesc"
    b" cudaMemcpyToArray cudaMemcpy2DToArray cudaMemcpyFromArray cudaMemcpy2DFromArray".split()
)
# These copy between arrays and anything else: without arrays they are HIP's.
COPIES = frozenset({b"cudaMemcpy3D", b"cudaMemcpy3DAsync"})
# Of polyfill/crossport_texture_reference.h.
REFERENCES = frozenset(
    b"cudaBindTexture cudaBindTexture2D cudaBindTextureToArray cudaUnbindTexture".split()
)

# What the software has no counterpart of: cube maps, mipmaps, images of a graphics API, references
# by name and the driver's interface.
WITHOUT = frozenset(
    b"texCubemap texCubemapLayered texCubemapLod surfCubemapread surfCubemapwrite"
    b" surfCubemapLayeredread surfCubemapLayeredwrite tex3DGrad tex2DLayeredLod cudaArrayCubemap"
    b" cudaMallocMipmappedArray cudaGetMipmappedArrayLevel cudaFreeMipmappedArray"
    b" cudaResourceTypeMipmappedArray cudaExternalMemoryGetMappedMipmappedArray"
    b" cudaGraphicsSubResourceGetMappedArray cudaGraphicsResourceGetMappedMipmappedArray"
    b" cudaGetTextureReference cudaGetTextureObjectResourceDesc cudaGetTextureObjectTextureDesc"
    b" cudaBindTextureToMipmappedArray cuTexRefSetArray cuTexRefCreate cuModuleGetTexRef"
    b" cuTexObjectCreate cuSurfObjectCreate cuArrayCreate cuArray3DCreate cuMemcpy3D cuMemcpy2D"
    b" cuGraphicsSubResourceGetMappedArray cudaGraphicsEGLRegisterImage"
    b" cudaGraphicsResourceGetMappedEglFrame".split()
)
