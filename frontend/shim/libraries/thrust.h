// Thrust: vectors, iterators, algorithms, functors; algorithms take anything.
#pragma once
#include "../cuda/half.h"
#pragma clang force_cuda_host_device begin
namespace thrust {
using ::std::ptrdiff_t;
template <class T> struct device_reference {
    T* place;
    operator T() const { return *place; }
    device_reference& operator=(const T& v) { *const_cast<std::remove_const_t<T>*>(place) = v; return *this; }
    device_reference& operator+=(const T& v) { *const_cast<std::remove_const_t<T>*>(place) += v; return *this; }
};
template <class T> struct device_ptr {
    typedef T value_type;
    typedef ptrdiff_t difference_type;
    typedef device_reference<T> reference;
    typedef T* pointer;
    T* place;
    device_ptr() : place(nullptr) {}
    explicit device_ptr(T* p) : place(p) {}
    template <class U> device_ptr(const device_ptr<U>& other) : place(other.place) {}
    T* get() const { return place; }
    device_reference<T> operator*() const { return device_reference<T>{place}; }
    device_reference<T> operator[](ptrdiff_t i) const { return device_reference<T>{place + i}; }
    device_ptr operator+(ptrdiff_t n) const { return device_ptr(place + n); }
    device_ptr operator-(ptrdiff_t n) const { return device_ptr(place - n); }
    ptrdiff_t operator-(const device_ptr& other) const { return place - other.place; }
    device_ptr& operator++() { ++place; return *this; }
    device_ptr& operator+=(ptrdiff_t n) { place += n; return *this; }
    bool operator==(const device_ptr& other) const { return place == other.place; }
    bool operator!=(const device_ptr& other) const { return place != other.place; }
};
template <class T> device_ptr<T> device_pointer_cast(T*);
template <class T> device_ptr<T> device_pointer_cast(const device_ptr<T>&);
template <class T> T* raw_pointer_cast(T*);
template <class T> T* raw_pointer_cast(const device_ptr<T>&);
template <class T> T& raw_reference_cast(const device_reference<T>&);
template <class T> device_ptr<T> device_malloc(size_t);
template <class T> device_ptr<T> device_new(size_t);
template <class T> void device_free(device_ptr<T>);
#define SHIM_VECTOR(name, ref, iter)                                          \
    template <class T, class A = void> struct name {                          \
        typedef T value_type;                                                 \
        typedef iter iterator;                                                \
        typedef iter const_iterator;                                          \
        typedef iter pointer;                                                 \
        typedef ref reference;                                                \
        typedef size_t size_type;                                             \
        name();                                                               \
        explicit name(size_t);                                                \
        name(size_t, const T&);                                               \
        name(std::initializer_list<T>);                                       \
        template <class I, class = std::enable_if_t<!__is_arithmetic(I)>> name(I, I);  \
        template <class V> name(const V&);                                    \
        template <class V> name& operator=(const V&);                         \
        iter begin() const; iter end() const; iter cbegin() const; iter cend() const; \
        iter rbegin() const; iter rend() const; iter data() const;            \
        ref operator[](size_t) const; ref front() const; ref back() const;    \
        size_t size() const; size_t capacity() const; bool empty() const;     \
        void resize(size_t); void resize(size_t, const T&); void reserve(size_t); void clear(); \
        void shrink_to_fit(); void push_back(const T&); void pop_back();      \
        template <class... B> void assign(B&&...); template <class... B> iter insert(B&&...); \
        template <class... B> iter erase(B&&...); void swap(name&);           \
    };
SHIM_VECTOR(device_vector, device_reference<T>, device_ptr<T>)
SHIM_VECTOR(universal_vector, T&, T*)
SHIM_VECTOR(host_vector, T&, T*)
#undef SHIM_VECTOR
template <class V> struct __shim_iterator {
    typedef V value_type;
    typedef ptrdiff_t difference_type;
    typedef V reference;
    typedef V* pointer;
    template <class... A> __shim_iterator(A&&...);
    V operator*() const;
    V operator[](ptrdiff_t) const;
    __shim_iterator operator+(ptrdiff_t) const;
    __shim_iterator operator-(ptrdiff_t) const;
    ptrdiff_t operator-(const __shim_iterator&) const;
    __shim_iterator& operator++();
    __shim_iterator& operator+=(ptrdiff_t);
};
template <class V, class... X> using counting_iterator = __shim_iterator<V>;
template <class V, class... X> using constant_iterator = __shim_iterator<V>;
template <class F, class I, class... X> using transform_iterator = __shim_iterator<decltype(std::declval<F>()(*std::declval<I>()))>;
template <class I, class J> using permutation_iterator = __shim_iterator<decltype(*std::declval<I>())>;
template <class T> using zip_iterator = __shim_iterator<T>;
struct discard_iterator {};
template <class V> counting_iterator<V> make_counting_iterator(V);
template <class V> constant_iterator<V> make_constant_iterator(V);
template <class I, class F> transform_iterator<F, I> make_transform_iterator(I, F);
template <class I, class J> permutation_iterator<I, J> make_permutation_iterator(I, J);
template <class... I> zip_iterator<std::tuple<I...>> make_zip_iterator(I...);
template <class T> zip_iterator<T> make_zip_iterator(T);
template <class I> I make_reverse_iterator(I);
discard_iterator make_discard_iterator();
template <class I> struct iterator_traits : std::iterator_traits<I> {};
template <class I> using iterator_value_t = typename std::iterator_traits<I>::value_type;
template <class I> ptrdiff_t distance(I, I);

using ::std::get;
using ::std::make_pair;
using ::std::make_tuple;
using ::std::pair;
using ::std::swap;
using ::std::tie;
using ::std::tuple;
using ::std::tuple_element;
using ::std::tuple_size;
using ::std::bit_and;
using ::std::bit_or;
using ::std::bit_xor;
using ::std::divides;
using ::std::equal_to;
using ::std::greater;
using ::std::greater_equal;
using ::std::less;
using ::std::less_equal;
using ::std::logical_and;
using ::std::logical_not;
using ::std::logical_or;
using ::std::max;
using ::std::min;
using ::std::minus;
using ::std::modulus;
using ::std::multiplies;
using ::std::negate;
using ::std::not_equal_to;
using ::std::plus;
template <class T = void> struct maximum { T operator()(const T& a, const T& b) const { return a < b ? b : a; } };
template <> struct maximum<void> { template <class T> T operator()(const T& a, const T& b) const { return a < b ? b : a; } };
template <class T = void> struct minimum { T operator()(const T& a, const T& b) const { return b < a ? b : a; } };
template <> struct minimum<void> { template <class T> T operator()(const T& a, const T& b) const { return b < a ? b : a; } };
template <class T = void> struct square { T operator()(const T& a) const { return a * a; } };
template <class T = void> struct identity { const T& operator()(const T& a) const { return a; } };
template <class T, class U> struct project1st { const T& operator()(const T& a, const U&) const { return a; } };
template <class A = void, class R = void> struct unary_function { typedef A argument_type; typedef R result_type; };
template <class A = void, class B = void, class R = void> struct binary_function { typedef A first_argument_type; typedef B second_argument_type; typedef R result_type; };
namespace placeholders { struct __shim_placeholder {}; inline __shim_placeholder _1, _2, _3; template <class T> __shim_placeholder operator*(__shim_placeholder, T); template <class T> __shim_placeholder operator+(__shim_placeholder, T); template <class T> __shim_placeholder operator==(__shim_placeholder, T); template <class T> __shim_placeholder operator<(__shim_placeholder, T); }

#define SHIM_POLICY(name) struct name##_policy { constexpr name##_policy() {} template <class T> name##_policy on(T&&) const; template <class T> name##_policy operator()(T&&) const; };
SHIM_POLICY(device) SHIM_POLICY(host) SHIM_POLICY(seq)
#undef SHIM_POLICY
inline constexpr device_policy device;
inline constexpr host_policy host;
inline constexpr seq_policy seq;
namespace cuda { inline constexpr device_policy par, par_nosync; }
namespace omp { inline constexpr device_policy par; }
namespace system { namespace cuda { using ::thrust::cuda::par; } struct system_error : ::std::system_error {}; }
using system_error_ = system::system_error;

#define SHIM_FIRST(f) template <class A, class... B> auto f(A&&, B&&...) -> device_ptr<int>;
#define SHIM_VOID(f) template <class... A> void f(A&&...);
SHIM_VOID(sort) SHIM_VOID(stable_sort) SHIM_VOID(sort_by_key) SHIM_VOID(stable_sort_by_key) SHIM_VOID(fill)
SHIM_VOID(sequence) SHIM_VOID(generate) SHIM_VOID(for_each) SHIM_VOID(for_each_n) SHIM_VOID(reverse)
SHIM_VOID(replace) SHIM_VOID(replace_if) SHIM_VOID(tabulate) SHIM_VOID(shuffle) SHIM_VOID(uninitialized_fill)
template <class... A> __shim_iterator<int> transform(A&&...);
template <class I, class O> O copy(I, I, O);
template <class P, class I, class O> O copy(const P&, I, I, O);
template <class I, class N, class O> O copy_n(I, N, O);
template <class P, class I, class N, class O> O copy_n(const P&, I, N, O);
struct __shim_result { template <class T> operator T() const; template <class T> ptrdiff_t operator-(const T&) const; __shim_result operator*() const; __shim_result get() const; static __shim_result first, second; };
#define SHIM_RESULT(f) template <class... A> __shim_result f(A&&...);
SHIM_RESULT(copy_if) SHIM_RESULT(fill_n) SHIM_RESULT(unique) SHIM_RESULT(unique_by_key) SHIM_RESULT(unique_copy)
SHIM_RESULT(remove) SHIM_RESULT(remove_if) SHIM_RESULT(remove_copy_if) SHIM_RESULT(partition)
SHIM_RESULT(stable_partition) SHIM_RESULT(partition_copy) SHIM_RESULT(find) SHIM_RESULT(find_if)
SHIM_RESULT(max_element) SHIM_RESULT(min_element) SHIM_RESULT(minmax_element) SHIM_RESULT(lower_bound)
SHIM_RESULT(upper_bound) SHIM_RESULT(binary_search) SHIM_RESULT(inclusive_scan) SHIM_RESULT(exclusive_scan)
SHIM_RESULT(transform_inclusive_scan) SHIM_RESULT(transform_exclusive_scan) SHIM_RESULT(inclusive_scan_by_key)
SHIM_RESULT(exclusive_scan_by_key) SHIM_RESULT(reduce_by_key) SHIM_RESULT(reduce) SHIM_RESULT(transform_reduce)
SHIM_RESULT(inner_product) SHIM_RESULT(count) SHIM_RESULT(count_if) SHIM_RESULT(gather) SHIM_RESULT(gather_if)
SHIM_RESULT(scatter) SHIM_RESULT(scatter_if) SHIM_RESULT(merge) SHIM_RESULT(merge_by_key)
SHIM_RESULT(set_intersection) SHIM_RESULT(set_union) SHIM_RESULT(set_difference) SHIM_RESULT(transform_if)
SHIM_RESULT(adjacent_difference) SHIM_RESULT(mismatch) SHIM_RESULT(all_of) SHIM_RESULT(any_of)
SHIM_RESULT(none_of) SHIM_RESULT(is_sorted) SHIM_RESULT(equal) SHIM_RESULT(swap_ranges)
#undef SHIM_FIRST
#undef SHIM_VOID
#undef SHIM_RESULT

namespace random {
#define SHIM_ENGINE(name) struct name { typedef unsigned result_type; explicit name(unsigned long long = 0); unsigned operator()(); void discard(unsigned long long); void seed(unsigned); static constexpr unsigned min = 0, max = 0xffffffffu; };
SHIM_ENGINE(default_random_engine) SHIM_ENGINE(minstd_rand) SHIM_ENGINE(taus88) SHIM_ENGINE(ranlux24)
#undef SHIM_ENGINE
template <class T> struct uniform_real_distribution { uniform_real_distribution(T = 0, T = 1); template <class E> T operator()(E&); };
template <class T> struct uniform_int_distribution { uniform_int_distribution(T = 0, T = 0); template <class E> T operator()(E&); };
template <class T> struct normal_distribution { normal_distribution(T = 0, T = 1); template <class E> T operator()(E&); };
}
using namespace random;
template <class T> struct complex {
    typedef T value_type;
    T x, y;
    complex(const T& r = T(), const T& i = T()) : x(r), y(i) {}
    template <class U> complex(const complex<U>& z) : x(T(z.x)), y(T(z.y)) {}
    template <class U> complex(const std::complex<U>&);
    T real() const { return x; }
    T imag() const { return y; }
    void real(T r) { x = r; }
    void imag(T i) { y = i; }
    complex& operator=(const T& r) { x = r; y = T(); return *this; }
    template <class U> complex& operator+=(const U& z) { return *this = *this + complex(z); }
    template <class U> complex& operator-=(const U& z) { return *this = *this - complex(z); }
    template <class U> complex& operator*=(const U& z) { return *this = *this * complex(z); }
    template <class U> complex& operator/=(const U& z) { return *this = *this / complex(z); }
};
template <class T> complex<T> operator+(const complex<T>& a, const complex<T>& b) { return complex<T>(a.x + b.x, a.y + b.y); }
template <class T> complex<T> operator-(const complex<T>& a, const complex<T>& b) { return complex<T>(a.x - b.x, a.y - b.y); }
template <class T> complex<T> operator*(const complex<T>& a, const complex<T>& b) { return complex<T>(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }
// Scaled by the size of the divisor, against overflow.
template <class T> complex<T> operator/(const complex<T>& a, const complex<T>& b) {
    T one = T(1) / ((b.x < 0 ? -b.x : b.x) + (b.y < 0 ? -b.y : b.y));
    T ax = a.x * one, ay = a.y * one, bx = b.x * one, by = b.y * one;
    T size = T(1) / (bx * bx + by * by);
    return complex<T>((ax * bx + ay * by) * size, (ay * bx - ax * by) * size);
}
#define SHIM_ARITHMETIC(op)                                                                                                           \
    template <class T> complex<T> operator op(const complex<T>& a, const std::type_identity_t<T>& b) { return a op complex<T>(b); }    \
    template <class T> complex<T> operator op(const std::type_identity_t<T>& a, const complex<T>& b) { return complex<T>(a) op b; }
SHIM_ARITHMETIC(+) SHIM_ARITHMETIC(-) SHIM_ARITHMETIC(*) SHIM_ARITHMETIC(/)
#undef SHIM_ARITHMETIC
template <class T> complex<T> operator-(const complex<T>& z) { return complex<T>(-z.x, -z.y); }
template <class T> bool operator==(const complex<T>& a, const complex<T>& b) { return a.x == b.x && a.y == b.y; }
template <class T> T abs(const complex<T>& z) { return ::hypot(z.x, z.y); }
template <class T> T norm(const complex<T>& z) { return z.x * z.x + z.y * z.y; }
template <class T> T arg(const complex<T>& z) { return ::atan2(z.y, z.x); }
template <class T> complex<T> conj(const complex<T>& z) { return complex<T>(z.x, -z.y); }
template <class T> complex<T> polar(T r, T angle) { return complex<T>(r * ::cos(angle), r * ::sin(angle)); }
template <class T> complex<T> exp(const complex<T>& z) { return polar(T(::exp(z.x)), z.y); }
template <class T> complex<T> log(const complex<T>& z) { return complex<T>(::log(abs(z)), arg(z)); }
template <class T> complex<T> sqrt(const complex<T>& z) { return polar(T(::sqrt(abs(z))), arg(z) / T(2)); }
template <class T, class U> complex<T> pow(const complex<T>&, U);
template <class T, class... X> struct device_allocator {};
template <class T, class... X> struct device_malloc_allocator {};
namespace mr {}
namespace detail {}
}
#pragma clang force_cuda_host_device end
