// MPI, as far as CUDA programs use it beside kernels.
#pragma once
typedef struct __shim_comm* MPI_Comm;
typedef int MPI_Datatype, MPI_Op, MPI_Info, MPI_Win, MPI_Aint;
typedef struct __shim_request* MPI_Request;
struct MPI_Status { int MPI_SOURCE, MPI_TAG, MPI_ERROR; };
#define MPI_COMM_WORLD ((MPI_Comm)0)
#define MPI_COMM_NULL ((MPI_Comm)0)
#define MPI_REQUEST_NULL ((MPI_Request)0)
#define MPI_STATUS_IGNORE ((MPI_Status*)0)
#define MPI_STATUSES_IGNORE ((MPI_Status*)0)
#define MPI_INFO_NULL 0
#define MPI_SUCCESS 0
#define MPI_IN_PLACE ((void*)1)
#define MPI_MAX_PROCESSOR_NAME 256
#define MPI_ANY_SOURCE (-1)
#define MPI_ANY_TAG (-1)
#define MPI_PROC_NULL (-2)
enum { MPI_CHAR, MPI_BYTE, MPI_INT, MPI_UNSIGNED, MPI_LONG, MPI_LONG_LONG, MPI_UNSIGNED_LONG, MPI_UNSIGNED_LONG_LONG, MPI_FLOAT, MPI_DOUBLE, MPI_INT64_T, MPI_UINT64_T, MPI_C_BOOL, MPI_COMM_TYPE_SHARED, MPI_THREAD_FUNNELED, MPI_THREAD_MULTIPLE };
enum { MPI_SUM, MPI_MAX, MPI_MIN, MPI_PROD, MPI_LAND, MPI_LOR, MPI_BOR };
double MPI_Wtime();
#define SHIM_MPI(f) template <class... A> int MPI_##f(A&&...);
SHIM_MPI(Init) SHIM_MPI(Init_thread) SHIM_MPI(Finalize) SHIM_MPI(Abort) SHIM_MPI(Comm_rank) SHIM_MPI(Comm_size)
SHIM_MPI(Comm_split) SHIM_MPI(Comm_split_type) SHIM_MPI(Comm_free) SHIM_MPI(Barrier) SHIM_MPI(Bcast) SHIM_MPI(Send)
SHIM_MPI(Recv) SHIM_MPI(Isend) SHIM_MPI(Irecv) SHIM_MPI(Sendrecv) SHIM_MPI(Wait) SHIM_MPI(Waitall)
SHIM_MPI(Waitany) SHIM_MPI(Test) SHIM_MPI(Reduce) SHIM_MPI(Allreduce) SHIM_MPI(Gather) SHIM_MPI(Gatherv)
SHIM_MPI(Allgather) SHIM_MPI(Allgatherv) SHIM_MPI(Scatter) SHIM_MPI(Scatterv) SHIM_MPI(Alltoall)
SHIM_MPI(Get_processor_name) SHIM_MPI(Request_free) SHIM_MPI(Error_string) SHIM_MPI(Type_contiguous) SHIM_MPI(Type_commit)
#undef SHIM_MPI
