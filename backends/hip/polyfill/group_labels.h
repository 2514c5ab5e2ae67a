// cooperative_groups::labeled_partition: one label after the other is split off.
template <typename Group, typename Label>
static __device__ inline cooperative_groups::coalesced_group crossport_labeled_partition(
    const Group& group, Label label) {
  bool is_found = crossport_shfl(group, label, 0) == label;
  cooperative_groups::coalesced_group part = cooperative_groups::binary_partition(group, is_found);
  while (!is_found) {
    is_found = crossport_shfl(part, label, 0) == label;
    part = cooperative_groups::binary_partition(part, is_found);
  }
  return part;
}
