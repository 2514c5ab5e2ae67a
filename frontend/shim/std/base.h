// C without the C library: types, limits, and the functions that CUDA programs call.
#pragma once

typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef decltype(nullptr) nullptr_t;
typedef long ssize_t;
typedef long off_t;
typedef long time_t;
typedef long clock_t;
typedef int pid_t;
typedef unsigned mode_t;
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long uint64_t;
typedef long intptr_t;
typedef unsigned long uintptr_t;
typedef long intmax_t;
typedef unsigned long uintmax_t;
typedef int8_t int_least8_t, int_fast8_t;
typedef uint8_t uint_least8_t, uint_fast8_t;
typedef int16_t int_least16_t;
typedef uint16_t uint_least16_t;
typedef int32_t int_least32_t;
typedef uint32_t uint_least32_t;
typedef int64_t int_least64_t, int_fast16_t, int_fast32_t, int_fast64_t;
typedef uint64_t uint_least64_t, uint_fast16_t, uint_fast32_t, uint_fast64_t;
typedef unsigned char u_char;
typedef unsigned short ushort, u_int16_t, u_short;
typedef unsigned int uint, u_int, u_int32_t;
typedef unsigned long ulong, u_int64_t, u_long;
typedef unsigned char u_int8_t;
typedef struct { long double a; } max_align_t;
typedef struct __shim_file FILE;
typedef __builtin_va_list va_list;

#define NULL __null
#define offsetof(type, member) __builtin_offsetof(type, member)
#define va_start(list, last) __builtin_va_start(list, last)
#define va_end(list) __builtin_va_end(list)
#define va_arg(list, type) __builtin_va_arg(list, type)
#define va_copy(to, from) __builtin_va_copy(to, from)

#define CHAR_BIT 8
#define SCHAR_MAX 127
#define SCHAR_MIN (-128)
#define CHAR_MAX 127
#define CHAR_MIN (-128)
#define UCHAR_MAX 255
#define SHRT_MAX 32767
#define SHRT_MIN (-32768)
#define USHRT_MAX 65535
#define INT_MAX __INT_MAX__
#define INT_MIN (-__INT_MAX__ - 1)
#define UINT_MAX (__INT_MAX__ * 2U + 1U)
#define LONG_MAX __LONG_MAX__
#define LONG_MIN (-__LONG_MAX__ - 1L)
#define ULONG_MAX (__LONG_MAX__ * 2UL + 1UL)
#define LLONG_MAX __LONG_LONG_MAX__
#define LLONG_MIN (-__LONG_LONG_MAX__ - 1LL)
#define ULLONG_MAX (__LONG_LONG_MAX__ * 2ULL + 1ULL)
#define INT8_MAX 127
#define INT8_MIN (-128)
#define UINT8_MAX 255
#define INT16_MAX 32767
#define INT16_MIN (-32768)
#define UINT16_MAX 65535
#define INT32_MAX 2147483647
#define INT32_MIN (-2147483647 - 1)
#define UINT32_MAX 4294967295U
#define INT64_MAX 9223372036854775807L
#define INT64_MIN (-9223372036854775807L - 1)
#define UINT64_MAX 18446744073709551615UL
#define INT64_C(x) x##L
#define UINT64_C(x) x##UL
#define INT32_C(x) x
#define UINT32_C(x) x##U
#define INTPTR_MAX INT64_MAX
#define UINTPTR_MAX UINT64_MAX
#define SIZE_MAX UINT64_MAX
#define PTRDIFF_MAX INT64_MAX
#define RAND_MAX 2147483647
#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define PATH_MAX 4096
#define NAME_MAX 255
#define BUFSIZ 8192
#define EOF (-1)
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

