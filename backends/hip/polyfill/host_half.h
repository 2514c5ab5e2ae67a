// CUDA computes with halves in host code too; HIP 6 has these operators for the device only.
#if HIP_VERSION_MAJOR < 7
static inline __half operator+(const __half& a, const __half& b) {
  return __float2half(__half2float(a) + __half2float(b));
}
static inline __half operator-(const __half& a, const __half& b) {
  return __float2half(__half2float(a) - __half2float(b));
}
static inline __half operator*(const __half& a, const __half& b) {
  return __float2half(__half2float(a) * __half2float(b));
}
static inline __half operator/(const __half& a, const __half& b) {
  return __float2half(__half2float(a) / __half2float(b));
}
static inline __half operator-(const __half& a) { return __float2half(-__half2float(a)); }
static inline __half& operator+=(__half& a, const __half& b) { return a = a + b; }
static inline __half& operator-=(__half& a, const __half& b) { return a = a - b; }
static inline __half& operator*=(__half& a, const __half& b) { return a = a * b; }
static inline __half& operator/=(__half& a, const __half& b) { return a = a / b; }
static inline bool operator==(const __half& a, const __half& b) {
  return __half2float(a) == __half2float(b);
}
static inline bool operator!=(const __half& a, const __half& b) {
  return __half2float(a) != __half2float(b);
}
static inline bool operator<(const __half& a, const __half& b) {
  return __half2float(a) < __half2float(b);
}
static inline bool operator>(const __half& a, const __half& b) {
  return __half2float(a) > __half2float(b);
}
static inline bool operator<=(const __half& a, const __half& b) {
  return __half2float(a) <= __half2float(b);
}
static inline bool operator>=(const __half& a, const __half& b) {
  return __half2float(a) >= __half2float(b);
}
#endif
