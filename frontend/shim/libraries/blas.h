// cuBLAS, cuBLASLt, cuFFT, cuSPARSE, cuSOLVER, cuDNN, NCCL, NVTX, NVML: types, values, lenient calls.
#pragma once
#include "../cuda/half.h"

enum cudaDataType_t {
    CUDA_R_32F = 0, CUDA_R_64F = 1, CUDA_R_16F = 2, CUDA_R_8I = 3, CUDA_C_32F = 4, CUDA_C_64F = 5,
    CUDA_C_16F = 6, CUDA_R_8U = 8, CUDA_R_32I = 10, CUDA_R_16BF = 14, CUDA_R_4I = 16, CUDA_R_64I = 24,
    CUDA_R_8F_E4M3 = 28, CUDA_R_8F_E5M2 = 29
};
typedef cudaDataType_t cudaDataType;
typedef cudaDataType_t cublasDataType_t;
enum libraryPropertyType_t { MAJOR_VERSION, MINOR_VERSION, PATCH_LEVEL };
#define SHIM_CALL(result, prefix, f) template <class... A> result prefix##f(A&&...);

// --- cuBLAS --------------------------------------------------------------------------------------
typedef struct cublasContext* cublasHandle_t;
enum cublasStatus_t {
    CUBLAS_STATUS_SUCCESS = 0, CUBLAS_STATUS_NOT_INITIALIZED = 1, CUBLAS_STATUS_ALLOC_FAILED = 3,
    CUBLAS_STATUS_INVALID_VALUE = 7, CUBLAS_STATUS_ARCH_MISMATCH = 8, CUBLAS_STATUS_MAPPING_ERROR = 11,
    CUBLAS_STATUS_EXECUTION_FAILED = 13, CUBLAS_STATUS_INTERNAL_ERROR = 14,
    CUBLAS_STATUS_NOT_SUPPORTED = 15, CUBLAS_STATUS_LICENSE_ERROR = 16
};
typedef cublasStatus_t cublasStatus;
enum cublasOperation_t { CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C };
enum cublasFillMode_t { CUBLAS_FILL_MODE_LOWER, CUBLAS_FILL_MODE_UPPER, CUBLAS_FILL_MODE_FULL };
enum cublasDiagType_t { CUBLAS_DIAG_NON_UNIT, CUBLAS_DIAG_UNIT };
enum cublasSideMode_t { CUBLAS_SIDE_LEFT, CUBLAS_SIDE_RIGHT };
enum cublasPointerMode_t { CUBLAS_POINTER_MODE_HOST, CUBLAS_POINTER_MODE_DEVICE };
enum cublasAtomicsMode_t { CUBLAS_ATOMICS_NOT_ALLOWED, CUBLAS_ATOMICS_ALLOWED };
enum cublasMath_t {
    CUBLAS_DEFAULT_MATH, CUBLAS_TENSOR_OP_MATH, CUBLAS_PEDANTIC_MATH, CUBLAS_TF32_TENSOR_OP_MATH,
    CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION = 16
};
enum cublasComputeType_t {
    CUBLAS_COMPUTE_16F = 64, CUBLAS_COMPUTE_16F_PEDANTIC, CUBLAS_COMPUTE_32F = 68,
    CUBLAS_COMPUTE_32F_PEDANTIC, CUBLAS_COMPUTE_64F, CUBLAS_COMPUTE_64F_PEDANTIC, CUBLAS_COMPUTE_32I,
    CUBLAS_COMPUTE_32I_PEDANTIC, CUBLAS_COMPUTE_32F_FAST_16F, CUBLAS_COMPUTE_32F_FAST_16BF,
    CUBLAS_COMPUTE_32F_FAST_TF32 = 77
};
enum cublasGemmAlgo_t {
    CUBLAS_GEMM_DFALT = -1, CUBLAS_GEMM_DEFAULT = -1, CUBLAS_GEMM_ALGO0 = 0, CUBLAS_GEMM_ALGO1,
    CUBLAS_GEMM_ALGO2, CUBLAS_GEMM_ALGO23 = 23, CUBLAS_GEMM_DEFAULT_TENSOR_OP = 99,
    CUBLAS_GEMM_ALGO0_TENSOR_OP = 100, CUBLAS_GEMM_ALGO15_TENSOR_OP = 115
};
const char* cublasGetStatusString(cublasStatus_t);
const char* cublasGetStatusName(cublasStatus_t);
#define SHIM_BLAS(f) SHIM_CALL(cublasStatus_t, cublas, f)
#define SHIM_SDCZ(f) SHIM_BLAS(S##f) SHIM_BLAS(D##f) SHIM_BLAS(C##f) SHIM_BLAS(Z##f)
SHIM_BLAS(Create) SHIM_BLAS(Destroy) SHIM_BLAS(Init) SHIM_BLAS(Shutdown) SHIM_BLAS(GetVersion)
SHIM_BLAS(SetStream) SHIM_BLAS(GetStream) SHIM_BLAS(SetMathMode) SHIM_BLAS(GetMathMode)
SHIM_BLAS(SetPointerMode) SHIM_BLAS(GetPointerMode) SHIM_BLAS(SetAtomicsMode) SHIM_BLAS(SetWorkspace)
SHIM_BLAS(SetVector) SHIM_BLAS(GetVector) SHIM_BLAS(SetMatrix) SHIM_BLAS(GetMatrix)
SHIM_BLAS(SetVectorAsync) SHIM_BLAS(GetVectorAsync) SHIM_BLAS(SetMatrixAsync) SHIM_BLAS(GetMatrixAsync)
SHIM_BLAS(GemmEx) SHIM_BLAS(GemmBatchedEx) SHIM_BLAS(GemmStridedBatchedEx) SHIM_BLAS(SgemmEx)
SHIM_BLAS(DotEx) SHIM_BLAS(AxpyEx) SHIM_BLAS(ScalEx) SHIM_BLAS(Nrm2Ex) SHIM_BLAS(Hgemm)
SHIM_BLAS(HgemmBatched) SHIM_BLAS(HgemmStridedBatched) SHIM_BLAS(Isamax) SHIM_BLAS(Idamax)
SHIM_BLAS(Isamin) SHIM_BLAS(Idamin) SHIM_BLAS(Icamax) SHIM_BLAS(Scnrm2) SHIM_BLAS(Dznrm2)
SHIM_BLAS(Cdotu) SHIM_BLAS(Cdotc) SHIM_BLAS(Zdotu) SHIM_BLAS(Zdotc)
SHIM_SDCZ(gemm) SHIM_SDCZ(gemmBatched) SHIM_SDCZ(gemmStridedBatched) SHIM_SDCZ(gemv) SHIM_SDCZ(axpy)
SHIM_SDCZ(dot) SHIM_SDCZ(nrm2) SHIM_SDCZ(scal) SHIM_SDCZ(copy) SHIM_SDCZ(swap) SHIM_SDCZ(asum)
SHIM_SDCZ(geam) SHIM_SDCZ(trsm) SHIM_SDCZ(trmm) SHIM_SDCZ(symm) SHIM_SDCZ(syrk) SHIM_SDCZ(trsv)
SHIM_SDCZ(ger) SHIM_SDCZ(symv) SHIM_SDCZ(rot) SHIM_SDCZ(dgmm) SHIM_SDCZ(getrfBatched)
SHIM_SDCZ(getriBatched) SHIM_SDCZ(getrsBatched) SHIM_SDCZ(matinvBatched) SHIM_SDCZ(trsmBatched)
SHIM_SDCZ(gemvBatched) SHIM_SDCZ(gemvStridedBatched) SHIM_SDCZ(hemm) SHIM_SDCZ(herk)
#undef SHIM_SDCZ
#undef SHIM_BLAS

