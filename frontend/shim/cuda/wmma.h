// Warp matrices: nvcuda::wmma.
#pragma once
#include "half.h"
#pragma clang force_cuda_host_device begin
namespace nvcuda {
namespace wmma {
struct matrix_a;
struct matrix_b;
struct accumulator;
struct row_major;
struct col_major;
enum layout_t { mem_row_major, mem_col_major };
namespace precision {
struct tf32;
}
namespace experimental {
namespace precision {
struct b1;
struct u4;
struct s4;
}
enum bmmaBitOp { bmmaBitOpXOR = 1, bmmaBitOpAND = 2 };
enum bmmaAccumulateOp { bmmaAccumulateOpPOPC = 1 };
}
template <class T> struct __shim_storage { typedef T type; };
template <> struct __shim_storage<precision::tf32> { typedef float type; };
template <class U, int M, int N, int K> struct __shim_count { static constexpr int value = M * N / 32; };
template <int M, int N, int K> struct __shim_count<matrix_a, M, N, K> { static constexpr int value = M * K / 16; };
template <int M, int N, int K> struct __shim_count<matrix_b, M, N, K> { static constexpr int value = K * N / 16; };
template <class U, int M, int N, int K, class T, class L = void> struct fragment {
    static constexpr int num_elements = __shim_count<U, M, N, K>::value;
    static constexpr int num_storage_elements = num_elements;
    typedef typename __shim_storage<T>::type element_type;
    typedef element_type storage_element_type;
    element_type x[num_elements];
};
template <class F, class T> void fill_fragment(F&, const T&);
template <class F, class T> void load_matrix_sync(F&, const T*, unsigned);
template <class F, class T> void load_matrix_sync(F&, const T*, unsigned, layout_t);
template <class T, class F> void store_matrix_sync(T*, const F&, unsigned, layout_t);
template <class D, class A, class B, class C> void mma_sync(D&, const A&, const B&, const C&, bool = false);
template <class D, class A, class B, class C, class... R> void bmma_sync(D&, const A&, const B&, const C&, R...);
float __float_to_tf32(float);
}
}
#pragma clang force_cuda_host_device end
