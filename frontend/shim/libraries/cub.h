// CUB: device-wide algorithms as lenient calls; the block and warp collectives
// stand in cub_collectives.h.
#pragma once
#pragma clang force_cuda_host_device begin
namespace cub {
enum BlockReduceAlgorithm { BLOCK_REDUCE_RAKING_COMMUTATIVE_ONLY, BLOCK_REDUCE_RAKING, BLOCK_REDUCE_WARP_REDUCTIONS };
enum BlockScanAlgorithm { BLOCK_SCAN_RAKING, BLOCK_SCAN_RAKING_MEMOIZE, BLOCK_SCAN_WARP_SCANS };
enum BlockLoadAlgorithm { BLOCK_LOAD_DIRECT, BLOCK_LOAD_STRIPED, BLOCK_LOAD_VECTORIZE, BLOCK_LOAD_TRANSPOSE, BLOCK_LOAD_WARP_TRANSPOSE, BLOCK_LOAD_WARP_TRANSPOSE_TIMESLICED };
enum BlockStoreAlgorithm { BLOCK_STORE_DIRECT, BLOCK_STORE_STRIPED, BLOCK_STORE_VECTORIZE, BLOCK_STORE_TRANSPOSE, BLOCK_STORE_WARP_TRANSPOSE, BLOCK_STORE_WARP_TRANSPOSE_TIMESLICED };
enum WarpLoadAlgorithm { WARP_LOAD_DIRECT, WARP_LOAD_STRIPED, WARP_LOAD_VECTORIZE, WARP_LOAD_TRANSPOSE };
enum WarpStoreAlgorithm { WARP_STORE_DIRECT, WARP_STORE_STRIPED, WARP_STORE_VECTORIZE, WARP_STORE_TRANSPOSE };
enum BlockHistogramAlgorithm { BLOCK_HISTO_SORT, BLOCK_HISTO_ATOMIC };
enum CacheLoadModifier { LOAD_DEFAULT, LOAD_CA, LOAD_CG, LOAD_CS, LOAD_CV, LOAD_LDG, LOAD_VOLATILE };
enum CacheStoreModifier { STORE_DEFAULT, STORE_WB, STORE_CG, STORE_CS, STORE_WT, STORE_VOLATILE };
#define SHIM_OPERATION(name, op) struct name { template <class T> constexpr T operator()(const T& a, const T& b) const { return op; } };
SHIM_OPERATION(Sum, a + b) SHIM_OPERATION(Max, a > b ? a : b) SHIM_OPERATION(Min, a < b ? a : b)
SHIM_OPERATION(ArgMax, a.value > b.value ? a : b) SHIM_OPERATION(ArgMin, a.value < b.value ? a : b)
#undef SHIM_OPERATION
struct Equality { template <class T> bool operator()(const T& a, const T& b) const { return a == b; } };
struct Inequality { template <class T> bool operator()(const T& a, const T& b) const { return a != b; } };
template <class K, class V> struct KeyValuePair { typedef K Key; typedef V Value; K key; V value; KeyValuePair() = default; KeyValuePair(const K& k, const V& v) : key(k), value(v) {} };
template <class T> struct DoubleBuffer { T* d_buffers[2]; int selector; DoubleBuffer(); DoubleBuffer(T*, T*); T* Current(); T* Alternate(); };
template <class T> struct Uninitialized { T& Alias(); };
struct NullType {};
template <class T> struct Traits {
    typedef std::conditional_t<sizeof(T) == 8, unsigned long long, std::conditional_t<sizeof(T) == 4, unsigned, std::conditional_t<sizeof(T) == 2, unsigned short, unsigned char>>> UnsignedBits;
    static UnsignedBits TwiddleIn(UnsignedBits);
    static UnsignedBits TwiddleOut(UnsignedBits);
};
template <class T> struct NumericTraits : Traits<T> {};
struct TempStorage_ {};

// Device-wide: cub::DeviceReduce::Sum(...) and so on.
#define SHIM_CALL(f) template <class... A> static cudaError_t f(A&&...);
struct DeviceReduce { SHIM_CALL(Sum) SHIM_CALL(Min) SHIM_CALL(Max) SHIM_CALL(Reduce) SHIM_CALL(ArgMin) SHIM_CALL(ArgMax) SHIM_CALL(ReduceByKey) SHIM_CALL(TransformReduce) };
struct DeviceScan { SHIM_CALL(ExclusiveSum) SHIM_CALL(InclusiveSum) SHIM_CALL(ExclusiveScan) SHIM_CALL(InclusiveScan) SHIM_CALL(ExclusiveSumByKey) SHIM_CALL(InclusiveSumByKey) SHIM_CALL(InclusiveScanByKey) };
struct DeviceRadixSort { SHIM_CALL(SortKeys) SHIM_CALL(SortPairs) SHIM_CALL(SortKeysDescending) SHIM_CALL(SortPairsDescending) };
struct DeviceMergeSort { SHIM_CALL(SortKeys) SHIM_CALL(SortPairs) SHIM_CALL(StableSortKeys) SHIM_CALL(StableSortPairs) };
struct DeviceSelect { SHIM_CALL(If) SHIM_CALL(Flagged) SHIM_CALL(Unique) SHIM_CALL(UniqueByKey) };
struct DevicePartition { SHIM_CALL(If) SHIM_CALL(Flagged) };
struct DeviceRunLengthEncode { SHIM_CALL(Encode) SHIM_CALL(NonTrivialRuns) };
struct DeviceHistogram { SHIM_CALL(HistogramEven) SHIM_CALL(HistogramRange) SHIM_CALL(MultiHistogramEven) };
struct DeviceSegmentedReduce { SHIM_CALL(Sum) SHIM_CALL(Min) SHIM_CALL(Max) SHIM_CALL(Reduce) SHIM_CALL(ArgMin) SHIM_CALL(ArgMax) };
struct DeviceSegmentedRadixSort { SHIM_CALL(SortKeys) SHIM_CALL(SortPairs) SHIM_CALL(SortKeysDescending) SHIM_CALL(SortPairsDescending) };
struct DeviceSegmentedSort { SHIM_CALL(SortKeys) SHIM_CALL(SortPairs) SHIM_CALL(SortKeysDescending) SHIM_CALL(SortPairsDescending) SHIM_CALL(StableSortKeys) SHIM_CALL(StableSortPairs) };
struct DeviceSpmv { SHIM_CALL(CsrMV) };
struct DeviceFor { SHIM_CALL(Bulk) SHIM_CALL(ForEach) SHIM_CALL(ForEachN) };
struct DeviceTransform { SHIM_CALL(Transform) };
#undef SHIM_CALL
}
#pragma clang force_cuda_host_device end
#include "cub_collectives.h"
#pragma clang force_cuda_host_device begin
namespace cub {
template <class V, class F, class I, class D = ptrdiff_t> struct TransformInputIterator { TransformInputIterator(I, F); V operator*() const; V operator[](D) const; TransformInputIterator operator+(D) const; TransformInputIterator& operator++(); };
template <class V, class D = ptrdiff_t> struct CountingInputIterator { CountingInputIterator(V); V operator*() const; V operator[](D) const; CountingInputIterator operator+(D) const; };
template <class V, class D = ptrdiff_t> struct ConstantInputIterator { ConstantInputIterator(V, D = 0); V operator*() const; V operator[](D) const; };
template <class I, class D = ptrdiff_t, class V = int> struct ArgIndexInputIterator { ArgIndexInputIterator(I); };
template <CacheLoadModifier M, class V, class D = ptrdiff_t> struct CacheModifiedInputIterator { CacheModifiedInputIterator(V*); V operator[](D) const; };
template <class T> T LaneMaskLt();
struct CachingDeviceAllocator {
    CachingDeviceAllocator(bool = false, bool = false);
    template <class T> cudaError_t DeviceAllocate(T**, size_t, cudaStream_t = 0);
    cudaError_t DeviceFree(void*);
};
template <class T> cudaError_t Debug(T, const char*, int);
}
#define CubDebugExit(e) (e)
#define CubDebug(e) (e)
#pragma clang force_cuda_host_device end
