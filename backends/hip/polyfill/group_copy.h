// cooperative_groups::memcpy_async, done at once: nothing is left to wait for but the other threads.
template <typename Group>
static __device__ inline void crossport_memcpy_async(
    const Group& group, void* to, const void* from, size_t bytes) {
  char* const out = static_cast<char*>(to);
  const char* const in = static_cast<const char*>(from);
  const size_t places = reinterpret_cast<size_t>(out) | reinterpret_cast<size_t>(in) | bytes;
  const size_t step = places % 16 == 0 ? 16 : places % 4 == 0 ? 4 : 1;
  for (size_t at = group.thread_rank() * step; at < bytes; at += group.size() * step) {
    if (step == 16) {
      *reinterpret_cast<uint4*>(out + at) = *reinterpret_cast<const uint4*>(in + at);
    } else if (step == 4) {
      *reinterpret_cast<unsigned*>(out + at) = *reinterpret_cast<const unsigned*>(in + at);
    } else {
      out[at] = in[at];
    }
  }
}
// The form with counts of elements copies what both sides have.
template <typename Group, typename T>
static __device__ inline void crossport_memcpy_async(
    const Group& group, T* to, size_t room, const T* from, size_t count) {
  crossport_memcpy_async(group, static_cast<void*>(to), static_cast<const void*>(from),
                         (count < room ? count : room) * sizeof(T));
}
template <typename Group>
static __device__ inline void crossport_wait(const Group& group) { group.sync(); }
template <unsigned Stages, typename Group>
static __device__ inline void crossport_wait_prior(const Group& group) { group.sync(); }
