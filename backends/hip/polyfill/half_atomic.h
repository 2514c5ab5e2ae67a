// Atomic addition of halves and pairs of them, by comparing and swapping the word around them.
template <typename T, typename V>
static __device__ inline T crossport_half_atomic_add(T* address, V value) {
  static_assert(sizeof(T) == 2 || sizeof(T) == 4, "a half or a pair of halves");
  const auto place = reinterpret_cast<unsigned long long>(address);
  const unsigned shift = sizeof(T) == 2 && (place & 2) ? 16 : 0;
  const unsigned mask = sizeof(T) == 2 ? 0xffffu << shift : 0xffffffffu;
  unsigned* word = reinterpret_cast<unsigned*>(place & ~3ull);
  unsigned seen = *word;
  unsigned expected;
  T old;
  do {
    expected = seen;
    const unsigned bits = expected >> shift;
    __builtin_memcpy(&old, &bits, sizeof(T));
    const T sum = old + static_cast<T>(value);
    unsigned added = 0;
    __builtin_memcpy(&added, &sum, sizeof(T));
    seen = atomicCAS(word, expected, (expected & ~mask) | (added << shift));
  } while (seen != expected);
  return old;
}