#define FLT_RADIX 2
#define FLT_MAX __FLT_MAX__
#define FLT_MIN __FLT_MIN__
#define FLT_EPSILON __FLT_EPSILON__
#define FLT_MANT_DIG __FLT_MANT_DIG__
#define FLT_DIG __FLT_DIG__
#define FLT_MAX_EXP __FLT_MAX_EXP__
#define FLT_MIN_EXP __FLT_MIN_EXP__
#define FLT_MAX_10_EXP __FLT_MAX_10_EXP__
#define FLT_MIN_10_EXP __FLT_MIN_10_EXP__
#define FLT_TRUE_MIN __FLT_DENORM_MIN__
#define DBL_MAX __DBL_MAX__
#define DBL_MIN __DBL_MIN__
#define DBL_EPSILON __DBL_EPSILON__
#define DBL_MANT_DIG __DBL_MANT_DIG__
#define DBL_DIG __DBL_DIG__
#define DBL_MAX_EXP __DBL_MAX_EXP__
#define DBL_MIN_EXP __DBL_MIN_EXP__
#define DBL_MAX_10_EXP __DBL_MAX_10_EXP__
#define DBL_MIN_10_EXP __DBL_MIN_10_EXP__
#define LDBL_MAX __LDBL_MAX__
#define LDBL_MIN __LDBL_MIN__
#define LDBL_EPSILON __LDBL_EPSILON__
#define MAXFLOAT __FLT_MAX__

#define HUGE_VAL (__builtin_huge_val())
#define HUGE_VALF (__builtin_huge_valf())
#define INFINITY (__builtin_inff())
#define NAN (__builtin_nanf(""))
#define M_E 2.7182818284590452354
#define M_LOG2E 1.4426950408889634074
#define M_LOG10E 0.43429448190325182765
#define M_LN2 0.69314718055994530942
#define M_LN10 2.30258509299404568402
#define M_PI 3.14159265358979323846
#define M_PI_2 1.57079632679489661923
#define M_PI_4 0.78539816339744830962
#define M_1_PI 0.31830988618379067154
#define M_2_PI 0.63661977236758134308
#define M_2_SQRTPI 1.12837916709551257390
#define M_SQRT2 1.41421356237309504880
#define M_SQRT1_2 0.70710678118654752440
#define FP_NAN 0
#define FP_INFINITE 1
#define FP_ZERO 2
#define FP_SUBNORMAL 3
#define FP_NORMAL 4
#define EDOM 33
#define ERANGE 34
#define ENOENT 2
#define ENOMEM 12
#define EINVAL 22
#define EEXIST 17
#define EINTR 4
#define EAGAIN 11

#define PRId8 "d"
#define PRId16 "d"
#define PRId32 "d"
#define PRId64 "ld"
#define PRIi32 "i"
#define PRIi64 "li"
#define PRIu8 "u"
#define PRIu16 "u"
#define PRIu32 "u"
#define PRIu64 "lu"
#define PRIx8 "x"
#define PRIx16 "x"
#define PRIx32 "x"
#define PRIx64 "lx"
#define PRIX32 "X"
#define PRIX64 "lX"
#define PRIuPTR "lu"
#define PRIxPTR "lx"
#define SCNd32 "d"
#define SCNd64 "ld"
#define SCNu32 "u"
#define SCNu64 "lu"

extern FILE* stdin;
extern FILE* stdout;
extern FILE* stderr;
extern int errno;
extern char* optarg;
extern int optind, opterr, optopt;
#define errno errno

struct timeval { time_t tv_sec; long tv_usec; };
struct timespec { time_t tv_sec; long tv_nsec; };
struct timezone { int tz_minuteswest, tz_dsttime; };
struct tm { int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst; };
struct rusage { struct timeval ru_utime, ru_stime; long ru_maxrss; };
struct tms { clock_t tms_utime, tms_stime, tms_cutime, tms_cstime; };
struct timeb { time_t time; unsigned short millitm; short timezone, dstflag; };
struct stat { mode_t st_mode; off_t st_size; time_t st_mtime; };
struct option { const char* name; int has_arg; int* flag; int val; };
struct dirent { char d_name[256]; };
typedef struct __shim_dir DIR;
typedef struct { int quot, rem; } div_t;
typedef struct { long quot, rem; } ldiv_t;
typedef unsigned long pthread_t;
typedef struct { int a; } pthread_mutex_t, pthread_attr_t, pthread_barrier_t, pthread_cond_t;
typedef int clockid_t;
typedef void (*sighandler_t)(int);
#define CLOCKS_PER_SEC 1000000L
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_PROCESS_CPUTIME_ID 2
#define RUSAGE_SELF 0
#define no_argument 0
#define required_argument 1
#define optional_argument 2
#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define O_CREAT 64
#define O_TRUNC 512
#define F_OK 0
#define R_OK 4
#define _SC_NPROCESSORS_ONLN 84
#define _SC_PAGESIZE 30
#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
#define SIGINT 2
#define SIGSEGV 11
#define SIGTERM 15
#define PTHREAD_MUTEX_INITIALIZER {0}

