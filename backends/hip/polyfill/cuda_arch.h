// The compute capability whose code the port takes: 7.0 in device code, none in host code.
#ifdef __HIP_DEVICE_COMPILE__
#define CROSSPORT_ARCH 700
#else
#define CROSSPORT_ARCH 0
#endif
