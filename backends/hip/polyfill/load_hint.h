// Loads whose cache hint AMD has no function for. A streaming load is a load.
template <typename T>
static __device__ inline T crossport_load(const T* address) {
  return *address;
}
// A load that other blocks' stores must reach goes past the cache of the compute unit.
template <typename T>
static __device__ inline T crossport_load_fresh(const T* address) {
  T result;
  if constexpr (sizeof(T) % 4 == 0) {
    unsigned words[sizeof(T) / 4];
    const volatile unsigned* from = reinterpret_cast<const volatile unsigned*>(address);
    for (unsigned i = 0; i < sizeof(T) / 4; ++i) words[i] = from[i];
    __builtin_memcpy(&result, words, sizeof(T));
  } else {
    unsigned char bytes[sizeof(T)];
    const volatile unsigned char* from = reinterpret_cast<const volatile unsigned char*>(address);
    for (unsigned i = 0; i < sizeof(T); ++i) bytes[i] = from[i];
    __builtin_memcpy(&result, bytes, sizeof(T));
  }
  return result;
}
