// HIP's groups shuffle numbers only: any other value goes word by word.
template <typename T, typename Shuffle>
static __device__ inline T crossport_by_word(const T& value, Shuffle shuffle) {
  unsigned words[(sizeof(T) + 3) / 4] = {};
  __builtin_memcpy(words, &value, sizeof(T));
  for (unsigned& word : words) word = shuffle(word);
  T result = value;
  __builtin_memcpy(&result, words, sizeof(T));
  return result;
}
template <typename Group, typename T>
static __device__ inline T crossport_shfl(const Group& group, const T& value, unsigned rank) {
  return crossport_by_word(value, [&](unsigned word) { return group.shfl(word, rank); });
}
template <typename T = void>
struct crossport_plus { __device__ T operator()(T a, T b) const { return a + b; } };
template <typename T = void>
struct crossport_less { __device__ T operator()(T a, T b) const { return b < a ? b : a; } };
template <typename T = void>
struct crossport_greater { __device__ T operator()(T a, T b) const { return a < b ? b : a; } };
template <typename T = void>
struct crossport_bit_and { __device__ T operator()(T a, T b) const { return a & b; } };
template <typename T = void>
struct crossport_bit_or { __device__ T operator()(T a, T b) const { return a | b; } };
template <typename T = void>
struct crossport_bit_xor { __device__ T operator()(T a, T b) const { return a ^ b; } };