// --- cuBLASLt ------------------------------------------------------------------------------------
typedef struct cublasLtContext* cublasLtHandle_t;
typedef struct cublasLtMatmulDescOpaque_t* cublasLtMatmulDesc_t;
typedef struct cublasLtMatrixLayoutOpaque_t* cublasLtMatrixLayout_t;
typedef struct cublasLtMatmulPreferenceOpaque_t* cublasLtMatmulPreference_t;
typedef struct cublasLtMatrixTransformDescOpaque_t* cublasLtMatrixTransformDesc_t;
struct cublasLtMatmulAlgo_t { unsigned long data[8]; };
struct cublasLtMatmulHeuristicResult_t {
    cublasLtMatmulAlgo_t algo; size_t workspaceSize; cublasStatus_t state; float wavesCount; int reserved[4];
};
enum cublasLtEpilogue_t {
    CUBLASLT_EPILOGUE_DEFAULT = 1, CUBLASLT_EPILOGUE_RELU = 2, CUBLASLT_EPILOGUE_BIAS = 4,
    CUBLASLT_EPILOGUE_RELU_BIAS = 6, CUBLASLT_EPILOGUE_GELU = 32, CUBLASLT_EPILOGUE_GELU_BIAS = 36,
    CUBLASLT_EPILOGUE_GELU_AUX = 160, CUBLASLT_EPILOGUE_GELU_AUX_BIAS = 164,
    CUBLASLT_EPILOGUE_DGELU = 192, CUBLASLT_EPILOGUE_DGELU_BGRAD = 208, CUBLASLT_EPILOGUE_BGRADA = 256,
    CUBLASLT_EPILOGUE_BGRADB = 512
};
enum cublasLtMatmulDescAttributes_t {
    CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, CUBLASLT_MATMUL_DESC_SCALE_TYPE, CUBLASLT_MATMUL_DESC_POINTER_MODE,
    CUBLASLT_MATMUL_DESC_TRANSA, CUBLASLT_MATMUL_DESC_TRANSB, CUBLASLT_MATMUL_DESC_TRANSC,
    CUBLASLT_MATMUL_DESC_FILL_MODE, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_MATMUL_DESC_BIAS_POINTER,
    CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER = 11, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD,
    CUBLASLT_MATMUL_DESC_A_SCALE_POINTER = 17, CUBLASLT_MATMUL_DESC_B_SCALE_POINTER,
    CUBLASLT_MATMUL_DESC_C_SCALE_POINTER, CUBLASLT_MATMUL_DESC_D_SCALE_POINTER,
    CUBLASLT_MATMUL_DESC_AMAX_D_POINTER, CUBLASLT_MATMUL_DESC_FAST_ACCUM = 25,
    CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE
};
enum cublasLtMatmulPreferenceAttributes_t {
    CUBLASLT_MATMUL_PREF_SEARCH_MODE, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES
};
enum cublasLtMatrixLayoutAttribute_t {
    CUBLASLT_MATRIX_LAYOUT_TYPE, CUBLASLT_MATRIX_LAYOUT_ORDER, CUBLASLT_MATRIX_LAYOUT_ROWS,
    CUBLASLT_MATRIX_LAYOUT_COLS, CUBLASLT_MATRIX_LAYOUT_LD, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT,
    CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET
};
enum cublasLtOrder_t { CUBLASLT_ORDER_COL, CUBLASLT_ORDER_ROW, CUBLASLT_ORDER_COL32, CUBLASLT_ORDER_COL4_4R2_8C, CUBLASLT_ORDER_COL32_2R_4R4 };
#define SHIM_LT(f) SHIM_CALL(cublasStatus_t, cublasLt, f)
SHIM_LT(Create) SHIM_LT(Destroy) SHIM_LT(Matmul) SHIM_LT(MatmulAlgoGetHeuristic) SHIM_LT(MatmulDescCreate)
SHIM_LT(MatmulDescDestroy) SHIM_LT(MatmulDescInit) SHIM_LT(MatmulDescSetAttribute)
SHIM_LT(MatmulPreferenceCreate) SHIM_LT(MatmulPreferenceDestroy) SHIM_LT(MatmulPreferenceInit)
SHIM_LT(MatmulPreferenceSetAttribute) SHIM_LT(MatrixLayoutCreate) SHIM_LT(MatrixLayoutDestroy)
SHIM_LT(MatrixLayoutInit) SHIM_LT(MatrixLayoutSetAttribute) SHIM_LT(MatrixTransform)
SHIM_LT(MatrixTransformDescCreate) SHIM_LT(MatrixTransformDescDestroy) SHIM_LT(MatrixTransformDescSetAttribute)
#undef SHIM_LT

