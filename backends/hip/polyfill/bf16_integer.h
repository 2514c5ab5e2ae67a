// Integers and bfloat16, by way of float: its 24 bits hold every bfloat16 exactly.
static __device__ inline int crossport_bfloat162int_rn(__hip_bfloat16 x) {
  return __float2int_rn(__bfloat162float(x));
}
static __device__ inline int crossport_bfloat162int_rz(__hip_bfloat16 x) {
  return __float2int_rz(__bfloat162float(x));
}
static __device__ inline unsigned crossport_bfloat162uint_rn(__hip_bfloat16 x) {
  return __float2uint_rn(__bfloat162float(x));
}
static __device__ inline unsigned crossport_bfloat162uint_rz(__hip_bfloat16 x) {
  return __float2uint_rz(__bfloat162float(x));
}
