// CUB's block and warp collectives, written out: what they compute, from shared memory, barriers and
// shuffles, so that no later stage has to know CUB. Neighbours are combined in order, which holds for
// operators that do not commute. The caller's temporary storage is not used.
#pragma once
#pragma clang force_cuda_host_device begin
namespace cub {

#define SHIM_COLLECTIVE(name)                  \
    struct TempStorage { int reserved[64]; };  \
    name() {}                                  \
    name(TempStorage&) {}                      \
    name(TempStorage&, int) {}

// --- What they share -------------------------------------------------------------------------------

// The number of this thread in a block of X * Y * Z.
template <int X, int Y, int Z> __device__ unsigned __shim_rank() {
    return Y * Z == 1 ? threadIdx.x : threadIdx.x + X * (threadIdx.y + Y * threadIdx.z);
}

// A register that other lanes of L can read; what no shuffle takes whole goes word by word.
template <class T, bool whole = __is_arithmetic(T)> struct __shim_lanes {
    static __device__ T up(T value, unsigned by, int width) { return __shfl_up(value, by, width); }
    static __device__ T down(T value, unsigned by, int width) { return __shfl_down(value, by, width); }
    static __device__ T at(T value, int lane, int width) { return __shfl(value, lane, width); }
};
template <class T> struct __shim_lanes<T, false> {
    typedef std::conditional_t<sizeof(T) % 4 == 0, unsigned, std::conditional_t<sizeof(T) % 2 == 0, unsigned short, unsigned char>> Word;
    enum { WORDS = sizeof(T) / sizeof(Word) };
#define SHIM_BY_WORDS(name, Lane, shuffle)                                        \
    static __device__ T name(T value, Lane lane, int width) {                     \
        T result = value;                                                         \
        Word* words = reinterpret_cast<Word*>(&result);                           \
        for (int i = 0; i < WORDS; ++i) words[i] = Word(shuffle(unsigned(words[i]), lane, width)); \
        return result;                                                            \
    }
    SHIM_BY_WORDS(up, unsigned, __shfl_up) SHIM_BY_WORDS(down, unsigned, __shfl_down) SHIM_BY_WORDS(at, int, __shfl)
#undef SHIM_BY_WORDS
};

template <int L, class T> __device__ T ShuffleDown(T input, int by, int last, unsigned) {
    T other = __shim_lanes<T>::down(input, by, L);
    return int(__lane_id() % L) + by <= last ? other : input;
}
template <int L, class T> __device__ T ShuffleUp(T input, int by, int first, unsigned) {
    T other = __shim_lanes<T>::up(input, by, L);
    return int(__lane_id() % L) - by >= first ? other : input;
}
template <int L, class T> __device__ T ShuffleIndex(T input, int lane, unsigned) { return __shim_lanes<T>::at(input, lane, L); }
__device__ inline unsigned LaneId() { return __lane_id(); }
__device__ inline unsigned WarpId() { return __shim_rank<1, 1, 1>() / 32; }
__device__ inline unsigned RowMajorTid(int x, int y, int) { return threadIdx.x + x * (threadIdx.y + y * threadIdx.z); }

// --- Reductions ------------------------------------------------------------------------------------

template <int N, class T, class F> __device__ T __shim_reduced(T (&items)[N], F& op) {
    T left = items[0];
    for (int i = 1; i < N; ++i) left = op(left, items[i]);
    return left;
}

template <class T, int X, BlockReduceAlgorithm A = BLOCK_REDUCE_WARP_REDUCTIONS, int Y = 1, int Z = 1, int P = 0> struct BlockReduce {
    SHIM_COLLECTIVE(BlockReduce)
    enum { THREADS = X * Y * Z };
    __device__ T Sum(T x) { return Reduce(x, cub::Sum()); }
    __device__ T Sum(T x, int valid) { return Reduce(x, cub::Sum(), valid); }
    template <int N> __device__ T Sum(T (&items)[N]) { return Reduce(items, cub::Sum()); }
    template <class F> __device__ T Reduce(T x, F op) { return Reduce(x, op, THREADS); }
    template <int N, class F> __device__ T Reduce(T (&items)[N], F op) { return Reduce(__shim_reduced(items, op), op, THREADS); }
    template <class F> __device__ T Reduce(T x, F op, int valid) {
        __shared__ T cells[THREADS];
        unsigned rank = __shim_rank<X, Y, Z>();
        __syncthreads();
        cells[rank] = x;
        __syncthreads();
        for (unsigned distance = 1; distance < THREADS; distance *= 2) {
            if (rank % (distance * 2) == 0 && rank + distance < unsigned(valid)) {
                T left = cells[rank], right = cells[rank + distance];
                cells[rank] = op(left, right);
            }
            __syncthreads();
        }
        return cells[0];
    }
};

template <class T, int L = 32, int P = 0> struct WarpReduce {
    SHIM_COLLECTIVE(WarpReduce)
    __device__ T Sum(T x) { return Reduce(x, cub::Sum()); }
    __device__ T Sum(T x, int valid) { return Reduce(x, cub::Sum(), valid); }
    template <class F> __device__ T Reduce(T x, F op) { return Reduce(x, op, L); }
    template <class F> __device__ T Reduce(T x, F op, int valid) {
        unsigned lane = __lane_id() % L;
        T left = x;
        for (unsigned distance = 1; distance < L; distance *= 2) {
            T right = __shim_lanes<T>::down(left, distance, L);
            if (lane + distance < unsigned(valid)) left = op(left, right);
        }
        return left;
    }
    template <class G> __device__ T HeadSegmentedSum(T x, G head) { return HeadSegmentedReduce(x, head, cub::Sum()); }
    template <class G> __device__ T TailSegmentedSum(T x, G tail) { return TailSegmentedReduce(x, tail, cub::Sum()); }
    template <class G, class F> __device__ T HeadSegmentedReduce(T x, G head, F op) {
        unsigned lane = __lane_id() % L, base = __lane_id() - lane;
        unsigned heads = __ballot(head) >> base;
        return segmented(x, lane, lane + 1 < L ? heads >> (lane + 1) : 0, op);
    }
    template <class G, class F> __device__ T TailSegmentedReduce(T x, G tail, F op) {
        unsigned lane = __lane_id() % L, base = __lane_id() - lane;
        unsigned tails = __ballot(tail) >> base;
        return segmented(x, lane, tails >> lane, op);
    }
    // `ends`, bit i: the segment ends i lanes further on.
    template <class F> __device__ T segmented(T x, unsigned lane, unsigned ends, F op) {
        unsigned last = ends == 0 ? L - 1 : lane + __ffs(ends) - 1;
        if (last > L - 1) last = L - 1;
        T left = x;
        for (unsigned distance = 1; distance < L; distance *= 2) {
            T right = __shim_lanes<T>::down(left, distance, L);
            if (lane + distance <= last) left = op(left, right);
        }
        return left;
    }
};

// --- Scans -----------------------------------------------------------------------------------------

template <class T, int X, BlockScanAlgorithm A = BLOCK_SCAN_RAKING, int Y = 1, int Z = 1, int P = 0> struct BlockScan {
    SHIM_COLLECTIVE(BlockScan)
    enum { THREADS = X * Y * Z };
    // `cells`: the totals of all threads up to each, and of the block in the last one.
    template <int N, class F> __device__ void scan(T (&in)[N], T (&out)[N], bool exclusive, bool started, T first, F op, T& aggregate) {
        __shared__ T cells[THREADS];
        unsigned rank = __shim_rank<X, Y, Z>();
        T left = __shim_reduced(in, op), right;
        __syncthreads();
        cells[rank] = left;
        __syncthreads();
        for (unsigned distance = 1; distance < THREADS; distance *= 2) {
            right = cells[rank];
            if (rank >= distance) {
                left = cells[rank - distance];
                right = op(left, right);
            }
            __syncthreads();
            cells[rank] = right;
            __syncthreads();
        }
        if (started) left = first;
        if (rank > 0) {
            right = cells[rank - 1];
            left = started ? op(left, right) : right;
            started = true;
        }
        for (int i = 0; i < N; ++i) {
            right = in[i];
            if (exclusive && started) out[i] = left;
            left = started ? op(left, right) : right;
            started = true;
            if (!exclusive) out[i] = left;
        }
        aggregate = cells[THREADS - 1];
    }
    // A callback is asked by the first warp, with the block's total; its lane 0 says what stands before.
    template <class B> __device__ T before(T aggregate, B& callback) {
        __shared__ T prefix;
        unsigned rank = __shim_rank<X, Y, Z>();
        if (rank < 32) {
            T found = callback(aggregate);
            if (rank == 0) prefix = found;
        }
        __syncthreads();
        return prefix;
    }
    template <int N, class F> __device__ void Inclusive(T (&in)[N], T (&out)[N], F op, T& aggregate) { scan(in, out, false, false, in[0], op, aggregate); }
    template <int N, class F> __device__ void Exclusive(T (&in)[N], T (&out)[N], T first, F op, T& aggregate) { scan(in, out, true, true, first, op, aggregate); }
    template <int N, class F, class B> __device__ void With(T (&in)[N], T (&out)[N], bool exclusive, F op, T& aggregate, B& callback) {
        scan(in, out, exclusive, false, in[0], op, aggregate);
        T first = before(aggregate, callback);
        unsigned rank = __shim_rank<X, Y, Z>();
        for (int i = 0; i < N; ++i) out[i] = exclusive && rank == 0 && i == 0 ? first : op(first, out[i]);
    }
#define SHIM_ONE(call) T in[1] = {input}, out[1]; call; output = out[0];
    // Sums: of one item, of several; with the block's total, with a callback.
    __device__ void InclusiveSum(T input, T& output) { T total; InclusiveSum(input, output, total); }
    __device__ void InclusiveSum(T input, T& output, T& total) { SHIM_ONE(Inclusive(in, out, cub::Sum(), total)) }
    template <class B> __device__ void InclusiveSum(T input, T& output, B& callback) { T total; SHIM_ONE(With(in, out, false, cub::Sum(), total, callback)) }
    template <class B> __device__ void InclusiveSum(T input, T& output, T& total, B& callback) { SHIM_ONE(With(in, out, false, cub::Sum(), total, callback)) }
    template <int N> __device__ void InclusiveSum(T (&in)[N], T (&out)[N]) { T total; Inclusive(in, out, cub::Sum(), total); }
    template <int N> __device__ void InclusiveSum(T (&in)[N], T (&out)[N], T& total) { Inclusive(in, out, cub::Sum(), total); }
    template <int N, class B> __device__ void InclusiveSum(T (&in)[N], T (&out)[N], B& callback) { T total; With(in, out, false, cub::Sum(), total, callback); }
    __device__ void ExclusiveSum(T input, T& output) { T total; ExclusiveSum(input, output, total); }
    __device__ void ExclusiveSum(T input, T& output, T& total) { SHIM_ONE(Exclusive(in, out, T(0), cub::Sum(), total)) }
    template <class B> __device__ void ExclusiveSum(T input, T& output, B& callback) { T total; SHIM_ONE(With(in, out, true, cub::Sum(), total, callback)) }
    template <class B> __device__ void ExclusiveSum(T input, T& output, T& total, B& callback) { SHIM_ONE(With(in, out, true, cub::Sum(), total, callback)) }
    template <int N> __device__ void ExclusiveSum(T (&in)[N], T (&out)[N]) { T total; Exclusive(in, out, T(0), cub::Sum(), total); }
    template <int N> __device__ void ExclusiveSum(T (&in)[N], T (&out)[N], T& total) { Exclusive(in, out, T(0), cub::Sum(), total); }
    template <int N, class B> __device__ void ExclusiveSum(T (&in)[N], T (&out)[N], B& callback) { T total; With(in, out, true, cub::Sum(), total, callback); }
    // Any operator.
    template <class F> __device__ void InclusiveScan(T input, T& output, F op) { T total; SHIM_ONE(Inclusive(in, out, op, total)) }
    template <class F> __device__ void InclusiveScan(T input, T& output, F op, T& total) { SHIM_ONE(Inclusive(in, out, op, total)) }
    template <class F, class B> __device__ void InclusiveScan(T input, T& output, F op, B& callback) { T total; SHIM_ONE(With(in, out, false, op, total, callback)) }
    template <int N, class F> __device__ void InclusiveScan(T (&in)[N], T (&out)[N], F op) { T total; Inclusive(in, out, op, total); }
    template <int N, class F> __device__ void InclusiveScan(T (&in)[N], T (&out)[N], F op, T& total) { Inclusive(in, out, op, total); }
    template <int N, class F, class B> __device__ void InclusiveScan(T (&in)[N], T (&out)[N], F op, B& callback) { T total; With(in, out, false, op, total, callback); }
    template <int N, class F> __device__ void InclusiveScan(T (&in)[N], T (&out)[N], T first, F op) { T total; scan(in, out, false, true, first, op, total); }
    template <int N, class F> __device__ void InclusiveScan(T (&in)[N], T (&out)[N], T first, F op, T& total) { scan(in, out, false, true, first, op, total); }
    template <class F> __device__ void ExclusiveScan(T input, T& output, T first, F op) { T total; SHIM_ONE(Exclusive(in, out, first, op, total)) }
    template <class F> __device__ void ExclusiveScan(T input, T& output, T first, F op, T& total) { SHIM_ONE(Exclusive(in, out, first, op, total)) }
    template <class F> __device__ void ExclusiveScan(T input, T& output, F op) { T total; SHIM_ONE(scan(in, out, true, false, input, op, total)) }
    template <class F> __device__ void ExclusiveScan(T input, T& output, F op, T& total) { SHIM_ONE(scan(in, out, true, false, input, op, total)) }
    template <class F, class B> __device__ void ExclusiveScan(T input, T& output, F op, B& callback) { T total; SHIM_ONE(With(in, out, true, op, total, callback)) }
    template <int N, class F> __device__ void ExclusiveScan(T (&in)[N], T (&out)[N], T first, F op) { T total; Exclusive(in, out, first, op, total); }
    template <int N, class F> __device__ void ExclusiveScan(T (&in)[N], T (&out)[N], T first, F op, T& total) { Exclusive(in, out, first, op, total); }
    template <int N, class F> __device__ void ExclusiveScan(T (&in)[N], T (&out)[N], F op) { T total; scan(in, out, true, false, in[0], op, total); }
    template <int N, class F> __device__ void ExclusiveScan(T (&in)[N], T (&out)[N], F op, T& total) { scan(in, out, true, false, in[0], op, total); }
    template <int N, class F, class B> __device__ void ExclusiveScan(T (&in)[N], T (&out)[N], F op, B& callback) { T total; With(in, out, true, op, total, callback); }
#undef SHIM_ONE
};

template <class T, int L = 32, int P = 0> struct WarpScan {
    SHIM_COLLECTIVE(WarpScan)
    template <class F> __device__ T upto(T x, F op) {
        unsigned lane = __lane_id() % L;
        T right = x;
        for (unsigned distance = 1; distance < L; distance *= 2) {
            T left = __shim_lanes<T>::up(right, distance, L);
            if (lane >= distance) right = op(left, right);
        }
        return right;
    }
    __device__ T Broadcast(T x, unsigned lane) { return __shim_lanes<T>::at(x, lane, L); }
    __device__ void InclusiveSum(T x, T& out) { out = upto(x, cub::Sum()); }
    __device__ void InclusiveSum(T x, T& out, T& total) { InclusiveScan(x, out, cub::Sum(), total); }
    __device__ void ExclusiveSum(T x, T& out) { ExclusiveScan(x, out, T(0), cub::Sum()); }
    __device__ void ExclusiveSum(T x, T& out, T& total) { ExclusiveScan(x, out, T(0), cub::Sum(), total); }
    template <class F> __device__ void InclusiveScan(T x, T& out, F op) { out = upto(x, op); }
    template <class F> __device__ void InclusiveScan(T x, T& out, F op, T& total) {
        T found = upto(x, op);
        total = Broadcast(found, L - 1);
        out = found;
    }
    template <class F> __device__ void ExclusiveScan(T x, T& out, F op) { T total; ExclusiveScan(x, out, op, total); }
    template <class F> __device__ void ExclusiveScan(T x, T& out, F op, T& total) {
        T found = upto(x, op);
        T left = __shim_lanes<T>::up(found, 1, L);
        total = Broadcast(found, L - 1);
        if (__lane_id() % L > 0) out = left;
    }
    template <class F> __device__ void ExclusiveScan(T x, T& out, T first, F op) { T total; ExclusiveScan(x, out, first, op, total); }
    template <class F> __device__ void ExclusiveScan(T x, T& out, T first, F op, T& total) {
        T found = upto(x, op);
        T left = __shim_lanes<T>::up(found, 1, L);
        total = Broadcast(found, L - 1);
        out = __lane_id() % L > 0 ? op(first, left) : first;
    }
    template <class F> __device__ void Scan(T x, T& inclusive, T& exclusive, F op) {
        T found = upto(x, op);
        T left = __shim_lanes<T>::up(found, 1, L);
        inclusive = found;
        if (__lane_id() % L > 0) exclusive = left;
    }
    template <class F> __device__ void Scan(T x, T& inclusive, T& exclusive, T first, F op) {
        T found = upto(x, op);
        T left = __shim_lanes<T>::up(found, 1, L);
        inclusive = op(first, found);
        exclusive = __lane_id() % L > 0 ? op(first, left) : first;
    }
};

// --- Loads and stores ------------------------------------------------------------------------------

// Striped algorithms leave item i of thread t at i * threads + t; all others end blocked.
template <class T, int X, int N, BlockLoadAlgorithm A = BLOCK_LOAD_DIRECT, int Y = 1, int Z = 1, int P = 0> struct BlockLoad {
    SHIM_COLLECTIVE(BlockLoad)
    enum { THREADS = X * Y * Z };
    static __device__ int place(int i) { return A == BLOCK_LOAD_STRIPED ? i * THREADS + int(__shim_rank<X, Y, Z>()) : int(__shim_rank<X, Y, Z>()) * N + i; }
    template <class I> __device__ void Load(I memory, T (&items)[N]) {
        for (int i = 0; i < N; ++i) items[i] = memory[place(i)];
    }
    template <class I> __device__ void Load(I memory, T (&items)[N], int valid) {
        for (int i = 0; i < N; ++i)
            if (place(i) < valid) items[i] = memory[place(i)];
    }
    template <class I, class D> __device__ void Load(I memory, T (&items)[N], int valid, D otherwise) {
        for (int i = 0; i < N; ++i) {
            if (place(i) < valid) items[i] = memory[place(i)];
            else items[i] = otherwise;
        }
    }
};
template <class T, int X, int N, BlockStoreAlgorithm A = BLOCK_STORE_DIRECT, int Y = 1, int Z = 1, int P = 0> struct BlockStore {
    SHIM_COLLECTIVE(BlockStore)
    enum { THREADS = X * Y * Z };
    static __device__ int place(int i) { return A == BLOCK_STORE_STRIPED ? i * THREADS + int(__shim_rank<X, Y, Z>()) : int(__shim_rank<X, Y, Z>()) * N + i; }
    template <class I> __device__ void Store(I memory, T (&items)[N]) {
        for (int i = 0; i < N; ++i) memory[place(i)] = items[i];
    }
    template <class I> __device__ void Store(I memory, T (&items)[N], int valid) {
        for (int i = 0; i < N; ++i)
            if (place(i) < valid) memory[place(i)] = items[i];
    }
};
template <class T, int N, WarpLoadAlgorithm A = WARP_LOAD_DIRECT, int L = 32, int P = 0> struct WarpLoad {
    SHIM_COLLECTIVE(WarpLoad)
    static __device__ int place(int i) { return A == WARP_LOAD_STRIPED ? i * L + int(__lane_id() % L) : int(__lane_id() % L) * N + i; }
    template <class I> __device__ void Load(I memory, T (&items)[N]) {
        for (int i = 0; i < N; ++i) items[i] = memory[place(i)];
    }
    template <class I> __device__ void Load(I memory, T (&items)[N], int valid) {
        for (int i = 0; i < N; ++i)
            if (place(i) < valid) items[i] = memory[place(i)];
    }
    template <class I, class D> __device__ void Load(I memory, T (&items)[N], int valid, D otherwise) {
        for (int i = 0; i < N; ++i) {
            if (place(i) < valid) items[i] = memory[place(i)];
            else items[i] = otherwise;
        }
    }
};
template <class T, int N, WarpStoreAlgorithm A = WARP_STORE_DIRECT, int L = 32, int P = 0> struct WarpStore {
    SHIM_COLLECTIVE(WarpStore)
    static __device__ int place(int i) { return A == WARP_STORE_STRIPED ? i * L + int(__lane_id() % L) : int(__lane_id() % L) * N + i; }
    template <class I> __device__ void Store(I memory, T (&items)[N]) {
        for (int i = 0; i < N; ++i) memory[place(i)] = items[i];
    }
    template <class I> __device__ void Store(I memory, T (&items)[N], int valid) {
        for (int i = 0; i < N; ++i)
            if (place(i) < valid) memory[place(i)] = items[i];
    }
};
template <class T, int N, class I> __device__ void LoadDirectBlocked(int rank, I memory, T (&items)[N]) {
    for (int i = 0; i < N; ++i) items[i] = memory[rank * N + i];
}
template <class T, int N, class I> __device__ void LoadDirectBlocked(int rank, I memory, T (&items)[N], int valid) {
    for (int i = 0; i < N; ++i)
        if (rank * N + i < valid) items[i] = memory[rank * N + i];
}
template <int X, class T, int N, class I> __device__ void LoadDirectStriped(int rank, I memory, T (&items)[N]) {
    for (int i = 0; i < N; ++i) items[i] = memory[rank + i * X];
}
template <int X, class T, int N, class I> __device__ void LoadDirectStriped(int rank, I memory, T (&items)[N], int valid) {
    for (int i = 0; i < N; ++i)
        if (rank + i * X < valid) items[i] = memory[rank + i * X];
}
template <class T, int N, class I> __device__ void StoreDirectBlocked(int rank, I memory, T (&items)[N]) {
    for (int i = 0; i < N; ++i) memory[rank * N + i] = items[i];
}
template <class T, int N, class I> __device__ void StoreDirectBlocked(int rank, I memory, T (&items)[N], int valid) {
    for (int i = 0; i < N; ++i)
        if (rank * N + i < valid) memory[rank * N + i] = items[i];
}
template <int X, class T, int N, class I> __device__ void StoreDirectStriped(int rank, I memory, T (&items)[N]) {
    for (int i = 0; i < N; ++i) memory[rank + i * X] = items[i];
}
template <int X, class T, int N, class I> __device__ void StoreDirectStriped(int rank, I memory, T (&items)[N], int valid) {
    for (int i = 0; i < N; ++i)
        if (rank + i * X < valid) memory[rank + i * X] = items[i];
}
template <CacheLoadModifier M, class I> __device__ auto ThreadLoad(I from) -> std::remove_reference_t<decltype(*from)> { return *from; }
template <CacheStoreModifier M, class I, class T> __device__ void ThreadStore(I to, T value) { *to = value; }

// --- Moving items between threads ------------------------------------------------------------------

template <class T, int X, int N, bool S = false, int Y = 1, int Z = 1, int P = 0> struct BlockExchange {
    SHIM_COLLECTIVE(BlockExchange)
    enum { THREADS = X * Y * Z };
    // Everyone's items to cells `to(i)`, and back from cells `from(i)`.
    static __device__ int blocked(int i) { return int(__shim_rank<X, Y, Z>()) * N + i; }
    static __device__ int striped(int i) { return i * THREADS + int(__shim_rank<X, Y, Z>()); }
    static __device__ int by_warp(int i) { return int(__shim_rank<X, Y, Z>()) / 32 * 32 * N + i * 32 + int(__shim_rank<X, Y, Z>()) % 32; }
#define SHIM_EXCHANGE(name, to, from)                                             \
    template <class O> __device__ void name(T (&in)[N], O (&out)[N]) {            \
        __shared__ T cells[THREADS * N];                                        \
        __syncthreads();                                                          \
        for (int i = 0; i < N; ++i) cells[to] = in[i];                            \
        __syncthreads();                                                          \
        for (int i = 0; i < N; ++i) out[i] = cells[from];                         \
    }                                                                             \
    __device__ void name(T (&items)[N]) { name(items, items); }
    SHIM_EXCHANGE(StripedToBlocked, striped(i), blocked(i))
    SHIM_EXCHANGE(BlockedToStriped, blocked(i), striped(i))
    SHIM_EXCHANGE(WarpStripedToBlocked, by_warp(i), blocked(i))
    SHIM_EXCHANGE(BlockedToWarpStriped, blocked(i), by_warp(i))
#undef SHIM_EXCHANGE
#define SHIM_SCATTER(name, from)                                                          \
    template <class O, class R> __device__ void name(T (&in)[N], O (&out)[N], R (&ranks)[N]) { \
        __shared__ T cells[THREADS * N];                                                \
        __syncthreads();                                                                  \
        for (int i = 0; i < N; ++i) cells[ranks[i]] = in[i];                              \
        __syncthreads();                                                                  \
        for (int i = 0; i < N; ++i) out[i] = cells[from];                                 \
    }                                                                                     \
    template <class R> __device__ void name(T (&items)[N], R (&ranks)[N]) { name(items, items, ranks); }
    SHIM_SCATTER(ScatterToBlocked, blocked(i))
    SHIM_SCATTER(ScatterToStriped, striped(i))
#undef SHIM_SCATTER
};

template <class T, int X, int Y = 1, int Z = 1, int P = 0> struct BlockShuffle {
    SHIM_COLLECTIVE(BlockShuffle)
    enum { THREADS = X * Y * Z };
    __device__ void Offset(T x, T& out, int by = 1) {
        __shared__ T cells[THREADS];
        int rank = __shim_rank<X, Y, Z>();
        __syncthreads();
        cells[rank] = x;
        __syncthreads();
        if (rank + by >= 0 && rank + by < THREADS) out = cells[rank + by];
    }
    __device__ void Rotate(T x, T& out, unsigned by = 1) {
        __shared__ T cells[THREADS];
        unsigned rank = __shim_rank<X, Y, Z>();
        __syncthreads();
        cells[rank] = x;
        __syncthreads();
        out = cells[(rank + by) % THREADS];
    }
    template <int N> __device__ void Up(T (&in)[N], T (&out)[N]) { T suffix; Up(in, out, suffix); }
    template <int N> __device__ void Up(T (&in)[N], T (&out)[N], T& suffix) {
        __shared__ T cells[THREADS];
        unsigned rank = __shim_rank<X, Y, Z>();
        __syncthreads();
        cells[rank] = in[N - 1];
        __syncthreads();
        for (int i = N - 1; i > 0; --i) out[i] = in[i - 1];
        if (rank > 0) out[0] = cells[rank - 1];
        suffix = cells[THREADS - 1];
    }
    template <int N> __device__ void Down(T (&in)[N], T (&out)[N]) { T prefix; Down(in, out, prefix); }
    template <int N> __device__ void Down(T (&in)[N], T (&out)[N], T& prefix) {
        __shared__ T cells[THREADS];
        unsigned rank = __shim_rank<X, Y, Z>();
        __syncthreads();
        cells[rank] = in[0];
        __syncthreads();
        for (int i = 0; i < N - 1; ++i) out[i] = in[i + 1];
        if (rank < THREADS - 1) out[N - 1] = cells[rank + 1];
        prefix = cells[0];
    }
};

// --- Neighbours ------------------------------------------------------------------------------------

// A functor of two items, or of two and the place of the second: the better match is taken.
template <class F, class T> __device__ auto __shim_flag(F& op, const T& a, const T& b, int at, int) -> decltype(bool(op(a, b, at))) { return op(a, b, at); }
template <class F, class T> __device__ auto __shim_flag(F& op, const T& a, const T& b, int, long) -> decltype(bool(op(a, b))) { return op(a, b); }

template <class T, int X, int Y = 1, int Z = 1, int P = 0> struct BlockDiscontinuity {
    SHIM_COLLECTIVE(BlockDiscontinuity)
    enum { THREADS = X * Y * Z };
    template <int N> __device__ T left(T (&in)[N]) {
        __shared__ T cells[THREADS];
        unsigned rank = __shim_rank<X, Y, Z>();
        __syncthreads();
        cells[rank] = in[N - 1];
        __syncthreads();
        return rank > 0 ? cells[rank - 1] : in[0];
    }
    template <int N> __device__ T right(T (&in)[N]) {
        __shared__ T cells[THREADS];
        unsigned rank = __shim_rank<X, Y, Z>();
        __syncthreads();
        cells[rank] = in[0];
        __syncthreads();
        return rank < THREADS - 1 ? cells[rank + 1] : in[N - 1];
    }
    template <int N, class G, class F> __device__ void heads(G (&flags)[N], T (&in)[N], F op, bool known, T before) {
        int rank = __shim_rank<X, Y, Z>();
        for (int i = N - 1; i > 0; --i) flags[i] = __shim_flag(op, in[i - 1], in[i], rank * N + i, 0);
        if (rank > 0 || known) flags[0] = __shim_flag(op, before, in[0], rank * N, 0);
        else flags[0] = 1;
    }
    template <int N, class G, class F> __device__ void tails(G (&flags)[N], T (&in)[N], F op, bool known, T after) {
        int rank = __shim_rank<X, Y, Z>();
        for (int i = 0; i < N - 1; ++i) flags[i] = __shim_flag(op, in[i], in[i + 1], rank * N + i + 1, 0);
        if (rank < THREADS - 1 || known) flags[N - 1] = __shim_flag(op, in[N - 1], after, rank * N + N, 0);
        else flags[N - 1] = 1;
    }
    template <int N, class G, class F> __device__ void FlagHeads(G (&flags)[N], T (&in)[N], F op) { heads(flags, in, op, false, left(in)); }
    template <int N, class G, class F> __device__ void FlagHeads(G (&flags)[N], T (&in)[N], F op, T before) {
        T other = left(in);
        heads(flags, in, op, true, __shim_rank<X, Y, Z>() > 0 ? other : before);
    }
    template <int N, class G, class F> __device__ void FlagTails(G (&flags)[N], T (&in)[N], F op) { tails(flags, in, op, false, right(in)); }
    template <int N, class G, class F> __device__ void FlagTails(G (&flags)[N], T (&in)[N], F op, T after) {
        T other = right(in);
        tails(flags, in, op, true, __shim_rank<X, Y, Z>() < THREADS - 1 ? other : after);
    }
    template <int N, class G, class F> __device__ void FlagHeadsAndTails(G (&heads)[N], G (&tails)[N], T (&in)[N], F op) {
        FlagHeads(heads, in, op);
        FlagTails(tails, in, op);
    }
};

template <class T, int X, int Y = 1, int Z = 1, int P = 0> struct BlockAdjacentDifference {
    SHIM_COLLECTIVE(BlockAdjacentDifference)
    enum { THREADS = X * Y * Z };
    template <int N, class O, class F> __device__ void SubtractLeft(T (&in)[N], O (&out)[N], F op) {
        T other = BlockDiscontinuity<T, X, Y, Z>().left(in);
        for (int i = N - 1; i > 0; --i) out[i] = op(in[i], in[i - 1]);
        if (__shim_rank<X, Y, Z>() > 0) out[0] = op(in[0], other);
        else out[0] = in[0];
    }
    template <int N, class O, class F> __device__ void SubtractLeft(T (&in)[N], O (&out)[N], F op, T before) {
        T other = BlockDiscontinuity<T, X, Y, Z>().left(in);
        for (int i = N - 1; i > 0; --i) out[i] = op(in[i], in[i - 1]);
        out[0] = op(in[0], __shim_rank<X, Y, Z>() > 0 ? other : before);
    }
    template <int N, class O, class F> __device__ void SubtractLeftPartialTile(T (&in)[N], O (&out)[N], F op, int valid) {
        T other = BlockDiscontinuity<T, X, Y, Z>().left(in);
        int first = int(__shim_rank<X, Y, Z>()) * N;
        for (int i = N - 1; i > 0; --i) {
            if (first + i < valid) out[i] = op(in[i], in[i - 1]);
            else out[i] = in[i];
        }
        if (first > 0 && first < valid) out[0] = op(in[0], other);
        else out[0] = in[0];
    }
    template <int N, class O, class F> __device__ void SubtractRight(T (&in)[N], O (&out)[N], F op) {
        T other = BlockDiscontinuity<T, X, Y, Z>().right(in);
        for (int i = 0; i < N - 1; ++i) out[i] = op(in[i], in[i + 1]);
        if (__shim_rank<X, Y, Z>() < THREADS - 1) out[N - 1] = op(in[N - 1], other);
        else out[N - 1] = in[N - 1];
    }
    template <int N, class O, class F> __device__ void SubtractRight(T (&in)[N], O (&out)[N], F op, T after) {
        T other = BlockDiscontinuity<T, X, Y, Z>().right(in);
        for (int i = 0; i < N - 1; ++i) out[i] = op(in[i], in[i + 1]);
        out[N - 1] = op(in[N - 1], __shim_rank<X, Y, Z>() < THREADS - 1 ? other : after);
    }
};

template <class T, int X, int N, int B, BlockHistogramAlgorithm A = BLOCK_HISTO_SORT, int Y = 1, int Z = 1, int P = 0> struct BlockHistogram {
    SHIM_COLLECTIVE(BlockHistogram)
    enum { THREADS = X * Y * Z };
    template <class C> __device__ void InitHistogram(C (&counts)[B]) {
        for (int bin = __shim_rank<X, Y, Z>(); bin < B; bin += THREADS) counts[bin] = 0;
    }
    template <class C> __device__ void Composite(T (&items)[N], C (&counts)[B]) {
        for (int i = 0; i < N; ++i) atomicAdd(&counts[int(items[i])], C(1));
    }
    template <class C> __device__ void Histogram(T (&items)[N], C (&counts)[B]) {
        InitHistogram(counts);
        __syncthreads();
        Composite(items, counts);
    }
};

// --- Sorting ---------------------------------------------------------------------------------------

// Keys as unsigned numbers of the same order.
template <class K, bool is_signed = (K(-1) < K(0)), bool is_float = (K(0.5) != K(0))> struct __shim_key { typedef typename Traits<K>::UnsignedBits Bits; static __device__ Bits bits(K key) { return Bits(key); } };
template <class K> struct __shim_key<K, true, false> {
    typedef typename Traits<K>::UnsignedBits Bits;
    static __device__ Bits bits(K key) { return Bits(key) ^ (Bits(1) << (8 * sizeof(K) - 1)); }
};
template <class K> struct __shim_key<K, true, true> {
    typedef typename Traits<K>::UnsignedBits Bits;
    static __device__ Bits bits(K key) {
        Bits top = Bits(1) << (8 * sizeof(K) - 1), raw = *reinterpret_cast<Bits*>(&key);
        if (raw == top) raw = 0;  // both zeros are one key
        return raw & top ? Bits(~raw) : Bits(raw ^ top);
    }
};

// Bit by bit, from the lowest: who has a 0 goes before who has a 1, both in the order they stood.
template <class K, int X, int N, class V = NullType, int R = 4, bool M = true, BlockScanAlgorithm A = BLOCK_SCAN_WARP_SCANS, int C = 0, int Y = 1, int Z = 1, int P = 0> struct BlockRadixSort {
    SHIM_COLLECTIVE(BlockRadixSort)
    enum { THREADS = X * Y * Z };
    typedef typename __shim_key<K>::Bits Bits;
    static __device__ int place(int i, bool striped) { return striped ? i * THREADS + int(__shim_rank<X, Y, Z>()) : int(__shim_rank<X, Y, Z>()) * N + i; }
    template <class U> __device__ void sorted(K (&keys)[N], U (&values)[N], bool has_values, int begin, int end, Bits flip, bool striped) {
        __shared__ K key_cells[THREADS * N];
        __shared__ U value_cells[THREADS * N];
        for (int bit = begin; bit < end; ++bit) {
            bool is_last = bit == end - 1;
            int zeros[1] = {0}, before[1], all;
            for (int i = 0; i < N; ++i) zeros[0] += !(((__shim_key<K>::bits(keys[i]) ^ flip) >> bit) & 1);
            BlockScan<int, X, BLOCK_SCAN_RAKING, Y, Z>().ExclusiveSum(zeros, before, all);
            int low = before[0], high = all + int(__shim_rank<X, Y, Z>()) * N - before[0];
            for (int i = 0; i < N; ++i) {
                int to = ((__shim_key<K>::bits(keys[i]) ^ flip) >> bit) & 1 ? high++ : low++;
                key_cells[to] = keys[i];
                if (has_values) value_cells[to] = values[i];
            }
            __syncthreads();
            for (int i = 0; i < N; ++i) {
                keys[i] = key_cells[place(i, is_last && striped)];
                if (has_values) values[i] = value_cells[place(i, is_last && striped)];
            }
            __syncthreads();
        }
    }
#define SHIM_SORT(name, flip, striped)                                                                     \
    __device__ void name(K (&keys)[N], int begin = 0, int end = sizeof(K) * 8) {                          \
        char none[N];                                                                                      \
        sorted(keys, none, false, begin, end, flip, striped);                                              \
    }                                                                                                      \
    template <class U> __device__ void name(K (&keys)[N], U (&values)[N], int begin = 0, int end = sizeof(K) * 8) { sorted(keys, values, true, begin, end, flip, striped); }
    SHIM_SORT(Sort, Bits(0), false)
    SHIM_SORT(SortDescending, Bits(~Bits(0)), false)
    SHIM_SORT(SortBlockedToStriped, Bits(0), true)
    SHIM_SORT(SortDescendingBlockedToStriped, Bits(~Bits(0)), true)
#undef SHIM_SORT
};

// Runs of 1, 2, 4 ... merged: the place of an item is its own in its run, and how many of the other
// run come before it. Equal items keep their order.
template <class K, int N, class V, int COUNT, class F, class U>
__device__ void __shim_merge_sort(K* cells, U* value_cells, int rank, K (&keys)[N], U (&values)[N], bool has_values, F op, int valid) {
    for (int width = 1; width < COUNT; width *= 2) {
        __syncthreads();
        for (int i = 0; i < N; ++i) cells[rank * N + i] = keys[i];
        __syncthreads();
        int to[N];
        for (int i = 0; i < N; ++i) {
            int at = rank * N + i, run = at / width, other = (run ^ 1) * width;
            int low = other < valid ? other : valid, high = other + width < valid ? other + width : valid, first = low;
            while (low < high && at < valid) {
                int middle = (low + high) / 2;
                bool is_before = run & 1 ? !op(keys[i], cells[middle]) : bool(op(cells[middle], keys[i]));
                if (is_before) low = middle + 1;
                else high = middle;
            }
            to[i] = at < valid ? run / 2 * 2 * width + at % width + (low - first) : at;
        }
        __syncthreads();
        for (int i = 0; i < N; ++i) {
            cells[to[i]] = keys[i];
            if (has_values) value_cells[to[i]] = values[i];
        }
        __syncthreads();
        for (int i = 0; i < N; ++i) {
            keys[i] = cells[rank * N + i];
            if (has_values) values[i] = value_cells[rank * N + i];
        }
    }
}
template <class K, int X, int N, class V = NullType, int Y = 1, int Z = 1> struct BlockMergeSort {
    SHIM_COLLECTIVE(BlockMergeSort)
    enum { THREADS = X * Y * Z };
#define SHIM_SORT(name)                                                                                    \
    template <class F> __device__ void name(K (&keys)[N], F op) { sorted(keys, op, THREADS * N); }       \
    template <class F> __device__ void name(K (&keys)[N], F op, int valid, K) { sorted(keys, op, valid); } \
    template <class U, class F> __device__ void name(K (&keys)[N], U (&values)[N], F op) { sorted(keys, values, op, THREADS * N); } \
    template <class U, class F> __device__ void name(K (&keys)[N], U (&values)[N], F op, int valid, K) { sorted(keys, values, op, valid); }
    SHIM_SORT(Sort) SHIM_SORT(StableSort)
#undef SHIM_SORT
    template <class F> __device__ void sorted(K (&keys)[N], F op, int valid) {
        __shared__ K cells[THREADS * N];
        char none[N];
        __shim_merge_sort<K, N, char, THREADS * N>(cells, none, __shim_rank<X, Y, Z>(), keys, none, false, op, valid);
    }
    template <class U, class F> __device__ void sorted(K (&keys)[N], U (&values)[N], F op, int valid) {
        __shared__ K cells[THREADS * N];
        __shared__ U value_cells[THREADS * N];
        __shim_merge_sort<K, N, U, THREADS * N>(cells, value_cells, __shim_rank<X, Y, Z>(), keys, values, true, op, valid);
    }
};
template <class K, int N, int L = 32, class V = NullType, int P = 1> struct WarpMergeSort {
    SHIM_COLLECTIVE(WarpMergeSort)
    template <class... B> void Sort(B&&...);
    template <class... B> void StableSort(B&&...);
};
#undef SHIM_COLLECTIVE
}
#pragma clang force_cuda_host_device end