// --- cuComplex and cuFFT -------------------------------------------------------------------------
#pragma clang force_cuda_host_device begin
typedef float2 cuFloatComplex;
typedef double2 cuDoubleComplex;
typedef float2 cuComplex;
cuFloatComplex make_cuFloatComplex(float, float);
cuDoubleComplex make_cuDoubleComplex(double, double);
cuComplex make_cuComplex(float, float);
cuFloatComplex cuComplexDoubleToFloat(cuDoubleComplex);
cuDoubleComplex cuComplexFloatToDouble(cuFloatComplex);
#define SHIM_COMPLEX(C, R, s)                                                                      \
    C cuCadd##s(C, C); C cuCsub##s(C, C); C cuCmul##s(C, C); C cuCdiv##s(C, C); C cuConj##s(C);      \
    C cuCfma##s(C, C, C); R cuCabs##s(C); R cuCreal##s(C); R cuCimag##s(C);
SHIM_COMPLEX(cuDoubleComplex, double, ) SHIM_COMPLEX(cuFloatComplex, float, f)
#undef SHIM_COMPLEX
#pragma clang force_cuda_host_device end
typedef float cufftReal;
typedef double cufftDoubleReal;
typedef cuComplex cufftComplex;
typedef cuDoubleComplex cufftDoubleComplex;
typedef int cufftHandle;
enum cufftResult {
    CUFFT_SUCCESS, CUFFT_INVALID_PLAN, CUFFT_ALLOC_FAILED, CUFFT_INVALID_TYPE, CUFFT_INVALID_VALUE,
    CUFFT_INTERNAL_ERROR, CUFFT_EXEC_FAILED, CUFFT_SETUP_FAILED, CUFFT_INVALID_SIZE, CUFFT_UNALIGNED_DATA
};
typedef cufftResult cufftResult_t;
enum cufftType { CUFFT_R2C = 0x2a, CUFFT_C2R = 0x2c, CUFFT_C2C = 0x29, CUFFT_D2Z = 0x6a, CUFFT_Z2D = 0x6c, CUFFT_Z2Z = 0x69 };
#define CUFFT_FORWARD (-1)
#define CUFFT_INVERSE 1
#define SHIM_FFT(f) SHIM_CALL(cufftResult, cufft, f)
SHIM_FFT(Plan1d) SHIM_FFT(Plan2d) SHIM_FFT(Plan3d) SHIM_FFT(PlanMany) SHIM_FFT(MakePlan1d)
SHIM_FFT(MakePlanMany) SHIM_FFT(Create) SHIM_FFT(Destroy) SHIM_FFT(SetStream) SHIM_FFT(ExecC2C)
SHIM_FFT(ExecR2C) SHIM_FFT(ExecC2R) SHIM_FFT(ExecZ2Z) SHIM_FFT(ExecD2Z) SHIM_FFT(ExecZ2D)
SHIM_FFT(GetSize) SHIM_FFT(Estimate1d) SHIM_FFT(SetAutoAllocation) SHIM_FFT(SetWorkArea) SHIM_FFT(XtSetCallback)
#undef SHIM_FFT

