// cooperative_groups::inclusive_scan and exclusive_scan of tiles and coalesced groups.
template <typename Group, typename T, typename Op = crossport_plus<T>>
static __device__ inline T crossport_inclusive_scan(const Group& group, T value, Op op = Op()) {
  const unsigned own = group.thread_rank();
  T result = crossport_shfl(group, value, 0);
  for (unsigned rank = 1; rank < group.size(); ++rank) {
    const T other = crossport_shfl(group, value, rank);
    if (rank <= own) result = op(result, other);
  }
  return result;
}
template <typename Group, typename T, typename Op = crossport_plus<T>>
static __device__ inline T crossport_exclusive_scan(const Group& group, T value, Op op = Op()) {
  const unsigned own = group.thread_rank();
  const T scanned = crossport_inclusive_scan(group, value, op);
  const T before = crossport_shfl(group, scanned, own == 0 ? 0 : own - 1);
  return own == 0 ? T() : before;
}
