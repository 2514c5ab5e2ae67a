// Math as CUDA programs see it: C names, C++ overloads, and CUDA's additions, in both spaces.
#pragma once

// --- One argument: double sin(double), float sinf(float), float sin(float); integers as double ----
#define SHIM_UNARY(X)                                                                          \
    X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(tanh) X(asinh) X(acosh)      \
    X(atanh) X(exp) X(exp2) X(exp10) X(expm1) X(log) X(log2) X(log10) X(log1p) X(logb) X(sqrt)  \
    X(cbrt) X(fabs) X(floor) X(ceil) X(round) X(trunc) X(rint) X(nearbyint) X(erf) X(erfc)      \
    X(tgamma) X(lgamma)                                                                        \
    X(rsqrt) X(rcbrt) X(erfinv) X(erfcinv) X(erfcx) X(sinpi) X(cospi) X(tanpi) X(normcdf)       \
    X(normcdfinv) X(cyl_bessel_i0) X(cyl_bessel_i1) X(j0) X(j1) X(y0) X(y1)
// --- Two arguments -----------------------------------------------------------------------------
#define SHIM_BINARY(X)                                                                         \
    X(pow) X(atan2) X(fmod) X(hypot) X(fmax) X(fmin) X(fdim) X(copysign) X(nextafter)           \
    X(remainder) X(rhypot) X(fdivide)

template <bool B, class T = void> struct __shim_if {};
template <class T> struct __shim_if<true, T> { typedef T type; };
template <class T> using __shim_integer = typename __shim_if<__is_integral(T), double>::type;
// What C++ computes a mix of arithmetic types in: float only when all are float.
template <class A, class B> struct __shim_promote { typedef double type; };
template <> struct __shim_promote<float, float> { typedef float type; };
template <class A, class B>
using __shim_mixed =
    typename __shim_if<(__is_arithmetic(A) && __is_arithmetic(B) && !__is_same(A, B)) ||
                           (__is_integral(A) && __is_integral(B)),
                       double>::type;

#define SHIM_DECLARE_UNARY(name)                        \
    extern "C" double name(double) noexcept;            \
    extern "C" float name##f(float) noexcept;           \
    float name(float);                                  \
    template <class T> __shim_integer<T> name(T);
#define SHIM_DECLARE_BINARY(name)                       \
    extern "C" double name(double, double) noexcept;    \
    extern "C" float name##f(float, float) noexcept;    \
    float name(float, float);                           \
    template <class A, class B> __shim_mixed<A, B> name(A, B);
SHIM_UNARY(SHIM_DECLARE_UNARY)
SHIM_BINARY(SHIM_DECLARE_BINARY)
#undef SHIM_DECLARE_UNARY
#undef SHIM_DECLARE_BINARY

extern "C" {
double fma(double, double, double) noexcept;
float fmaf(float, float, float) noexcept;
double ldexp(double, int);
float ldexpf(float, int);
double scalbn(double, int);
float scalbnf(float, int);
double scalbln(double, long);
float scalblnf(float, long);
double frexp(double, int*);
float frexpf(float, int*);
double modf(double, double*);
float modff(float, float*);
double remquo(double, double, int*);
float remquof(float, float, int*);
int ilogb(double);
int ilogbf(float);
long lrint(double);
long lrintf(float);
long lround(double);
long lroundf(float);
long long llrint(double);
long long llrintf(float);
long long llround(double);
long long llroundf(float);
double nan(const char*);
float nanf(const char*);
double jn(int, double);
float jnf(int, float);
double yn(int, double);
float ynf(int, float);
void sincos(double, double*, double*);
void sincosf(float, float*, float*);
void sincospi(double, double*, double*);
void sincospif(float, float*, float*);
double norm(int, const double*);
float normf(int, const float*);
double rnorm(int, const double*);
float rnormf(int, const float*);
double norm3d(double, double, double);
float norm3df(float, float, float);
double rnorm3d(double, double, double);
float rnorm3df(float, float, float);
double norm4d(double, double, double, double);
float norm4df(float, float, float, float);
double rnorm4d(double, double, double, double);
float rnorm4df(float, float, float, float);
float fdividef(float, float) noexcept;
float powif(float, int);
double powi(double, int);
long labs(long);
long long llabs(long long);
}
float fma(float, float, float);
float ldexp(float, int);
float scalbn(float, int);
float frexp(float, int*);
float modf(float, float*);
float remquo(float, float, int*);
int ilogb(float);
long lrint(float);
long lround(float);
long long llrint(float);
long long llround(float);
void sincos(float, float*, float*);
int abs(int);
long abs(long);
long long abs(long long);
float abs(float);
double abs(double);
#define SHIM_CLASSIFY(X) X(isnan) X(isinf) X(isfinite) X(isnormal) X(signbit)
#define SHIM_DECLARE_CLASSIFY(f)  \
    bool f(float);                \
    bool f(double);               \
    bool f(long double);          \
    template <class T> typename __shim_if<__is_integral(T), bool>::type f(T);