// --- cuSPARSE and cuSOLVER -----------------------------------------------------------------------
typedef struct cusparseContext* cusparseHandle_t;
typedef struct cusparseMatDescr* cusparseMatDescr_t;
typedef struct cusparseSpMatDescr* cusparseSpMatDescr_t;
typedef struct cusparseDnMatDescr* cusparseDnMatDescr_t;
typedef struct cusparseDnVecDescr* cusparseDnVecDescr_t;
typedef struct cusparseSpVecDescr* cusparseSpVecDescr_t;
typedef const struct cusparseSpMatDescr* cusparseConstSpMatDescr_t;
typedef const struct cusparseDnMatDescr* cusparseConstDnMatDescr_t;
typedef const struct cusparseDnVecDescr* cusparseConstDnVecDescr_t;
typedef struct cusparseSpGEMMDescr* cusparseSpGEMMDescr_t;
typedef struct cusparseSpSVDescr* cusparseSpSVDescr_t;
typedef struct cusparseSpSMDescr* cusparseSpSMDescr_t;
typedef struct csrsv2Info* csrsv2Info_t;
typedef struct csrsm2Info* csrsm2Info_t;
typedef struct csrilu02Info* csrilu02Info_t;
typedef struct csric02Info* csric02Info_t;
typedef struct csrgemm2Info* csrgemm2Info_t;
typedef struct pruneInfo* pruneInfo_t;
enum cusparseStatus_t {
    CUSPARSE_STATUS_SUCCESS, CUSPARSE_STATUS_NOT_INITIALIZED, CUSPARSE_STATUS_ALLOC_FAILED,
    CUSPARSE_STATUS_INVALID_VALUE, CUSPARSE_STATUS_ARCH_MISMATCH, CUSPARSE_STATUS_MAPPING_ERROR,
    CUSPARSE_STATUS_EXECUTION_FAILED, CUSPARSE_STATUS_INTERNAL_ERROR,
    CUSPARSE_STATUS_MATRIX_TYPE_NOT_SUPPORTED, CUSPARSE_STATUS_ZERO_PIVOT, CUSPARSE_STATUS_NOT_SUPPORTED,
    CUSPARSE_STATUS_INSUFFICIENT_RESOURCES
};
enum cusparseOperation_t {
    CUSPARSE_OPERATION_NON_TRANSPOSE, CUSPARSE_OPERATION_TRANSPOSE, CUSPARSE_OPERATION_CONJUGATE_TRANSPOSE
};
enum cusparseIndexType_t { CUSPARSE_INDEX_16U = 1, CUSPARSE_INDEX_32I = 2, CUSPARSE_INDEX_64I = 3 };
enum cusparseIndexBase_t { CUSPARSE_INDEX_BASE_ZERO, CUSPARSE_INDEX_BASE_ONE };
enum cusparseOrder_t { CUSPARSE_ORDER_COL = 1, CUSPARSE_ORDER_ROW = 2 };
enum cusparseMatrixType_t {
    CUSPARSE_MATRIX_TYPE_GENERAL, CUSPARSE_MATRIX_TYPE_SYMMETRIC, CUSPARSE_MATRIX_TYPE_HERMITIAN,
    CUSPARSE_MATRIX_TYPE_TRIANGULAR
};
enum cusparseFillMode_t { CUSPARSE_FILL_MODE_LOWER, CUSPARSE_FILL_MODE_UPPER };
enum cusparseDiagType_t { CUSPARSE_DIAG_TYPE_NON_UNIT, CUSPARSE_DIAG_TYPE_UNIT };
enum cusparseSpMatAttribute_t { CUSPARSE_SPMAT_FILL_MODE, CUSPARSE_SPMAT_DIAG_TYPE };
enum cusparseSpMVAlg_t {
    CUSPARSE_SPMV_ALG_DEFAULT = 0, CUSPARSE_SPMV_COO_ALG1 = 1, CUSPARSE_SPMV_CSR_ALG1 = 2,
    CUSPARSE_SPMV_CSR_ALG2 = 3, CUSPARSE_SPMV_COO_ALG2 = 4, CUSPARSE_MV_ALG_DEFAULT = 0
};
enum cusparseSpMMAlg_t {
    CUSPARSE_SPMM_ALG_DEFAULT = 0, CUSPARSE_SPMM_COO_ALG1 = 1, CUSPARSE_SPMM_CSR_ALG1 = 4,
    CUSPARSE_SPMM_CSR_ALG2 = 6, CUSPARSE_SPMM_CSR_ALG3 = 12
};
enum cusparseSpGEMMAlg_t { CUSPARSE_SPGEMM_DEFAULT = 0, CUSPARSE_SPGEMM_ALG1, CUSPARSE_SPGEMM_ALG2, CUSPARSE_SPGEMM_ALG3 };
enum cusparseSDDMMAlg_t { CUSPARSE_SDDMM_ALG_DEFAULT };
enum cusparseSpSVAlg_t { CUSPARSE_SPSV_ALG_DEFAULT };
enum cusparseSpSMAlg_t { CUSPARSE_SPSM_ALG_DEFAULT };
enum cusparseSparseToDenseAlg_t { CUSPARSE_SPARSETODENSE_ALG_DEFAULT };
enum cusparseDenseToSparseAlg_t { CUSPARSE_DENSETOSPARSE_ALG_DEFAULT };
enum cusparseAction_t { CUSPARSE_ACTION_SYMBOLIC, CUSPARSE_ACTION_NUMERIC };
enum cusparseSolvePolicy_t { CUSPARSE_SOLVE_POLICY_NO_LEVEL, CUSPARSE_SOLVE_POLICY_USE_LEVEL };
enum cusparsePointerMode_t { CUSPARSE_POINTER_MODE_HOST, CUSPARSE_POINTER_MODE_DEVICE };
enum cusparseCsr2CscAlg_t { CUSPARSE_CSR2CSC_ALG_DEFAULT = 1, CUSPARSE_CSR2CSC_ALG1 = 1, CUSPARSE_CSR2CSC_ALG2 = 2 };
const char* cusparseGetErrorString(cusparseStatus_t);
const char* cusparseGetErrorName(cusparseStatus_t);
#define SHIM_SPARSE(f) SHIM_CALL(cusparseStatus_t, cusparse, f)
SHIM_SPARSE(Create) SHIM_SPARSE(Destroy) SHIM_SPARSE(SetStream) SHIM_SPARSE(SetPointerMode)
SHIM_SPARSE(CreateMatDescr) SHIM_SPARSE(DestroyMatDescr) SHIM_SPARSE(SetMatType) SHIM_SPARSE(SetMatIndexBase)
SHIM_SPARSE(SetMatFillMode) SHIM_SPARSE(SetMatDiagType) SHIM_SPARSE(CreateCsr) SHIM_SPARSE(CreateCsc)
SHIM_SPARSE(CreateCoo) SHIM_SPARSE(CreateConstCsr) SHIM_SPARSE(CreateBlockedEll) SHIM_SPARSE(CreateDnVec)
SHIM_SPARSE(CreateDnMat) SHIM_SPARSE(CreateSpVec) SHIM_SPARSE(DestroySpMat) SHIM_SPARSE(DestroyDnVec)
SHIM_SPARSE(DestroyDnMat) SHIM_SPARSE(DestroySpVec) SHIM_SPARSE(SpMV) SHIM_SPARSE(SpMV_bufferSize)
SHIM_SPARSE(SpMV_preprocess) SHIM_SPARSE(SpMM) SHIM_SPARSE(SpMM_bufferSize) SHIM_SPARSE(SpMM_preprocess)
SHIM_SPARSE(SpGEMM_createDescr) SHIM_SPARSE(SpGEMM_destroyDescr) SHIM_SPARSE(SpGEMM_workEstimation)
SHIM_SPARSE(SpGEMM_compute) SHIM_SPARSE(SpGEMM_copy) SHIM_SPARSE(SpGEMM_estimateMemory)
SHIM_SPARSE(SpSV_createDescr) SHIM_SPARSE(SpSV_destroyDescr) SHIM_SPARSE(SpSV_bufferSize)
SHIM_SPARSE(SpSV_analysis) SHIM_SPARSE(SpSV_solve) SHIM_SPARSE(SpSM_createDescr) SHIM_SPARSE(SpSM_destroyDescr)
SHIM_SPARSE(SpSM_bufferSize) SHIM_SPARSE(SpSM_analysis) SHIM_SPARSE(SpSM_solve) SHIM_SPARSE(SDDMM)
SHIM_SPARSE(SDDMM_bufferSize) SHIM_SPARSE(SDDMM_preprocess) SHIM_SPARSE(SparseToDense)
SHIM_SPARSE(SparseToDense_bufferSize) SHIM_SPARSE(DenseToSparse_bufferSize) SHIM_SPARSE(DenseToSparse_analysis)
SHIM_SPARSE(DenseToSparse_convert) SHIM_SPARSE(SpMatGetSize) SHIM_SPARSE(SpMatSetAttribute)
SHIM_SPARSE(CsrSetPointers) SHIM_SPARSE(Csr2cscEx2) SHIM_SPARSE(Csr2cscEx2_bufferSize)
SHIM_SPARSE(Axpby) SHIM_SPARSE(Gather) SHIM_SPARSE(Scatter) SHIM_SPARSE(Sgtsv2) SHIM_SPARSE(Dgtsv2)
SHIM_SPARSE(Sgtsv2StridedBatch) SHIM_SPARSE(Dgtsv2StridedBatch) SHIM_SPARSE(Xcoo2csr) SHIM_SPARSE(Xcsr2coo)
SHIM_SPARSE(Xcsrsort) SHIM_SPARSE(CreateIdentityPermutation)
#undef SHIM_SPARSE
typedef struct cusolverDnContext* cusolverDnHandle_t;
typedef struct cusolverSpContext* cusolverSpHandle_t;
typedef struct cusolverDnParams* cusolverDnParams_t;
typedef struct syevjInfo* syevjInfo_t;
typedef struct gesvdjInfo* gesvdjInfo_t;
enum cusolverStatus_t { CUSOLVER_STATUS_SUCCESS, CUSOLVER_STATUS_NOT_INITIALIZED, CUSOLVER_STATUS_ALLOC_FAILED, CUSOLVER_STATUS_INVALID_VALUE, CUSOLVER_STATUS_ARCH_MISMATCH, CUSOLVER_STATUS_EXECUTION_FAILED = 6, CUSOLVER_STATUS_INTERNAL_ERROR };
enum cusolverEigMode_t { CUSOLVER_EIG_MODE_NOVECTOR, CUSOLVER_EIG_MODE_VECTOR };
#define SHIM_SOLVER(f) SHIM_CALL(cusolverStatus_t, cusolver, f)
SHIM_SOLVER(DnCreate) SHIM_SOLVER(DnDestroy) SHIM_SOLVER(DnSetStream) SHIM_SOLVER(DnSgetrf) SHIM_SOLVER(DnDgetrf)
SHIM_SOLVER(DnSgetrs) SHIM_SOLVER(DnDgetrs) SHIM_SOLVER(DnSpotrf) SHIM_SOLVER(DnDpotrf) SHIM_SOLVER(DnSgesvd)
SHIM_SOLVER(DnDgesvd) SHIM_SOLVER(DnSsyevd) SHIM_SOLVER(DnDsyevd) SHIM_SOLVER(DnSgeqrf) SHIM_SOLVER(DnDgeqrf)
SHIM_SOLVER(SpCreate) SHIM_SOLVER(SpDestroy)
#undef SHIM_SOLVER