extern "C" {
int printf(const char*, ...);
int fprintf(FILE*, const char*, ...);
int sprintf(char*, const char*, ...);
int snprintf(char*, size_t, const char*, ...);
int vprintf(const char*, va_list);
int vfprintf(FILE*, const char*, va_list);
int vsprintf(char*, const char*, va_list);
int vsnprintf(char*, size_t, const char*, va_list);
int scanf(const char*, ...);
int fscanf(FILE*, const char*, ...);
int sscanf(const char*, const char*, ...);
FILE* fopen(const char*, const char*);
FILE* freopen(const char*, const char*, FILE*);
FILE* fdopen(int, const char*);
FILE* popen(const char*, const char*);
FILE* tmpfile();
int pclose(FILE*);
int fclose(FILE*);
int fflush(FILE*);
size_t fread(void*, size_t, size_t, FILE*);
size_t fwrite(const void*, size_t, size_t, FILE*);
char* fgets(char*, int, FILE*);
int fgetc(FILE*);
int fputc(int, FILE*);
int fputs(const char*, FILE*);
int getc(FILE*);
int getchar();
int putc(int, FILE*);
int putchar(int);
int puts(const char*);
int ungetc(int, FILE*);
int fseek(FILE*, long, int);
long ftell(FILE*);
int fseeko(FILE*, off_t, int);
off_t ftello(FILE*);
void rewind(FILE*);
int feof(FILE*);
int ferror(FILE*);
int fileno(FILE*);
int setvbuf(FILE*, char*, int, size_t);
void setbuf(FILE*, char*);
void perror(const char*);
int remove(const char*);
int rename(const char*, const char*);
ssize_t getline(char**, size_t*, FILE*);
void* malloc(size_t);
void* calloc(size_t, size_t);
void* realloc(void*, size_t);
void free(void*);
void* aligned_alloc(size_t, size_t);
void* memalign(size_t, size_t);
int posix_memalign(void**, size_t, size_t);
void* valloc(size_t);
void exit(int) __attribute__((noreturn));
void _exit(int) __attribute__((noreturn));
void abort() __attribute__((noreturn));
int atexit(void (*)());
int system(const char*);
char* getenv(const char*);
int setenv(const char*, const char*, int);
int unsetenv(const char*);
int atoi(const char*);
long atol(const char*);
long long atoll(const char*);
double atof(const char*);
long strtol(const char*, char**, int);
long long strtoll(const char*, char**, int);
unsigned long strtoul(const char*, char**, int);
unsigned long long strtoull(const char*, char**, int);
double strtod(const char*, char**);
float strtof(const char*, char**);
long double strtold(const char*, char**);
int rand();
int rand_r(unsigned*);
void srand(unsigned);
long random();
void srandom(unsigned);
double drand48();
double erand48(unsigned short*);
long lrand48();
long mrand48();
long nrand48(unsigned short*);
void srand48(long);
void qsort(void*, size_t, size_t, int (*)(const void*, const void*));
void* bsearch(const void*, const void*, size_t, size_t, int (*)(const void*, const void*));
div_t div(int, int);
ldiv_t ldiv(long, long);
char* realpath(const char*, char*);
void* memcpy(void*, const void*, size_t);
void* memmove(void*, const void*, size_t);
void* memset(void*, int, size_t);
void* memchr(const void*, int, size_t);
int memcmp(const void*, const void*, size_t);
void bzero(void*, size_t);
size_t strlen(const char*);
size_t strnlen(const char*, size_t);
size_t strspn(const char*, const char*);
size_t strcspn(const char*, const char*);
int strcmp(const char*, const char*);
int strncmp(const char*, const char*, size_t);
int strcasecmp(const char*, const char*);
int strncasecmp(const char*, const char*, size_t);
char* strcpy(char*, const char*);
char* strncpy(char*, const char*, size_t);
char* strcat(char*, const char*);
char* strncat(char*, const char*, size_t);
char* strdup(const char*);
char* strndup(const char*, size_t);
char* strtok(char*, const char*);
char* strtok_r(char*, const char*, char**);
char* strsep(char**, const char*);
char* strerror(int);
int isalpha(int);
int isdigit(int);
int isalnum(int);
int isspace(int);
int isupper(int);
int islower(int);
int isprint(int);
int ispunct(int);
int isxdigit(int);
int iscntrl(int);
int toupper(int);
int tolower(int);
time_t time(time_t*);
clock_t times(struct tms*);
double difftime(time_t, time_t);
time_t mktime(struct tm*);
struct tm* localtime(const time_t*);
struct tm* gmtime(const time_t*);
struct tm* localtime_r(const time_t*, struct tm*);
size_t strftime(char*, size_t, const char*, const struct tm*);
char* ctime(const time_t*);
char* asctime(const struct tm*);
extern "C++" void timersub(const struct timeval*, const struct timeval*, struct timeval*);
int gettimeofday(struct timeval*, void*);
int clock_gettime(clockid_t, struct timespec*);
int clock_getres(clockid_t, struct timespec*);
int nanosleep(const struct timespec*, struct timespec*);
int ftime(struct timeb*);
int getrusage(int, struct rusage*);
unsigned sleep(unsigned);
int usleep(unsigned);
int getopt(int, char* const*, const char*);
int getopt_long(int, char* const*, const char*, const struct option*, int*);
int access(const char*, int);
int open(const char*, int, ...);
int close(int);
ssize_t read(int, void*, size_t);
ssize_t write(int, const void*, size_t);
off_t lseek(int, off_t, int);
int unlink(const char*);
int rmdir(const char*);
int chdir(const char*);
int fork();
int stat(const char*, struct stat*);
int fstat(int, struct stat*);
int mkdir(const char*, mode_t);
pid_t getpid();
int gethostname(char*, size_t);
char* getcwd(char*, size_t);
long sysconf(int);
int isatty(int);
DIR* opendir(const char*);
struct dirent* readdir(DIR*);
int closedir(DIR*);
void* mmap(void*, size_t, int, int, int, off_t);
int munmap(void*, size_t);
sighandler_t signal(int, sighandler_t);
int raise(int);
int pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
int pthread_join(pthread_t, void**);
int pthread_mutex_lock(pthread_mutex_t*);
int pthread_mutex_unlock(pthread_mutex_t*);
int pthread_mutex_init(pthread_mutex_t*, const void*);
int pthread_mutex_destroy(pthread_mutex_t*);
void __shim_assert_fail(const char*);
}
// C++ gives these a const-correct pair each.
inline char* strchr(char* s, int c);
inline const char* strchr(const char* s, int c);
inline char* strrchr(char* s, int c);
inline const char* strrchr(const char* s, int c);
inline char* strstr(char* s, const char* t);
inline const char* strstr(const char* s, const char* t);
inline char* strpbrk(char* s, const char* t);
inline const char* strpbrk(const char* s, const char* t);
#define S_ISDIR(mode) ((mode) != 0)
#define S_ISREG(mode) ((mode) != 0)

#undef assert
#define assert(...) ((__VA_ARGS__) ? (void)0 : __shim_assert_fail(#__VA_ARGS__))

inline void* operator new(size_t, void* place) noexcept { return place; }
inline void* operator new[](size_t, void* place) noexcept { return place; }

extern "C" {
int omp_get_max_threads();
int omp_get_num_threads();
int omp_get_thread_num();
int omp_get_num_procs();
void omp_set_num_threads(int);
double omp_get_wtime();
}
