// Cooperative groups: group types, partitions, reduce and scan, asynchronous copies.
#pragma once
#pragma clang force_cuda_host_device begin
namespace cooperative_groups {
inline namespace __v1 {
struct thread_group {
    void sync() const;
    unsigned long long size() const;
    unsigned long long num_threads() const;
    unsigned long long thread_rank() const;
    bool is_valid() const;
};
struct thread_block : thread_group {
    static void sync();
    static unsigned size();
    static unsigned num_threads();
    static unsigned thread_rank();
    static dim3 group_index();
    static dim3 thread_index();
    static dim3 group_dim();
    static dim3 dim_threads();
    struct arrival_token {};
    arrival_token barrier_arrive() const;
    void barrier_wait(arrival_token&&) const;
};
struct grid_group : thread_group {
    void sync() const;
    unsigned long long size() const;
    unsigned long long num_threads() const;
    unsigned long long thread_rank() const;
    dim3 group_dim() const;
    dim3 dim_blocks() const;
    dim3 block_index() const;
    unsigned long long num_blocks() const;
    unsigned long long block_rank() const;
    struct arrival_token {};
    arrival_token barrier_arrive() const;
    void barrier_wait(arrival_token&&) const;
};
struct multi_grid_group : thread_group {
    void sync() const;
    unsigned long long size() const;
    unsigned long long thread_rank() const;
    unsigned grid_rank() const;
    unsigned num_grids() const;
};
struct cluster_group : thread_group {
    static void sync();
    static unsigned thread_rank();
    static unsigned block_rank();
    static unsigned num_blocks();
    static unsigned num_threads();
    static dim3 block_index();
    static dim3 dim_blocks();
    static void barrier_arrive();
    static void barrier_wait();
    template <class T> static T* map_shared_rank(T*, int);
    static unsigned query_shared_rank(const void*);
};
// What every group of lanes can do.
#define SHIM_LANES                                                        \
    template <class T> T shfl(T, int) const;                              \
    template <class T> T shfl_down(T, unsigned) const;                    \
    template <class T> T shfl_up(T, unsigned) const;                      \
    unsigned ballot(int) const;                                           \
    int any(int) const;                                                   \
    int all(int) const;                                                   \
    template <class T> unsigned match_any(T) const;                       \
    template <class T> unsigned match_all(T, int&) const;                 \
    unsigned long long meta_group_size() const;                           \
    unsigned long long meta_group_rank() const;
struct coalesced_group : thread_group {
    void sync() const;
    unsigned long long size() const;
    unsigned long long num_threads() const;
    unsigned long long thread_rank() const;
    SHIM_LANES
};
template <unsigned N, class P = void> struct thread_block_tile : thread_group {
    thread_block_tile() = default;
    template <class Q> thread_block_tile(const thread_block_tile<N, Q>&);
    static void sync();
    static constexpr unsigned size() { return N; }
    static constexpr unsigned num_threads() { return N; }
    static unsigned thread_rank();
    template <class T> T shfl_xor(T, unsigned) const;
    SHIM_LANES
};
#undef SHIM_LANES
thread_block this_thread_block();
grid_group this_grid();
multi_grid_group this_multi_grid();
cluster_group this_cluster();
coalesced_group coalesced_threads();
thread_block_tile<1> this_thread();
template <unsigned N, class P> thread_block_tile<N, P> tiled_partition(const P&);
thread_group tiled_partition(const thread_group&, unsigned);
coalesced_group tiled_partition(const coalesced_group&, unsigned);
template <class G, class L> coalesced_group labeled_partition(const G&, L);
template <class G> coalesced_group binary_partition(const G&, bool);
template <class G> void sync(const G&);
template <class G> unsigned thread_rank(const G&);
template <class G> unsigned group_size(const G&);
template <unsigned N> struct block_tile_memory { char reserved[N]; };
template <unsigned N> thread_block this_thread_block(block_tile_memory<N>&);
#define SHIM_OPERATION(name, op) \
    template <class T = void> struct name { T operator()(T a, T b) const { return op; } }; \
    template <> struct name<void> { template <class T> T operator()(T a, T b) const { return op; } };
SHIM_OPERATION(plus, a + b) SHIM_OPERATION(less, a < b ? a : b) SHIM_OPERATION(greater, a < b ? b : a)
SHIM_OPERATION(bit_and, a& b) SHIM_OPERATION(bit_or, a | b) SHIM_OPERATION(bit_xor, a ^ b)
#undef SHIM_OPERATION
template <class G, class T, class F> T reduce(const G&, T, F&&);
// Operators that are not known by name: tiles combine as the hardware's own operators do.
template <unsigned N, class P, class T, class F> T reduce(const thread_block_tile<N, P>& g, T x, F&& op) {
    for (unsigned distance = N / 2; distance > 0; distance /= 2) x = op(x, g.shfl_xor(x, distance));
    return x;
}
template <unsigned N, class P, class T, class F> T inclusive_scan(const thread_block_tile<N, P>& g, T x, F&& op) {
    for (unsigned distance = 1; distance < N; distance *= 2) {
        T before = g.shfl_up(x, distance);
        if (g.thread_rank() >= distance) x = op(before, x);
    }
    return x;
}
template <class G, class R, class T, class F> void reduce_update_async(const G&, R&, T, F&&);
template <class G, class T, class F> T inclusive_scan(const G&, T, F&&);
template <class G, class T> T inclusive_scan(const G&, T);
template <class G, class T, class F> T exclusive_scan(const G&, T, F&&);
template <class G, class T> T exclusive_scan(const G&, T);
template <class G, class... A> void memcpy_async(const G&, A&&...);
template <class G> void wait(const G&);
template <unsigned N, class G> void wait_prior(const G&);
template <class G, class F, class... A> void invoke_one(const G&, F&&, A&&...);
template <class G, class F, class... A> auto invoke_one_broadcast(const G&, F&& f, A&&... a) -> decltype(f(a...));
namespace experimental { using namespace __v1; }
}
}
#pragma clang force_cuda_host_device end