// --- cuRAND (host), cuDNN, NCCL, NVTX, NVML ------------------------------------------------------
typedef struct curandGenerator_st* curandGenerator_t;
enum curandStatus { CURAND_STATUS_SUCCESS = 0, CURAND_STATUS_NOT_INITIALIZED = 101, CURAND_STATUS_LAUNCH_FAILURE = 201 };
typedef curandStatus curandStatus_t;
enum curandRngType {
    CURAND_RNG_PSEUDO_DEFAULT = 100, CURAND_RNG_PSEUDO_XORWOW = 101, CURAND_RNG_PSEUDO_MRG32K3A = 121,
    CURAND_RNG_PSEUDO_MTGP32 = 141, CURAND_RNG_PSEUDO_MT19937 = 142, CURAND_RNG_PSEUDO_PHILOX4_32_10 = 161,
    CURAND_RNG_QUASI_DEFAULT = 200, CURAND_RNG_QUASI_SOBOL32 = 201, CURAND_RNG_QUASI_SCRAMBLED_SOBOL32 = 202
};
typedef curandRngType curandRngType_t;
enum curandOrdering { CURAND_ORDERING_PSEUDO_BEST = 100, CURAND_ORDERING_PSEUDO_DEFAULT = 101 };
typedef curandOrdering curandOrdering_t;
typedef unsigned int curandDirectionVectors32_t[32];
enum curandDirectionVectorSet { CURAND_DIRECTION_VECTORS_32_JOEKUO6 = 101 };
#define SHIM_RAND(f) SHIM_CALL(curandStatus_t, curand, f)
SHIM_RAND(CreateGenerator) SHIM_RAND(CreateGeneratorHost) SHIM_RAND(DestroyGenerator) SHIM_RAND(SetStream)
SHIM_RAND(SetPseudoRandomGeneratorSeed) SHIM_RAND(SetGeneratorOffset) SHIM_RAND(SetGeneratorOrdering)
SHIM_RAND(SetQuasiRandomGeneratorDimensions) SHIM_RAND(Generate) SHIM_RAND(GenerateLongLong)
SHIM_RAND(GenerateUniform) SHIM_RAND(GenerateUniformDouble) SHIM_RAND(GenerateNormal)
SHIM_RAND(GenerateNormalDouble) SHIM_RAND(GenerateLogNormal) SHIM_RAND(GeneratePoisson)
SHIM_RAND(GetDirectionVectors32) SHIM_RAND(GenerateSeeds)
#undef SHIM_RAND
#define SHIM_OPAQUE(name) typedef struct name##_shim* name;
SHIM_OPAQUE(cudnnHandle_t) SHIM_OPAQUE(cudnnTensorDescriptor_t) SHIM_OPAQUE(cudnnFilterDescriptor_t)
SHIM_OPAQUE(cudnnConvolutionDescriptor_t) SHIM_OPAQUE(cudnnPoolingDescriptor_t)
SHIM_OPAQUE(cudnnActivationDescriptor_t) SHIM_OPAQUE(cudnnDropoutDescriptor_t)
SHIM_OPAQUE(cudnnRNNDescriptor_t) SHIM_OPAQUE(cudnnReduceTensorDescriptor_t) SHIM_OPAQUE(ncclComm_t)
SHIM_OPAQUE(cudnnOpTensorDescriptor_t) SHIM_OPAQUE(cudnnLRNDescriptor_t)
#undef SHIM_OPAQUE
enum cudnnStatus_t { CUDNN_STATUS_SUCCESS, CUDNN_STATUS_NOT_INITIALIZED };
enum cudnnDataType_t { CUDNN_DATA_FLOAT, CUDNN_DATA_DOUBLE, CUDNN_DATA_HALF, CUDNN_DATA_INT8, CUDNN_DATA_INT32, CUDNN_DATA_BFLOAT16 = 9 };
enum cudnnTensorFormat_t { CUDNN_TENSOR_NCHW, CUDNN_TENSOR_NHWC };
enum cudnnConvolutionMode_t { CUDNN_CONVOLUTION, CUDNN_CROSS_CORRELATION };
enum cudnnActivationMode_t { CUDNN_ACTIVATION_SIGMOID, CUDNN_ACTIVATION_RELU, CUDNN_ACTIVATION_TANH };
enum cudnnPoolingMode_t { CUDNN_POOLING_MAX, CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING, CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING };
enum cudnnNanPropagation_t { CUDNN_NOT_PROPAGATE_NAN, CUDNN_PROPAGATE_NAN };
enum cudnnSoftmaxAlgorithm_t { CUDNN_SOFTMAX_FAST, CUDNN_SOFTMAX_ACCURATE, CUDNN_SOFTMAX_LOG };
enum cudnnSoftmaxMode_t { CUDNN_SOFTMAX_MODE_INSTANCE, CUDNN_SOFTMAX_MODE_CHANNEL };
enum cudnnBatchNormMode_t { CUDNN_BATCHNORM_PER_ACTIVATION, CUDNN_BATCHNORM_SPATIAL, CUDNN_BATCHNORM_SPATIAL_PERSISTENT };
const char* cudnnGetErrorString(cudnnStatus_t);
#define SHIM_DNN(f) SHIM_CALL(cudnnStatus_t, cudnn, f)
SHIM_DNN(Create) SHIM_DNN(Destroy) SHIM_DNN(SetStream) SHIM_DNN(CreateTensorDescriptor)
SHIM_DNN(SetTensor4dDescriptor) SHIM_DNN(DestroyTensorDescriptor) SHIM_DNN(CreateFilterDescriptor)
SHIM_DNN(SetFilter4dDescriptor) SHIM_DNN(CreateConvolutionDescriptor) SHIM_DNN(SetConvolution2dDescriptor)
SHIM_DNN(ConvolutionForward) SHIM_DNN(GetConvolutionForwardWorkspaceSize) SHIM_DNN(SoftmaxForward)
SHIM_DNN(PoolingForward) SHIM_DNN(ActivationForward) SHIM_DNN(AddTensor)
#undef SHIM_DNN
enum ncclResult_t { ncclSuccess, ncclUnhandledCudaError, ncclSystemError, ncclInternalError };
enum ncclDataType_t { ncclInt8, ncclChar = 0, ncclUint8, ncclInt32, ncclInt = 2, ncclUint32, ncclInt64, ncclUint64, ncclFloat16, ncclHalf = 6, ncclFloat32, ncclFloat = 7, ncclFloat64, ncclDouble = 8, ncclBfloat16 };
enum ncclRedOp_t { ncclSum, ncclProd, ncclMax, ncclMin, ncclAvg };
struct ncclUniqueId { char internal[128]; };
const char* ncclGetErrorString(ncclResult_t);
#define SHIM_NCCL(f) SHIM_CALL(ncclResult_t, nccl, f)
SHIM_NCCL(GetUniqueId) SHIM_NCCL(CommInitRank) SHIM_NCCL(CommInitAll) SHIM_NCCL(CommDestroy)
SHIM_NCCL(AllReduce) SHIM_NCCL(Broadcast) SHIM_NCCL(Bcast) SHIM_NCCL(Reduce) SHIM_NCCL(AllGather)
SHIM_NCCL(ReduceScatter) SHIM_NCCL(Send) SHIM_NCCL(Recv) SHIM_NCCL(GroupStart) SHIM_NCCL(GroupEnd)
#undef SHIM_NCCL
struct nvtxEventAttributes_t {
    unsigned short version, size; unsigned category; int colorType; unsigned color; int payloadType;
    union { unsigned long long ullValue; } payload; int messageType; union { const char* ascii; } message;
};
#define NVTX_VERSION 2
#define NVTX_EVENT_ATTRIB_STRUCT_SIZE 48
#define NVTX_COLOR_ARGB 1
#define NVTX_MESSAGE_TYPE_ASCII 1
#define SHIM_NVTX(f) template <class... A> int nvtx##f(A&&...);
SHIM_NVTX(RangePush) SHIM_NVTX(RangePushA) SHIM_NVTX(RangePushEx) SHIM_NVTX(RangePop) SHIM_NVTX(Mark)
SHIM_NVTX(MarkA) SHIM_NVTX(RangeStartA) SHIM_NVTX(RangeEnd) SHIM_NVTX(NameCudaStreamA) SHIM_NVTX(NameOsThreadA)
#undef SHIM_NVTX
typedef struct nvmlDevice_st* nvmlDevice_t;
enum nvmlReturn_t { NVML_SUCCESS, NVML_ERROR_UNINITIALIZED };
const char* nvmlErrorString(nvmlReturn_t);
#define SHIM_NVML(f) SHIM_CALL(nvmlReturn_t, nvml, f)
SHIM_NVML(Init) SHIM_NVML(Shutdown) SHIM_NVML(DeviceGetHandleByIndex) SHIM_NVML(DeviceGetPowerUsage)
SHIM_NVML(DeviceGetTotalEnergyConsumption) SHIM_NVML(DeviceGetTemperature) SHIM_NVML(DeviceGetClockInfo)
#undef SHIM_NVML
#undef SHIM_CALL