SHIM_CLASSIFY(SHIM_DECLARE_CLASSIFY)
#undef SHIM_DECLARE_CLASSIFY
int fpclassify(double);
bool isunordered(double, double);
bool isgreater(double, double);
bool isless(double, double);
extern "C" int __isnanf(float);
extern "C" int __isnan(double);
extern "C" int __isinff(float);
extern "C" int __isinf(double);
extern "C" int __finitef(float);
extern "C" int __finite(double);
extern "C" int finite(double);
extern "C" int finitef(float);
extern "C" int isnanf(float);
extern "C" int isinff(float);
extern "C" long double fabsl(long double);
extern "C" long double sqrtl(long double);
extern "C" long double powl(long double, long double);
extern "C" long double floorl(long double);
extern "C" long double logl(long double);
extern "C" long double expl(long double);
extern "C" long double cbrtl(long double);
extern "C" long double ceill(long double);
extern "C" long double fmaxl(long double, long double);

// --- min and max: CUDA has them at global scope for every pair of arithmetic types ---------------
#define SHIM_MINMAX(R, A, B) R min(A, B); R max(A, B);
SHIM_MINMAX(int, int, int)
SHIM_MINMAX(unsigned, unsigned, unsigned)
SHIM_MINMAX(unsigned, int, unsigned)
SHIM_MINMAX(unsigned, unsigned, int)
SHIM_MINMAX(long, long, long)
SHIM_MINMAX(unsigned long, unsigned long, unsigned long)
SHIM_MINMAX(unsigned long, long, unsigned long)
SHIM_MINMAX(unsigned long, unsigned long, long)
SHIM_MINMAX(long long, long long, long long)
SHIM_MINMAX(unsigned long long, unsigned long long, unsigned long long)
SHIM_MINMAX(unsigned long long, long long, unsigned long long)
SHIM_MINMAX(unsigned long long, unsigned long long, long long)
SHIM_MINMAX(float, float, float)
SHIM_MINMAX(double, double, double)
SHIM_MINMAX(double, float, double)
SHIM_MINMAX(double, double, float)
#undef SHIM_MINMAX
// Other mixes of arithmetic types (int with size_t) compute in the common type.
template <class A, class B> using __shim_common =
    typename __shim_if<__is_arithmetic(A) && __is_arithmetic(B) && !__is_same(A, B),
                       decltype(A() + B())>::type;
template <class A, class B> __shim_common<A, B> min(A, B);
template <class A, class B> __shim_common<A, B> max(A, B);
unsigned umin(unsigned, unsigned);
unsigned umax(unsigned, unsigned);
long long llmin(long long, long long);
long long llmax(long long, long long);
unsigned long long ullmin(unsigned long long, unsigned long long);
unsigned long long ullmax(unsigned long long, unsigned long long);

namespace std {
#define SHIM_USING(name) using ::name; using ::name##f;
SHIM_UNARY(SHIM_USING)
SHIM_BINARY(SHIM_USING)
#undef SHIM_USING
#define SHIM_USING(f) using ::f;
SHIM_CLASSIFY(SHIM_USING)
#undef SHIM_USING
using ::abs;
using ::labs;
using ::llabs;
using ::fma;
using ::fmaf;
using ::ldexp;
using ::ldexpf;
using ::scalbn;
using ::frexp;
using ::modf;
using ::modff;
using ::remquo;
using ::ilogb;
using ::lrint;
using ::lround;
using ::llrint;
using ::llround;
using ::nan;
using ::nanf;
using ::fpclassify;
template <class A, class B, class C> double lerp(A, B, C);
namespace numbers {
inline constexpr double pi = 3.14159265358979323846;
inline constexpr double e = 2.7182818284590452354;
inline constexpr double sqrt2 = 1.41421356237309504880;
template <class T> inline constexpr T pi_v = T(3.14159265358979323846);
}
}
#undef SHIM_UNARY
#undef SHIM_BINARY
#undef SHIM_CLASSIFY
