// cuBLAS takes a type of data for the type to compute in; hipBLAS has two enumerations.
static inline hipblasComputeType_t crossport_compute_type(hipblasComputeType_t type) {
  return type;
}
static inline hipblasComputeType_t crossport_compute_type(hipDataType type) {
  switch (type) {
    case HIP_R_16F: return HIPBLAS_COMPUTE_16F;
    case HIP_R_64F: case HIP_C_64F: return HIPBLAS_COMPUTE_64F;
    case HIP_R_32I: return HIPBLAS_COMPUTE_32I;
    default: return HIPBLAS_COMPUTE_32F;
  }
}
