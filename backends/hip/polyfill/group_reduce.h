// cooperative_groups::reduce over a tile: a butterfly, so that every thread has the result.
template <typename T>
struct crossport_plus { __device__ T operator()(T a, T b) const { return a + b; } };
template <typename T>
struct crossport_less { __device__ T operator()(T a, T b) const { return b < a ? b : a; } };
template <typename T>
struct crossport_greater { __device__ T operator()(T a, T b) const { return a < b ? b : a; } };
template <typename T>
struct crossport_bit_and { __device__ T operator()(T a, T b) const { return a & b; } };
template <typename T>
struct crossport_bit_or { __device__ T operator()(T a, T b) const { return a | b; } };
template <typename T>
struct crossport_bit_xor { __device__ T operator()(T a, T b) const { return a ^ b; } };
template <unsigned Size, typename Parent, typename T, typename Op>
static __device__ inline T crossport_reduce(
    const cooperative_groups::thread_block_tile<Size, Parent>& tile, T value, Op op) {
  for (unsigned offset = Size / 2; offset > 0; offset /= 2) {
    value = op(value, tile.shfl_xor(value, offset));
  }
  return value;
}
