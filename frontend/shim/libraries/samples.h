// What CUDA programs take from the samples' helper_cuda.h, helper_timer.h and their kin.
#pragma once
template <class T> void check(T, const char*, const char*, int);
#define checkCudaErrors(call) check((call), #call, __FILE__, __LINE__)
#define getLastCudaError(message) ((void)cudaGetLastError())
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
struct StopWatchInterface;
template <class... A> int findCudaDevice(A&&...);
template <class... A> int gpuGetMaxGflopsDeviceId(A&&...);
template <class... A> bool checkCmdLineFlag(A&&...);
template <class... A> int getCmdLineArgumentInt(A&&...);
template <class... A> float getCmdLineArgumentFloat(A&&...);
template <class... A> bool getCmdLineArgumentString(A&&...);
template <class... A> char* sdkFindFilePath(A&&...);
template <class... A> bool sdkCreateTimer(A&&...);
template <class... A> bool sdkStartTimer(A&&...);
template <class... A> bool sdkStopTimer(A&&...);
template <class... A> bool sdkResetTimer(A&&...);
template <class... A> bool sdkDeleteTimer(A&&...);
template <class... A> float sdkGetTimerValue(A&&...);
template <class... A> float sdkGetAverageTimerValue(A&&...);
template <class... A> bool sdkLoadPGM(A&&...);
template <class... A> bool sdkLoadPPM4(A&&...);
template <class... A> bool sdkSavePPM4(A&&...);
template <class... A> bool sdkSavePGM(A&&...);
template <class... A> bool compareData(A&&...);
