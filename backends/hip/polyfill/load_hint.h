// A load that must come from memory, not from a stale cache line.
template <typename T>
static __device__ inline T crossport_load_volatile(const T* address) {
  return *const_cast<const volatile T*>(address);
}
