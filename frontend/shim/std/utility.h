// <type_traits>, <utility>, <limits>, <tuple>, <functional>, <initializer_list>: real enough to
// instantiate device templates with.
#pragma once

namespace std {
using ::FILE;
using ::int16_t;
using ::int32_t;
using ::int64_t;
using ::int8_t;
using ::intptr_t;
using ::nullptr_t;
using ::ptrdiff_t;
using ::size_t;
using ::uint16_t;
using ::uint32_t;
using ::uint64_t;
using ::uint8_t;
using ::uintptr_t;
using ::intmax_t;
using ::uintmax_t;
using ::max_align_t;
using ::time_t;
using ::clock_t;
using ::va_list;
typedef unsigned char __byte_t;
enum class byte : unsigned char {};
#define SHIM_USING(f) using ::f;
SHIM_USING(printf) SHIM_USING(fprintf) SHIM_USING(sprintf) SHIM_USING(snprintf) SHIM_USING(sscanf)
SHIM_USING(fscanf) SHIM_USING(fopen) SHIM_USING(fclose) SHIM_USING(fread) SHIM_USING(fwrite)
SHIM_USING(fgets) SHIM_USING(fflush) SHIM_USING(feof) SHIM_USING(fseek) SHIM_USING(ftell)
SHIM_USING(fputs) SHIM_USING(puts) SHIM_USING(perror) SHIM_USING(remove) SHIM_USING(rewind)
SHIM_USING(vprintf) SHIM_USING(vsnprintf) SHIM_USING(vfprintf) SHIM_USING(getchar) SHIM_USING(putchar)
SHIM_USING(malloc) SHIM_USING(calloc) SHIM_USING(realloc) SHIM_USING(free) SHIM_USING(aligned_alloc)
SHIM_USING(exit) SHIM_USING(abort) SHIM_USING(atexit) SHIM_USING(getenv) SHIM_USING(system)
SHIM_USING(atoi) SHIM_USING(atol) SHIM_USING(atoll) SHIM_USING(atof) SHIM_USING(strtol)
SHIM_USING(strtoll) SHIM_USING(strtoul) SHIM_USING(strtoull) SHIM_USING(strtod) SHIM_USING(strtold) SHIM_USING(strtof)
SHIM_USING(rand) SHIM_USING(srand) SHIM_USING(qsort) SHIM_USING(memcpy) SHIM_USING(memmove)
SHIM_USING(memset) SHIM_USING(memcmp) SHIM_USING(memchr) SHIM_USING(strlen) SHIM_USING(strcmp)
SHIM_USING(strncmp) SHIM_USING(strcpy) SHIM_USING(strncpy) SHIM_USING(strcat) SHIM_USING(strtok)
SHIM_USING(strerror) SHIM_USING(strchr) SHIM_USING(strrchr) SHIM_USING(strstr) SHIM_USING(toupper)
SHIM_USING(tolower) SHIM_USING(isalpha) SHIM_USING(isdigit) SHIM_USING(isalnum) SHIM_USING(isspace)
SHIM_USING(isprint) SHIM_USING(isxdigit) SHIM_USING(time) SHIM_USING(difftime) SHIM_USING(mktime)
SHIM_USING(localtime) SHIM_USING(gmtime) SHIM_USING(strftime) SHIM_USING(ctime) SHIM_USING(signal)
SHIM_USING(tm) SHIM_USING(div)
#undef SHIM_USING

// --- Constants and conditions --------------------------------------------------------------------
template <class T, T v> struct integral_constant {
    static constexpr T value = v;
    typedef T value_type;
    typedef integral_constant type;
    constexpr operator T() const noexcept { return v; }
    constexpr T operator()() const noexcept { return v; }
};
template <bool B> using bool_constant = integral_constant<bool, B>;
typedef bool_constant<true> true_type;
typedef bool_constant<false> false_type;
template <bool B, class T = void> struct enable_if {};
template <class T> struct enable_if<true, T> { typedef T type; };
template <bool B, class T = void> using enable_if_t = typename enable_if<B, T>::type;
template <bool B, class T, class F> struct conditional { typedef T type; };
template <class T, class F> struct conditional<false, T, F> { typedef F type; };
template <bool B, class T, class F> using conditional_t = typename conditional<B, T, F>::type;
template <class...> using void_t = void;
template <class...> struct conjunction : true_type {};
template <class B> struct conjunction<B> : B {};
template <class B, class... R>
struct conjunction<B, R...> : conditional_t<bool(B::value), conjunction<R...>, B> {};
template <class...> struct disjunction : false_type {};
template <class B> struct disjunction<B> : B {};
template <class B, class... R>
struct disjunction<B, R...> : conditional_t<bool(B::value), B, disjunction<R...>> {};
template <class B> struct negation : bool_constant<!bool(B::value)> {};
template <class... B> inline constexpr bool conjunction_v = conjunction<B...>::value;
template <class... B> inline constexpr bool disjunction_v = disjunction<B...>::value;
template <class B> inline constexpr bool negation_v = negation<B>::value;

// --- Type transformations -----------------------------------------------------------------------
#define SHIM_TRANSFORM(name, pattern)                               \
    template <class T> struct name { typedef T type; };             \
    template <class T> struct name<pattern> { typedef T type; };
SHIM_TRANSFORM(remove_const, const T)
SHIM_TRANSFORM(remove_volatile, volatile T)
#undef SHIM_TRANSFORM
template <class T> struct remove_reference { typedef T type; };
template <class T> struct remove_reference<T&> { typedef T type; };
template <class T> struct remove_reference<T&&> { typedef T type; };
template <class T> struct remove_pointer { typedef T type; };
template <class T> struct remove_pointer<T*> { typedef T type; };
template <class T> struct remove_pointer<T* const> { typedef T type; };
template <class T> struct remove_extent { typedef T type; };
template <class T> struct remove_extent<T[]> { typedef T type; };
template <class T, size_t N> struct remove_extent<T[N]> { typedef T type; };
template <class T> struct remove_all_extents { typedef T type; };
template <class T, size_t N> struct remove_all_extents<T[N]> : remove_all_extents<T> {};
template <class T> struct remove_cv { typedef typename remove_const<typename remove_volatile<T>::type>::type type; };
template <class T> struct remove_cvref { typedef typename remove_cv<typename remove_reference<T>::type>::type type; };
template <class T> struct add_const { typedef const T type; };
template <class T> struct add_pointer { typedef typename remove_reference<T>::type* type; };
template <class T> struct add_lvalue_reference { typedef T& type; };
template <> struct add_lvalue_reference<void> { typedef void type; };
template <class T> struct add_rvalue_reference { typedef T&& type; };
template <class T> struct decay { typedef typename remove_cvref<T>::type type; };
template <class T, size_t N> struct decay<T (&)[N]> { typedef T* type; };
template <class T> struct type_identity { typedef T type; };
template <class T> struct make_unsigned { typedef __make_unsigned(T) type; };
template <class T> struct make_signed { typedef __make_signed(T) type; };
template <class T> struct underlying_type { typedef __underlying_type(T) type; };
#define SHIM_ALIAS(name) template <class T> using name##_t = typename name<T>::type;
SHIM_ALIAS(remove_const) SHIM_ALIAS(remove_volatile) SHIM_ALIAS(remove_reference)
SHIM_ALIAS(remove_pointer) SHIM_ALIAS(remove_extent) SHIM_ALIAS(remove_cv) SHIM_ALIAS(remove_cvref)
SHIM_ALIAS(add_const) SHIM_ALIAS(add_pointer) SHIM_ALIAS(decay) SHIM_ALIAS(make_unsigned)
SHIM_ALIAS(make_signed) SHIM_ALIAS(underlying_type) SHIM_ALIAS(type_identity)
SHIM_ALIAS(add_lvalue_reference) SHIM_ALIAS(add_rvalue_reference) SHIM_ALIAS(remove_all_extents)
#undef SHIM_ALIAS
template <class T> T&& declval() noexcept;
template <class A, class... B> struct common_type { typedef decay_t<decltype(A() + (B() + ... + 0))> type; };
template <class A> struct common_type<A> { typedef decay_t<A> type; };
template <class A> struct common_type<A, A> { typedef decay_t<A> type; };
template <class A, class B> struct common_type<A, B> { typedef decay_t<decltype(true ? declval<A>() : declval<B>())> type; };
template <class... A> using common_type_t = typename common_type<A...>::type;
template <class F, class... A> struct invoke_result { typedef decltype(declval<F>()(declval<A>()...)) type; };
template <class F, class... A> using invoke_result_t = typename invoke_result<F, A...>::type;
template <class F> struct result_of;
template <class F, class... A> struct result_of<F(A...)> : invoke_result<F, A...> {};
template <class F> using result_of_t = typename result_of<F>::type;
template <size_t S, size_t A = 8> struct aligned_storage { struct type { alignas(A) unsigned char data[S]; }; };
template <size_t S, size_t A = 8> using aligned_storage_t = typename aligned_storage<S, A>::type;

// --- Questions about types -----------------------------------------------------------------------
#define SHIM_TRAIT(name, expression)                                   \
    template <class T> struct name : bool_constant<expression> {};     \
    template <class T> inline constexpr bool name##_v = name<T>::value;
SHIM_TRAIT(is_integral, __is_integral(T))
SHIM_TRAIT(is_floating_point, __is_floating_point(T))
SHIM_TRAIT(is_arithmetic, __is_arithmetic(T))
SHIM_TRAIT(is_fundamental, __is_fundamental(T))
SHIM_TRAIT(is_scalar, __is_scalar(T))
SHIM_TRAIT(is_signed, __is_signed(T))
SHIM_TRAIT(is_unsigned, __is_unsigned(T))
SHIM_TRAIT(is_pointer, __is_pointer(T))
SHIM_TRAIT(is_array, __is_array(T))
SHIM_TRAIT(is_enum, __is_enum(T))
SHIM_TRAIT(is_union, __is_union(T))
SHIM_TRAIT(is_class, __is_class(T))
SHIM_TRAIT(is_function, __is_function(T))
SHIM_TRAIT(is_void, __is_void(T))
SHIM_TRAIT(is_const, __is_const(T))
SHIM_TRAIT(is_volatile, __is_volatile(T))
SHIM_TRAIT(is_empty, __is_empty(T))
SHIM_TRAIT(is_pod, __is_pod(T))
SHIM_TRAIT(is_trivial, __is_trivial(T))
SHIM_TRAIT(is_trivially_copyable, __is_trivially_copyable(T))
SHIM_TRAIT(is_standard_layout, __is_standard_layout(T))
SHIM_TRAIT(is_reference, __is_reference(T))
SHIM_TRAIT(is_lvalue_reference, __is_lvalue_reference(T))
SHIM_TRAIT(is_rvalue_reference, __is_rvalue_reference(T))
SHIM_TRAIT(is_polymorphic, __is_polymorphic(T))
SHIM_TRAIT(is_abstract, __is_abstract(T))
SHIM_TRAIT(is_final, __is_final(T))
SHIM_TRAIT(is_object, __is_object(T))
SHIM_TRAIT(is_trivially_destructible, __is_trivially_destructible(T))
SHIM_TRAIT(is_default_constructible, __is_constructible(T))
SHIM_TRAIT(is_nothrow_move_constructible, __is_nothrow_constructible(T, T&&))
SHIM_TRAIT(is_nothrow_copy_constructible, __is_nothrow_constructible(T, const T&))
SHIM_TRAIT(is_nothrow_default_constructible, __is_nothrow_constructible(T))
SHIM_TRAIT(is_nothrow_move_assignable, __is_nothrow_assignable(T&, T&&))
SHIM_TRAIT(is_nothrow_destructible, true)
SHIM_TRAIT(is_nothrow_swappable, true)
SHIM_TRAIT(is_swappable, true)
SHIM_TRAIT(is_destructible, true)
SHIM_TRAIT(is_copy_assignable, __is_assignable(T&, const T&))
SHIM_TRAIT(is_move_assignable, __is_assignable(T&, T&&))
SHIM_TRAIT(is_member_pointer, __is_member_pointer(T))
SHIM_TRAIT(is_copy_constructible, __is_constructible(T, const T&))
SHIM_TRAIT(is_move_constructible, __is_constructible(T, T&&))
SHIM_TRAIT(is_trivially_default_constructible, __is_trivially_constructible(T))
SHIM_TRAIT(is_trivially_copy_constructible, __is_trivially_constructible(T, const T&))
#undef SHIM_TRAIT
#define SHIM_TRAIT(name, expression)                                                \
    template <class T, class U> struct name : bool_constant<expression> {};         \
    template <class T, class U> inline constexpr bool name##_v = name<T, U>::value;
SHIM_TRAIT(is_same, __is_same(T, U))
SHIM_TRAIT(is_base_of, __is_base_of(T, U))
SHIM_TRAIT(is_convertible, __is_convertible_to(T, U))
SHIM_TRAIT(is_assignable, __is_assignable(T, U))
#undef SHIM_TRAIT
template <class T, class... A> struct is_constructible : bool_constant<__is_constructible(T, A...)> {};
template <class T, class... A> inline constexpr bool is_constructible_v = __is_constructible(T, A...);
template <class, class F, class... A> struct __shim_invocable : false_type {};
template <class F, class... A>
struct __shim_invocable<void_t<decltype(declval<F>()(declval<A>()...))>, F, A...> : true_type {};
template <class F, class... A> struct is_invocable : __shim_invocable<void, F, A...> {};
template <class F, class... A> inline constexpr bool is_invocable_v = is_invocable<F, A...>::value;
template <class T> struct alignment_of : integral_constant<size_t, alignof(T)> {};
template <class T> struct extent : integral_constant<size_t, 0> {};
template <class T, size_t N> struct extent<T[N]> : integral_constant<size_t, N> {};
template <class T> struct rank : integral_constant<size_t, 0> {};
template <class T, size_t N> struct rank<T[N]> : integral_constant<size_t, 1 + rank<T>::value> {};
constexpr bool is_constant_evaluated() { return false; }

// --- move, swap, pair, tuple ----------------------------------------------------------------------
template <class T> constexpr remove_reference_t<T>&& move(T&& t) noexcept { return static_cast<remove_reference_t<T>&&>(t); }
template <class T> constexpr T&& forward(remove_reference_t<T>& t) noexcept { return static_cast<T&&>(t); }
template <class T> constexpr T&& forward(remove_reference_t<T>&& t) noexcept { return static_cast<T&&>(t); }
template <class T> constexpr void swap(T& a, T& b) { T c = a; a = b; b = c; }
template <class T, size_t N> constexpr void swap(T (&a)[N], T (&b)[N]) { for (size_t i = 0; i < N; i++) swap(a[i], b[i]); }
template <class T, class U = T> constexpr T exchange(T& a, U&& b) { T old = a; a = b; return old; }
template <class T> constexpr const T& as_const(T& t) { return t; }
template <class T> constexpr T* addressof(T& t) { return &t; }
template <class T> constexpr const T& min(const T& a, const T& b) { return b < a ? b : a; }
template <class T> constexpr const T& max(const T& a, const T& b) { return a < b ? b : a; }
template <class T, class C> constexpr const T& min(const T& a, const T& b, C less) { return less(b, a) ? b : a; }
template <class T, class C> constexpr const T& max(const T& a, const T& b, C less) { return less(a, b) ? b : a; }
template <class T> constexpr const T& clamp(const T& v, const T& lo, const T& hi) { return v < lo ? lo : hi < v ? hi : v; }
template <class To, class From> To bit_cast(const From& from) noexcept;
template <class T> int popcount(T) noexcept;

template <class T> class initializer_list {
    const T* first_;
    size_t size_;

  public:
    typedef T value_type;
    constexpr initializer_list() : first_(nullptr), size_(0) {}
    constexpr size_t size() const { return size_; }
    constexpr const T* begin() const { return first_; }
    constexpr const T* end() const { return first_ + size_; }
};
template <class T> T min(initializer_list<T>);
template <class T> T max(initializer_list<T>);

template <class A, class B> struct pair {
    typedef A first_type;
    typedef B second_type;
    A first;
    B second;
    constexpr pair() : first(), second() {}
    template <class U, class V> constexpr pair(U&& a, V&& b) : first(a), second(b) {}
    template <class U, class V> constexpr pair(const pair<U, V>& p) : first(p.first), second(p.second) {}
};
template <class A, class B> pair(A, B) -> pair<A, B>;
template <class A, class B> constexpr pair<decay_t<A>, decay_t<B>> make_pair(A&& a, B&& b) { return {a, b}; }
#define SHIM_COMPARE(op) template <class A, class B> bool operator op(const pair<A, B>&, const pair<A, B>&);
SHIM_COMPARE(==) SHIM_COMPARE(!=) SHIM_COMPARE(<) SHIM_COMPARE(>) SHIM_COMPARE(<=) SHIM_COMPARE(>=)
#undef SHIM_COMPARE

template <class... T> struct tuple;
template <> struct tuple<> {};
template <class H, class... R> struct tuple<H, R...> {
    H head;
    tuple<R...> rest;
    constexpr tuple() : head(), rest() {}
    template <class U, class... V> constexpr tuple(U&& h, V&&... r) : head(h), rest(r...) {}
    template <class U> tuple& operator=(const U&);
};
template <class... T> tuple(T...) -> tuple<T...>;
template <size_t I, class T> struct tuple_element;
template <class H, class... R> struct tuple_element<0, tuple<H, R...>> { typedef H type; };
template <size_t I, class H, class... R> struct tuple_element<I, tuple<H, R...>> : tuple_element<I - 1, tuple<R...>> {};
template <class A, class B> struct tuple_element<0, pair<A, B>> { typedef A type; };
template <class A, class B> struct tuple_element<1, pair<A, B>> { typedef B type; };
template <size_t I, class T> using tuple_element_t = typename tuple_element<I, T>::type;
template <class T> struct tuple_size;
template <class... T> struct tuple_size<tuple<T...>> : integral_constant<size_t, sizeof...(T)> {};
template <class A, class B> struct tuple_size<pair<A, B>> : integral_constant<size_t, 2> {};
template <class T> inline constexpr size_t tuple_size_v = tuple_size<T>::value;
template <size_t I, class... T> constexpr tuple_element_t<I, tuple<T...>>& get(tuple<T...>& t) {
    if constexpr (I == 0) return t.head; else return get<I - 1>(t.rest);
}
template <size_t I, class... T> constexpr const tuple_element_t<I, tuple<T...>>& get(const tuple<T...>& t) {
    if constexpr (I == 0) return t.head; else return get<I - 1>(t.rest);
}
template <size_t I, class... T> constexpr tuple_element_t<I, tuple<T...>>&& get(tuple<T...>&& t);
template <size_t I, class A, class B> constexpr tuple_element_t<I, pair<A, B>>& get(pair<A, B>& p) {
    if constexpr (I == 0) return p.first; else return p.second;
}
template <size_t I, class A, class B> constexpr const tuple_element_t<I, pair<A, B>>& get(const pair<A, B>& p) {
    if constexpr (I == 0) return p.first; else return p.second;
}
template <class... T> constexpr tuple<decay_t<T>...> make_tuple(T&&... t) { return {t...}; }
template <class... T> constexpr tuple<T&...> tie(T&... t) { return {t...}; }
template <class... T> tuple<T&&...> forward_as_tuple(T&&...);
template <class F, class T> decltype(auto) apply(F&& f, T&& t);
inline constexpr struct __shim_ignore { template <class T> const __shim_ignore& operator=(T&&) const; } ignore;

template <class T, T... I> struct integer_sequence { static constexpr size_t size() { return sizeof...(I); } };
template <size_t... I> using index_sequence = integer_sequence<size_t, I...>;
template <class T, T N> using make_integer_sequence = __make_integer_seq<integer_sequence, T, N>;
template <size_t N> using make_index_sequence = make_integer_sequence<size_t, N>;
template <class... T> using index_sequence_for = make_index_sequence<sizeof...(T)>;
struct in_place_t {};
struct piecewise_construct_t {};
inline constexpr piecewise_construct_t piecewise_construct{};
struct nothrow_t {};
inline constexpr nothrow_t nothrow{};

// --- numeric_limits ------------------------------------------------------------------------------
enum float_round_style { round_to_nearest = 1 };
template <class T> struct numeric_limits {
    static constexpr bool is_specialized = __is_arithmetic(T);
    static constexpr bool is_integer = __is_integral(T);
    static constexpr bool is_signed = __is_arithmetic(T) && T(-1) < T(0);
    static constexpr bool is_exact = is_integer;
    static constexpr bool has_infinity = !is_integer;
    static constexpr bool has_quiet_NaN = !is_integer;
    static constexpr bool is_iec559 = !is_integer;
    static constexpr int digits =
        is_integer ? int(sizeof(T) * 8) - is_signed : sizeof(T) == 4 ? 24 : 53;
    static constexpr int digits10 = is_integer ? digits * 3 / 10 : sizeof(T) == 4 ? 6 : 15;
    static constexpr int max_digits10 = is_integer ? 0 : sizeof(T) == 4 ? 9 : 17;
    static constexpr int max_exponent = sizeof(T) == 4 ? 128 : 1024;
    static constexpr int min_exponent = sizeof(T) == 4 ? -125 : -1021;
    static constexpr T max() noexcept {
        if constexpr (!is_integer) return sizeof(T) == 4 ? T(__FLT_MAX__) : T(__DBL_MAX__);
        else if constexpr (!is_signed) return T(-1);
        else return T(~0ull >> (65 - sizeof(T) * 8));
    }
    static constexpr T lowest() noexcept {
        if constexpr (!is_integer) return -max();
        else return T(~max());
    }
    static constexpr T min() noexcept {
        if constexpr (!is_integer) return sizeof(T) == 4 ? T(__FLT_MIN__) : T(__DBL_MIN__);
        else return lowest();
    }
    static constexpr T epsilon() noexcept { return is_integer ? T(0) : sizeof(T) == 4 ? T(__FLT_EPSILON__) : T(__DBL_EPSILON__); }
    static constexpr T infinity() noexcept { return is_integer ? T(0) : T(__builtin_inff()); }
    static constexpr T quiet_NaN() noexcept { return is_integer ? T(0) : T(__builtin_nanf("")); }
    static constexpr T signaling_NaN() noexcept { return quiet_NaN(); }
    static constexpr T denorm_min() noexcept { return is_integer ? T(0) : sizeof(T) == 4 ? T(__FLT_DENORM_MIN__) : T(__DBL_DENORM_MIN__); }
};
template <class T> struct numeric_limits<const T> : numeric_limits<T> {};

// --- functional ----------------------------------------------------------------------------------
#define SHIM_BINARY(name, op)                                                                 \
    template <class T = void> struct name {                                                   \
        typedef T first_argument_type;                                                        \
        constexpr auto operator()(const T& a, const T& b) const { return a op b; }            \
    };                                                                                        \
    template <> struct name<void> {                                                           \
        template <class A, class B> constexpr auto operator()(A&& a, B&& b) const { return a op b; } \
    };
SHIM_BINARY(plus, +) SHIM_BINARY(minus, -) SHIM_BINARY(multiplies, *) SHIM_BINARY(divides, /)
SHIM_BINARY(modulus, %) SHIM_BINARY(less, <) SHIM_BINARY(greater, >) SHIM_BINARY(less_equal, <=)
SHIM_BINARY(greater_equal, >=) SHIM_BINARY(equal_to, ==) SHIM_BINARY(not_equal_to, !=)
SHIM_BINARY(logical_and, &&) SHIM_BINARY(logical_or, ||) SHIM_BINARY(bit_and, &)
SHIM_BINARY(bit_or, |) SHIM_BINARY(bit_xor, ^)
#undef SHIM_BINARY
template <class T = void> struct negate { constexpr T operator()(const T& a) const { return -a; } };
template <class T = void> struct logical_not { constexpr bool operator()(const T& a) const { return !a; } };
struct identity { template <class T> constexpr T&& operator()(T&& t) const { return static_cast<T&&>(t); } };
template <class T> struct hash { size_t operator()(const T&) const; };
template <class> class function;
template <class R, class... A> class function<R(A...)> {
  public:
    function();
    function(nullptr_t);
    template <class F> function(F);
    template <class F> function& operator=(F);
    R operator()(A...) const;
    explicit operator bool() const;
};
template <class T> struct reference_wrapper {
    T* pointer;
    operator T&() const;
    T& get() const;
};
template <class T> reference_wrapper<T> ref(T&);
template <class T> reference_wrapper<const T> cref(const T&);
struct __shim_bound { template <class... A> int operator()(A&&...) const; template <class T> operator T() const; };
template <class... A> __shim_bound bind(A&&...);
template <class F, class... A> decltype(auto) invoke(F&& f, A&&... a) { return f(static_cast<A&&>(a)...); }
template <class T> __shim_bound mem_fn(T);
namespace placeholders { inline constexpr int _1 = 1, _2 = 2, _3 = 3; }
}
