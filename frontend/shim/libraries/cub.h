// CUB: device-wide algorithms as lenient calls; block and warp collectives with their storage types.
#pragma once
#pragma clang force_cuda_host_device begin
namespace cub {
enum BlockReduceAlgorithm { BLOCK_REDUCE_RAKING_COMMUTATIVE_ONLY, BLOCK_REDUCE_RAKING, BLOCK_REDUCE_WARP_REDUCTIONS };
enum BlockScanAlgorithm { BLOCK_SCAN_RAKING, BLOCK_SCAN_RAKING_MEMOIZE, BLOCK_SCAN_WARP_SCANS };
enum BlockLoadAlgorithm { BLOCK_LOAD_DIRECT, BLOCK_LOAD_STRIPED, BLOCK_LOAD_VECTORIZE, BLOCK_LOAD_TRANSPOSE, BLOCK_LOAD_WARP_TRANSPOSE, BLOCK_LOAD_WARP_TRANSPOSE_TIMESLICED };
enum BlockStoreAlgorithm { BLOCK_STORE_DIRECT, BLOCK_STORE_STRIPED, BLOCK_STORE_VECTORIZE, BLOCK_STORE_TRANSPOSE, BLOCK_STORE_WARP_TRANSPOSE, BLOCK_STORE_WARP_TRANSPOSE_TIMESLICED };
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

#define SHIM_COLLECTIVE(name)     \
    struct TempStorage { int reserved[64]; };  \
    name();                       \
    name(TempStorage&);           \
    name(TempStorage&, int);
template <class T, int X, BlockReduceAlgorithm A = BLOCK_REDUCE_WARP_REDUCTIONS, int Y = 1, int Z = 1, int P = 0> struct BlockReduce {
    SHIM_COLLECTIVE(BlockReduce)
    T Sum(T); T Sum(T, int);
    template <int N> T Sum(T (&)[N]);
    template <class F> T Reduce(T, F); template <class F> T Reduce(T, F, int);
    template <int N, class F> T Reduce(T (&)[N], F);
};
template <class T, int X, BlockScanAlgorithm A = BLOCK_SCAN_RAKING, int Y = 1, int Z = 1, int P = 0> struct BlockScan {
    SHIM_COLLECTIVE(BlockScan)
    void ExclusiveSum(T, T&); void ExclusiveSum(T, T&, T&); void InclusiveSum(T, T&); void InclusiveSum(T, T&, T&);
    template <int N> void ExclusiveSum(T (&)[N], T (&)[N]); template <int N> void ExclusiveSum(T (&)[N], T (&)[N], T&);
    template <int N> void InclusiveSum(T (&)[N], T (&)[N]); template <int N> void InclusiveSum(T (&)[N], T (&)[N], T&);
    template <class... B> void ExclusiveScan(B&&...); template <class... B> void InclusiveScan(B&&...);
    template <class B> void ExclusiveSum(T, T&, T&, B&); template <class B> void InclusiveSum(T, T&, T&, B&);
};
template <class T, int X, int N, BlockLoadAlgorithm A = BLOCK_LOAD_DIRECT, int Y = 1, int Z = 1, int P = 0> struct BlockLoad {
    SHIM_COLLECTIVE(BlockLoad)
    template <class... B> void Load(B&&...);
};
template <class T, int X, int N, BlockStoreAlgorithm A = BLOCK_STORE_DIRECT, int Y = 1, int Z = 1, int P = 0> struct BlockStore {
    SHIM_COLLECTIVE(BlockStore)
    template <class... B> void Store(B&&...);
};
template <class K, int X, int N, class V = NullType, int... R> struct BlockRadixSort {
    SHIM_COLLECTIVE(BlockRadixSort)
    template <class... B> void Sort(B&&...); template <class... B> void SortDescending(B&&...);
    template <class... B> void SortBlockedToStriped(B&&...); template <class... B> void SortDescendingBlockedToStriped(B&&...);
};
template <class K, int X, int N, class V = NullType, int... R> struct BlockMergeSort {
    SHIM_COLLECTIVE(BlockMergeSort)
    template <class... B> void Sort(B&&...); template <class... B> void StableSort(B&&...);
};
template <class T, int X, int N, int... R> struct BlockExchange {
    SHIM_COLLECTIVE(BlockExchange)
    template <class... B> void StripedToBlocked(B&&...); template <class... B> void BlockedToStriped(B&&...); template <class... B> void ScatterToBlocked(B&&...);
};
template <class T, int X, int N, int B, BlockHistogramAlgorithm A = BLOCK_HISTO_SORT, int... R> struct BlockHistogram {
    SHIM_COLLECTIVE(BlockHistogram)
    template <class... C> void Histogram(C&&...); template <class... C> void Composite(C&&...); template <class C> void InitHistogram(C&&);
};
template <class T, int X, int... R> struct BlockDiscontinuity {
    SHIM_COLLECTIVE(BlockDiscontinuity)
    template <class... B> void FlagHeads(B&&...); template <class... B> void FlagTails(B&&...);
};
template <class T, int X, int... R> struct BlockAdjacentDifference {
    SHIM_COLLECTIVE(BlockAdjacentDifference)
    template <class... B> void SubtractLeft(B&&...); template <class... B> void SubtractRight(B&&...);
};
template <class T, int X, int... R> struct BlockShuffle { SHIM_COLLECTIVE(BlockShuffle) template <class... B> void Up(B&&...); template <class... B> void Down(B&&...); };
template <class T, int L = 32, int P = 0> struct WarpReduce {
    SHIM_COLLECTIVE(WarpReduce)
    T Sum(T); T Sum(T, int); template <class F> T Reduce(T, F); template <class F> T Reduce(T, F, int);
    template <class F> T HeadSegmentedSum(T, F); template <class F> T TailSegmentedSum(T, F);
};
template <class T, int L = 32, int P = 0> struct WarpScan {
    SHIM_COLLECTIVE(WarpScan)
    void ExclusiveSum(T, T&); void ExclusiveSum(T, T&, T&); void InclusiveSum(T, T&); void InclusiveSum(T, T&, T&);
    template <class... B> void ExclusiveScan(B&&...); template <class... B> void InclusiveScan(B&&...); template <class... B> void Scan(B&&...);
    T Broadcast(T, unsigned);
};
template <class K, int N, int L = 32, class V = NullType, int P = 1> struct WarpMergeSort { SHIM_COLLECTIVE(WarpMergeSort) template <class... B> void Sort(B&&...); };
template <class T, int N, BlockLoadAlgorithm A = BLOCK_LOAD_DIRECT, int L = 32> struct WarpLoad { SHIM_COLLECTIVE(WarpLoad) template <class... B> void Load(B&&...); };
#undef SHIM_COLLECTIVE

template <class V, class F, class I, class D = ptrdiff_t> struct TransformInputIterator { TransformInputIterator(I, F); V operator*() const; V operator[](D) const; TransformInputIterator operator+(D) const; TransformInputIterator& operator++(); };
template <class V, class D = ptrdiff_t> struct CountingInputIterator { CountingInputIterator(V); V operator*() const; V operator[](D) const; CountingInputIterator operator+(D) const; };
template <class V, class D = ptrdiff_t> struct ConstantInputIterator { ConstantInputIterator(V, D = 0); V operator*() const; V operator[](D) const; };
template <class I, class D = ptrdiff_t, class V = int> struct ArgIndexInputIterator { ArgIndexInputIterator(I); };
template <CacheLoadModifier M, class V, class D = ptrdiff_t> struct CacheModifiedInputIterator { CacheModifiedInputIterator(V*); V operator[](D) const; };
template <CacheLoadModifier M, class I> auto ThreadLoad(I i) -> decltype(*i);
template <CacheStoreModifier M, class I, class T> void ThreadStore(I, T);
template <int N, class T> T ShuffleDown(T, int, int, unsigned);
template <int N, class T> T ShuffleUp(T, int, int, unsigned);
template <int N, class T> T ShuffleIndex(T, int, unsigned);
template <int N, class... A> void LoadDirectBlocked(A&&...);
template <class... A> void LoadDirectBlocked(A&&...);
template <class... A> void LoadDirectStriped(A&&...);
template <int N, class... A> void LoadDirectStriped(A&&...);
template <class... A> void StoreDirectBlocked(A&&...);
template <int N, class... A> void StoreDirectStriped(A&&...);
unsigned LaneId();
unsigned WarpId();
template <class T> T LaneMaskLt();
unsigned RowMajorTid(int, int, int);
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
