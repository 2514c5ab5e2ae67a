// A store whose cache hint AMD has no function for: the value stored is the same.
template <typename T, typename V>
static __device__ inline void crossport_store(T* address, V value) { *address = value; }
