// cooperative_groups::reduce over a tile: a butterfly, so that every thread has the result.
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
// HIP shuffles numbers only: any other value goes word by word.
template <typename Tile, typename T>
static __device__ inline T crossport_tile_xor(const Tile& tile, const T& value, unsigned lanes) {
  unsigned words[(sizeof(T) + 3) / 4] = {};
  __builtin_memcpy(words, &value, sizeof(T));
  for (unsigned& word : words) word = tile.shfl_xor(word, lanes);
  T result = value;
  __builtin_memcpy(&result, words, sizeof(T));
  return result;
}
template <unsigned Size, typename Parent, typename T, typename Op>
static __device__ inline T crossport_reduce(
    const cooperative_groups::thread_block_tile<Size, Parent>& tile, T value, Op op) {
  for (unsigned offset = Size / 2; offset > 0; offset /= 2) {
    value = op(value, crossport_tile_xor(tile, value, offset));
  }
  return value;
}
