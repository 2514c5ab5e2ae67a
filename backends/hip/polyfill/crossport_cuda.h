// The part of libcu++ (namespace cuda) that needs nothing of NVIDIA's hardware.
//
//   cuda::atomic, cuda::atomic_ref, cuda::atomic_thread_fence      every scope and order
//   cuda::pipeline of one thread, cuda::memcpy_async               copies are done at once
//   cuda::std::...                                                 the C++ library's own: what is
//                                                                  constexpr there runs on the device
//
// Barriers and pipelines that threads share are not here: a thread that waits for another of the same
// wavefront would wait for ever.
#ifndef CROSSPORT_CUDA_H
#define CROSSPORT_CUDA_H

#include <hip/hip_runtime.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

namespace cuda {

enum thread_scope { thread_scope_system, thread_scope_device, thread_scope_block, thread_scope_thread };

namespace std {
using namespace ::std;
}
using ::std::memory_order;
using ::std::memory_order_acq_rel;
using ::std::memory_order_acquire;
using ::std::memory_order_consume;
using ::std::memory_order_relaxed;
using ::std::memory_order_release;
using ::std::memory_order_seq_cst;

#if defined(__HIP__)

template <thread_scope> struct crossport_scope;
template <> struct crossport_scope<thread_scope_system> {
  static constexpr int value = __HIP_MEMORY_SCOPE_SYSTEM;
};
template <> struct crossport_scope<thread_scope_device> {
  static constexpr int value = __HIP_MEMORY_SCOPE_AGENT;
};
template <> struct crossport_scope<thread_scope_block> {
  static constexpr int value = __HIP_MEMORY_SCOPE_WORKGROUP;
};
template <> struct crossport_scope<thread_scope_thread> {
  static constexpr int value = __HIP_MEMORY_SCOPE_SINGLETHREAD;
};

static constexpr memory_order crossport_strongest = ::std::memory_order_seq_cst;

// A failed exchange stores nothing, so that it has no release.
static constexpr int crossport_failing(memory_order order) {
  return order == ::std::memory_order_acq_rel   ? __ATOMIC_ACQUIRE
         : order == ::std::memory_order_release ? __ATOMIC_RELAXED
                                                : static_cast<int>(order);
}

// What atomic and atomic_ref can do with an address.
template <class T, thread_scope scope> class crossport_atomic {
 public:
  using value_type = T;

  __host__ __device__ T load(memory_order order = crossport_strongest) const {
    return __hip_atomic_load(address(), static_cast<int>(order), crossport_scope<scope>::value);
  }
  __host__ __device__ void store(T value, memory_order order = crossport_strongest) const {
    __hip_atomic_store(address(), value, static_cast<int>(order), crossport_scope<scope>::value);
  }
  __host__ __device__ T exchange(T value, memory_order order = crossport_strongest) const {
    return __hip_atomic_exchange(address(), value, static_cast<int>(order),
                                 crossport_scope<scope>::value);
  }
  __host__ __device__ bool compare_exchange_strong(
      T& expected, T wanted, memory_order order, memory_order failing) const {
    return __hip_atomic_compare_exchange_strong(address(), &expected, wanted,
                                                static_cast<int>(order), static_cast<int>(failing),
                                                crossport_scope<scope>::value);
  }
  __host__ __device__ bool compare_exchange_strong(
      T& expected, T wanted, memory_order order = crossport_strongest) const {
    return __hip_atomic_compare_exchange_strong(address(), &expected, wanted,
                                                static_cast<int>(order), crossport_failing(order),
                                                crossport_scope<scope>::value);
  }
  __host__ __device__ bool compare_exchange_weak(
      T& expected, T wanted, memory_order order, memory_order failing) const {
    return compare_exchange_strong(expected, wanted, order, failing);
  }
  __host__ __device__ bool compare_exchange_weak(
      T& expected, T wanted, memory_order order = crossport_strongest) const {
    return compare_exchange_strong(expected, wanted, order);
  }
#define CROSSPORT_FETCH(name, builtin)                                                      \
  __host__ __device__ T name(T value, memory_order order = crossport_strongest) const {     \
    return builtin(address(), value, static_cast<int>(order), crossport_scope<scope>::value); \
  }
  CROSSPORT_FETCH(fetch_add, __hip_atomic_fetch_add)
  CROSSPORT_FETCH(fetch_and, __hip_atomic_fetch_and)
  CROSSPORT_FETCH(fetch_or, __hip_atomic_fetch_or)
  CROSSPORT_FETCH(fetch_xor, __hip_atomic_fetch_xor)
  CROSSPORT_FETCH(fetch_min, __hip_atomic_fetch_min)
  CROSSPORT_FETCH(fetch_max, __hip_atomic_fetch_max)
#undef CROSSPORT_FETCH
  __host__ __device__ T fetch_sub(T value, memory_order order = crossport_strongest) const {
    return fetch_add(static_cast<T>(-value), order);
  }

  __host__ __device__ operator T() const { return load(); }
  __host__ __device__ T operator++() const { return fetch_add(1) + 1; }
  __host__ __device__ T operator++(int) const { return fetch_add(1); }
  __host__ __device__ T operator--() const { return fetch_sub(1) - 1; }
  __host__ __device__ T operator--(int) const { return fetch_sub(1); }
  __host__ __device__ T operator+=(T value) const { return fetch_add(value) + value; }
  __host__ __device__ T operator-=(T value) const { return fetch_sub(value) - value; }
  __host__ __device__ T operator&=(T value) const { return fetch_and(value) & value; }
  __host__ __device__ T operator|=(T value) const { return fetch_or(value) | value; }
  __host__ __device__ T operator^=(T value) const { return fetch_xor(value) ^ value; }

 protected:
  __host__ __device__ constexpr crossport_atomic(T* at) : at_(at) {}

 private:
  __host__ __device__ T* address() const { return at_; }
  T* at_;
};

template <class T, thread_scope scope = thread_scope_system>
class atomic_ref : public crossport_atomic<T, scope> {
 public:
  __host__ __device__ explicit atomic_ref(T& value) : crossport_atomic<T, scope>(&value) {}
  __host__ __device__ T operator=(T value) const {
    this->store(value);
    return value;
  }
};

// The value itself; what can be done with it is done through a reference to it.
template <class T, thread_scope scope = thread_scope_system> class atomic {
 public:
  using value_type = T;
  atomic() = default;
  __host__ __device__ constexpr atomic(T value) : value_(value) {}
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;
  __host__ __device__ T operator=(T value) {
    store(value);
    return value;
  }

#define CROSSPORT_FORWARD(name)                                       \
  template <class... A> __host__ __device__ auto name(A&&... a) {     \
    return self().name(static_cast<A&&>(a)...);                       \
  }
  CROSSPORT_FORWARD(store)
  CROSSPORT_FORWARD(exchange)
  CROSSPORT_FORWARD(compare_exchange_strong)
  CROSSPORT_FORWARD(compare_exchange_weak)
  CROSSPORT_FORWARD(fetch_add)
  CROSSPORT_FORWARD(fetch_sub)
  CROSSPORT_FORWARD(fetch_and)
  CROSSPORT_FORWARD(fetch_or)
  CROSSPORT_FORWARD(fetch_xor)
  CROSSPORT_FORWARD(fetch_min)
  CROSSPORT_FORWARD(fetch_max)
#undef CROSSPORT_FORWARD
  __host__ __device__ T load(memory_order order = crossport_strongest) const {
    return atomic_ref<T, scope>(const_cast<T&>(value_)).load(order);
  }
  __host__ __device__ operator T() const { return load(); }
  __host__ __device__ T operator++() { return ++self(); }
  __host__ __device__ T operator++(int) { return self()++; }
  __host__ __device__ T operator--() { return --self(); }
  __host__ __device__ T operator--(int) { return self()--; }
  __host__ __device__ T operator+=(T value) { return self() += value; }
  __host__ __device__ T operator-=(T value) { return self() -= value; }
  __host__ __device__ T operator&=(T value) { return self() &= value; }
  __host__ __device__ T operator|=(T value) { return self() |= value; }
  __host__ __device__ T operator^=(T value) { return self() ^= value; }

 private:
  __host__ __device__ atomic_ref<T, scope> self() { return atomic_ref<T, scope>(value_); }
  T value_;
};

namespace std {
template <class T> using atomic = ::cuda::atomic<T, thread_scope_system>;
template <class T> using atomic_ref = ::cuda::atomic_ref<T, thread_scope_system>;
}  // namespace std

static __device__ inline void atomic_thread_fence(
    memory_order order, thread_scope scope = thread_scope_system) {
  if (order == ::std::memory_order_relaxed || scope == thread_scope_thread) return;
  if (scope == thread_scope_block) __threadfence_block();
  else if (scope == thread_scope_device) __threadfence();
  else __threadfence_system();
}

// --- asynchronous copies, done at once ---

template <::std::size_t alignment> struct aligned_size_t {
  static constexpr ::std::size_t align = alignment;
  ::std::size_t value;
  __host__ __device__ explicit constexpr aligned_size_t(::std::size_t size) : value(size) {}
  __host__ __device__ constexpr operator ::std::size_t() const { return value; }
};

template <thread_scope> class pipeline;
template <> class pipeline<thread_scope_thread> {
 public:
  __device__ void producer_acquire() {}
  __device__ void producer_commit() {}
  __device__ void consumer_wait() {}
  __device__ void consumer_release() {}
};
static __device__ inline pipeline<thread_scope_thread> make_pipeline() { return {}; }
template <unsigned char stages>
static __device__ inline void pipeline_consumer_wait_prior(pipeline<thread_scope_thread>&) {}

// The copy of one thread; of a group, each member's share of 16 bytes at a time.
template <class To, class From, class Size>
static __device__ inline void memcpy_async(
    To* to, const From* from, Size size, pipeline<thread_scope_thread>&) {
  __builtin_memcpy(to, from, static_cast<::std::size_t>(size));
}
template <class Group, class To, class From, class Size>
static __device__ inline void memcpy_async(
    const Group& group, To* to, const From* from, Size size, pipeline<thread_scope_thread>&) {
  const ::std::size_t bytes = size;
  for (::std::size_t at = group.thread_rank() * 16; at < bytes; at += group.size() * 16) {
    const ::std::size_t count = bytes - at < 16 ? bytes - at : 16;
    __builtin_memcpy(reinterpret_cast<char*>(to) + at, reinterpret_cast<const char*>(from) + at,
                     count);
  }
}

#endif  // __HIP__

}  // namespace cuda

#endif  // CROSSPORT_CUDA_H
