// libcu++: cuda::atomic, barriers, pipelines; cuda::std is std.
#pragma once
#pragma clang force_cuda_host_device begin
namespace cuda {
namespace std {
using namespace ::std;
}
enum thread_scope { thread_scope_system, thread_scope_device, thread_scope_block, thread_scope_thread };
using ::std::memory_order;
using ::std::memory_order_acq_rel;
using ::std::memory_order_acquire;
using ::std::memory_order_relaxed;
using ::std::memory_order_release;
using ::std::memory_order_seq_cst;
#define SHIM_ATOMIC                                                                     \
    T load(memory_order = memory_order_seq_cst) const;                                  \
    void store(T, memory_order = memory_order_seq_cst);                                 \
    T exchange(T, memory_order = memory_order_seq_cst);                                 \
    template <class... A> bool compare_exchange_strong(T&, T, A...);                    \
    template <class... A> bool compare_exchange_weak(T&, T, A...);                      \
    T fetch_add(T, memory_order = memory_order_seq_cst);                                \
    T fetch_sub(T, memory_order = memory_order_seq_cst);                                \
    T fetch_and(T, memory_order = memory_order_seq_cst);                                \
    T fetch_or(T, memory_order = memory_order_seq_cst);                                 \
    T fetch_xor(T, memory_order = memory_order_seq_cst);                                \
    T fetch_min(T, memory_order = memory_order_seq_cst);                                \
    T fetch_max(T, memory_order = memory_order_seq_cst);                                \
    T operator++();                                                                     \
    T operator++(int);                                                                  \
    T operator--();                                                                     \
    T operator+=(T);                                                                    \
    T operator-=(T);                                                                    \
    operator T() const;                                                                 \
    T operator=(T);                                                                     \
    void wait(T, memory_order = memory_order_seq_cst);                                  \
    void notify_one();                                                                  \
    void notify_all();
template <class T, thread_scope S = thread_scope_system> struct atomic {
    atomic() = default;
    constexpr atomic(T) {}
    SHIM_ATOMIC
};
template <class T, thread_scope S = thread_scope_system> struct atomic_ref {
    explicit atomic_ref(T&);
    SHIM_ATOMIC
};
#undef SHIM_ATOMIC
void atomic_thread_fence(memory_order, thread_scope = thread_scope_system);
// A barrier for all threads of the block: what counts is that nobody gets past `wait` before all
// have arrived. One for fewer threads ends in a trap.
template <thread_scope S = thread_scope_system> struct barrier {
    struct arrival_token {};
    barrier() = default;
    explicit barrier(long);
    __device__ arrival_token arrive() { return arrival_token(); }
    arrival_token arrive(long);
    __device__ void wait(arrival_token&&) { __syncthreads(); }
    __device__ void arrive_and_wait() { __syncthreads(); }
    void arrive_and_drop();
};
template <thread_scope S> __device__ void init(barrier<S>*, long expected) {
    if (expected != long(blockDim.x) * blockDim.y * blockDim.z) __trap();
}
template <thread_scope S, unsigned N> struct pipeline_shared_state {};
// Copies are made when they are asked for, so that a thread has none to wait for.
template <thread_scope S = thread_scope_thread> struct pipeline {
    void producer_acquire();
    void producer_commit();
    void consumer_wait();
    void consumer_release();
};
template <> struct pipeline<thread_scope_thread> {
    __device__ void producer_acquire() {}
    __device__ void producer_commit() {}
    __device__ void consumer_wait() {}
    __device__ void consumer_release() {}
};
__device__ inline pipeline<thread_scope_thread> make_pipeline() { return pipeline<thread_scope_thread>(); }
template <class G, class... A> pipeline<thread_scope_block> make_pipeline(const G&, A&&...);
template <unsigned N> __device__ void pipeline_consumer_wait_prior(pipeline<thread_scope_thread>&) {}
template <unsigned N, thread_scope S> void pipeline_consumer_wait_prior(pipeline<S>&);
template <size_t N> struct aligned_size_t { size_t value; constexpr explicit aligned_size_t(size_t v) : value(v) {} constexpr operator size_t() const { return value; } };
// One thread's copy, in whole elements; a group's is shared out.
template <class T, class B> __device__ void memcpy_async(T* to, const T* from, size_t bytes, B&) {
    for (size_t i = 0; i < bytes / sizeof(T); ++i) to[i] = from[i];
}
template <class B> __device__ void memcpy_async(void* to, const void* from, size_t bytes, B&) {
    for (size_t i = 0; i < bytes; ++i) static_cast<char*>(to)[i] = static_cast<const char*>(from)[i];
}
template <class G, class T, class B> __device__ void memcpy_async(const G& group, T* to, const T* from, size_t bytes, B&) {
    for (size_t i = group.thread_rank(); i < bytes / sizeof(T); i += group.size()) to[i] = from[i];
}
template <thread_scope S = thread_scope_system> struct counting_semaphore { void acquire(); void release(long = 1); };
template <thread_scope S = thread_scope_system> using binary_semaphore = counting_semaphore<S>;
template <thread_scope S = thread_scope_system> struct latch { explicit latch(long); void count_down(long = 1); void wait() const; void arrive_and_wait(); };
namespace ptx {}
namespace device {}
}
void __pipeline_commit();
void __pipeline_wait_prior(size_t);
void __pipeline_memcpy_async(void*, const void*, size_t, size_t = 0);
#pragma clang force_cuda_host_device end
