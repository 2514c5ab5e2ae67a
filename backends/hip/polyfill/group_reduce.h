// cooperative_groups::reduce: a butterfly over a tile, one member after the other elsewhere.
template <unsigned Size, typename Parent, typename T, typename Op>
static __device__ inline T crossport_reduce(
    const cooperative_groups::thread_block_tile<Size, Parent>& tile, T value, Op op) {
  for (unsigned offset = Size / 2; offset > 0; offset /= 2) {
    value = op(value, crossport_by_word(value, [&](unsigned word) {
      return tile.shfl_xor(word, offset);
    }));
  }
  return value;
}
template <typename T, typename Op>
static __device__ inline T crossport_reduce(
    const cooperative_groups::coalesced_group& group, T value, Op op) {
  T result = crossport_shfl(group, value, 0);
  for (unsigned rank = 1; rank < group.size(); ++rank) {
    result = op(result, crossport_shfl(group, value, rank));
  }
  return result;
}
