// Host-only parts of std: streams, time, random numbers, threads, exceptions, complex.
#pragma once

namespace std {
struct ios_base {
    typedef int fmtflags;
    typedef int openmode;
    typedef int iostate;
    static constexpr int in = 1, out = 2, binary = 4, app = 8, ate = 16, trunc = 32;
    static constexpr int beg = 0, cur = 1, end = 2;
    static constexpr int hex = 1, dec = 2, oct = 4, fixed = 8, scientific = 16, left = 32, right = 64;
    static constexpr int basefield = 7, floatfield = 24, adjustfield = 96, boolalpha = 128, showpos = 256;
    static constexpr int goodbit = 0, badbit = 1, failbit = 2, eofbit = 4;
    static bool sync_with_stdio(bool = true);
    int flags() const;
    int flags(int);
    int setf(int);
    int setf(int, int);
    void unsetf(int);
    size_t precision() const;
    size_t precision(size_t);
    size_t width() const;
    size_t width(size_t);
};
struct streampos {
    streampos(long long = 0);
    operator long long() const;
};
typedef long streamsize;
typedef long long streamoff;
struct streambuf {};
struct ios : ios_base {
    bool good() const;
    bool bad() const;
    bool fail() const;
    bool eof() const;
    void clear(int = 0);
    char fill();
    char fill(char);
    void exceptions(int);
    void copyfmt(const ios&);
    explicit operator bool() const;
    bool operator!() const;
    streambuf* rdbuf() const;
    streambuf* rdbuf(streambuf*);
    void setstate(int);
    int rdstate() const;
    void* tie(void*);
};
struct ostream : virtual ios {
    template <class T> ostream& operator<<(const T&);
    ostream& operator<<(ostream& (*)(ostream&));
    ostream& operator<<(ios_base& (*)(ios_base&));
    ostream& write(const char*, streamsize);
    ostream& put(char);
    ostream& flush();
    streampos tellp();
    ostream& seekp(streampos);
    ostream& seekp(streamoff, int);
};
struct istream : virtual ios {
    template <class T> istream& operator>>(T&);
    istream& operator>>(ios_base& (*)(ios_base&));
    istream& operator>>(istream& (*)(istream&));
    istream& read(char*, streamsize);
    istream& getline(char*, streamsize, char = '\n');
    int get();
    istream& get(char&);
    int peek();
    istream& ignore(streamsize = 1, int = -1);
    istream& unget();
    istream& putback(char);
    streamsize gcount() const;
    streampos tellg();
    istream& seekg(streampos);
    istream& seekg(streamoff, int);
};
struct iostream : istream, ostream {};
template <class T> istream& operator>>(istream&, T&&);
#define SHIM_FILE(name, base)                                                   \
    struct name : base {                                                        \
        name();                                                                 \
        explicit name(const char*, int = 0);                                    \
        explicit name(const string&, int = 0);                                  \
        template <class T> explicit name(const T&);                             \
        void open(const char*, int = 0);                                        \
        void open(const string&, int = 0);                                      \
        bool is_open() const;                                                   \
        void close();                                                           \
    };
SHIM_FILE(ifstream, istream) SHIM_FILE(ofstream, ostream) SHIM_FILE(fstream, iostream)
#undef SHIM_FILE
#define SHIM_TEXT(name, base)                 \
    struct name : base {                      \
        name();                               \
        explicit name(int);                   \
        explicit name(const string&, int = 0); \
        string str() const;                   \
        void str(const string&);              \
    };
SHIM_TEXT(stringstream, iostream) SHIM_TEXT(istringstream, istream) SHIM_TEXT(ostringstream, ostream)
#undef SHIM_TEXT
template <class T> struct char_traits;
template <class C, class T = char_traits<C>> using basic_ostream = ostream;
template <class C, class T = char_traits<C>> using basic_istream = istream;
template <class C, class T = char_traits<C>> using basic_iostream = iostream;
template <class C, class T = char_traits<C>> using basic_streambuf = streambuf;
template <class C, class T = char_traits<C>> using basic_ios = ios;
template <class C, class T = char_traits<C>> using basic_ofstream = ofstream;
template <class C, class T = char_traits<C>> using basic_ifstream = ifstream;
template <class C, class T = char_traits<C>> using basic_stringstream = stringstream;
template <class C, class T = char_traits<C>> using basic_ostringstream = ostringstream;
extern ostream cout, cerr, clog;
extern istream cin;
ostream& endl(ostream&);
ostream& ends(ostream&);
ostream& flush(ostream&);
istream& ws(istream&);
#define SHIM_MANIPULATOR(f) ios_base& f(ios_base&);
SHIM_MANIPULATOR(fixed) SHIM_MANIPULATOR(scientific) SHIM_MANIPULATOR(hex) SHIM_MANIPULATOR(dec)
SHIM_MANIPULATOR(oct) SHIM_MANIPULATOR(left) SHIM_MANIPULATOR(right) SHIM_MANIPULATOR(boolalpha)
SHIM_MANIPULATOR(noboolalpha) SHIM_MANIPULATOR(showpos) SHIM_MANIPULATOR(noshowpos)
SHIM_MANIPULATOR(uppercase) SHIM_MANIPULATOR(showbase) SHIM_MANIPULATOR(showpoint)
SHIM_MANIPULATOR(defaultfloat) SHIM_MANIPULATOR(internal) SHIM_MANIPULATOR(skipws) SHIM_MANIPULATOR(noskipws)
#undef SHIM_MANIPULATOR
struct __shim_manipulator {};
__shim_manipulator setw(int);
__shim_manipulator setprecision(int);
template <class C> __shim_manipulator setfill(C);
__shim_manipulator setbase(int);
__shim_manipulator setiosflags(int);
__shim_manipulator resetiosflags(int);
istream& getline(istream&, string&, char = '\n');
template <class T> T quoted(T);

// --- Exceptions ----------------------------------------------------------------------------------
struct exception {
    exception() noexcept;
    exception(const exception&) noexcept;
    virtual ~exception();
    virtual const char* what() const noexcept;
};
#define SHIM_EXCEPTION(name, base)     \
    struct name : base {               \
        name();                        \
        explicit name(const string&);  \
        explicit name(const char*);    \
    };
SHIM_EXCEPTION(logic_error, exception) SHIM_EXCEPTION(runtime_error, exception)
SHIM_EXCEPTION(invalid_argument, logic_error) SHIM_EXCEPTION(out_of_range, logic_error)
SHIM_EXCEPTION(domain_error, logic_error) SHIM_EXCEPTION(length_error, logic_error)
SHIM_EXCEPTION(range_error, runtime_error) SHIM_EXCEPTION(overflow_error, runtime_error)
SHIM_EXCEPTION(underflow_error, runtime_error) SHIM_EXCEPTION(bad_alloc, exception)
SHIM_EXCEPTION(bad_cast, exception) SHIM_EXCEPTION(system_error, runtime_error)
#undef SHIM_EXCEPTION
struct type_info {
    const char* name() const noexcept;
    bool operator==(const type_info&) const noexcept;
    bool operator!=(const type_info&) const noexcept;
    size_t hash_code() const noexcept;
};
struct type_index { type_index(const type_info&); };
[[noreturn]] void terminate() noexcept;
typedef void* exception_ptr;
exception_ptr current_exception();
[[noreturn]] void rethrow_exception(exception_ptr);

// --- chrono --------------------------------------------------------------------------------------
template <long N, long D = 1> struct ratio { static constexpr long num = N, den = D; };
typedef ratio<1, 1000> milli;
typedef ratio<1, 1000000> micro;
typedef ratio<1, 1000000000> nano;
typedef ratio<1000> kilo;
typedef ratio<1000000> mega;
typedef ratio<1000000000> giga;
namespace chrono {
template <class R, class P = ratio<1>> struct duration {
    typedef R rep;
    typedef P period;
    constexpr duration() = default;
    template <class T> constexpr explicit duration(const T&) {}
    template <class S, class Q> constexpr duration(const duration<S, Q>&) {}
    constexpr R count() const { return R(); }
    duration& operator+=(const duration&);
    duration& operator-=(const duration&);
};
template <class R, class P, class S, class Q> duration<R, P> operator+(const duration<R, P>&, const duration<S, Q>&);
template <class R, class P, class S, class Q> duration<R, P> operator-(const duration<R, P>&, const duration<S, Q>&);
template <class R, class P, class S, class Q> bool operator<(const duration<R, P>&, const duration<S, Q>&);
template <class R, class P, class S, class Q> bool operator>(const duration<R, P>&, const duration<S, Q>&);
template <class R, class P, class S> duration<R, P> operator/(const duration<R, P>&, const S&);
template <class R, class P, class S> duration<R, P> operator*(const duration<R, P>&, const S&);
typedef duration<long, nano> nanoseconds;
typedef duration<long, micro> microseconds;
typedef duration<long, milli> milliseconds;
typedef duration<long> seconds;
typedef duration<long, ratio<60>> minutes;
typedef duration<long, ratio<3600>> hours;
template <class C, class D = nanoseconds> struct time_point {
    typedef D duration;
    D time_since_epoch() const;
    time_point& operator+=(const D&);
    bool operator<(const time_point&) const;
    bool operator>(const time_point&) const;
};
template <class C, class D> D operator-(const time_point<C, D>&, const time_point<C, D>&);
template <class C, class D, class E> time_point<C, D> operator+(const time_point<C, D>&, const E&);
#define SHIM_CLOCK(name)                              \
    struct name {                                     \
        typedef nanoseconds duration;                 \
        typedef long rep;                             \
        typedef nano period;                          \
        typedef chrono::time_point<name> time_point;  \
        static constexpr bool is_steady = true;       \
        static time_point now() noexcept;             \
        static time_t to_time_t(const time_point&);   \
    };
SHIM_CLOCK(system_clock) SHIM_CLOCK(steady_clock) SHIM_CLOCK(high_resolution_clock)
#undef SHIM_CLOCK
template <class T, class R, class P> T duration_cast(const duration<R, P>&);
template <class T, class C, class D> time_point<C, T> time_point_cast(const time_point<C, D>&);
}

// --- random --------------------------------------------------------------------------------------
template <class R> struct __shim_engine {
    typedef R result_type;
    __shim_engine();
    template <class S> explicit __shim_engine(S&&);
    R operator()();
    template <class S> void seed(S);
    void seed();
    void discard(unsigned long long);
    static constexpr R min() { return 0; }
    static constexpr R max() { return ~R(0); }
};
#define SHIM_ENGINE(name, R) struct name : __shim_engine<R> { using __shim_engine<R>::__shim_engine; };
SHIM_ENGINE(mt19937, uint32_t) SHIM_ENGINE(mt19937_64, uint64_t) SHIM_ENGINE(minstd_rand, uint32_t)
SHIM_ENGINE(minstd_rand0, uint32_t) SHIM_ENGINE(default_random_engine, uint32_t)
SHIM_ENGINE(random_device, uint32_t) SHIM_ENGINE(ranlux48, uint64_t) SHIM_ENGINE(knuth_b, uint32_t)
#undef SHIM_ENGINE
struct seed_seq { template <class... A> seed_seq(A&&...); };
#define SHIM_DISTRIBUTION(name, D)                             \
    template <class T = D> struct name {                       \
        typedef T result_type;                                 \
        struct param_type { template <class... A> param_type(A...); }; \
        template <class... A> explicit name(A...);             \
        template <class E> T operator()(E&&);                  \
        template <class E> T operator()(E&&, const param_type&); \
        T min() const;                                         \
        T max() const;                                         \
        void reset();                                          \
    };                                                         \
    name()->name<D>;                                           \
    template <class T, class... A> name(T, A...) -> name<T>;
SHIM_DISTRIBUTION(uniform_int_distribution, int) SHIM_DISTRIBUTION(uniform_real_distribution, double)
SHIM_DISTRIBUTION(normal_distribution, double) SHIM_DISTRIBUTION(exponential_distribution, double)
SHIM_DISTRIBUTION(poisson_distribution, int) SHIM_DISTRIBUTION(gamma_distribution, double)
SHIM_DISTRIBUTION(discrete_distribution, int) SHIM_DISTRIBUTION(lognormal_distribution, double)
SHIM_DISTRIBUTION(binomial_distribution, int) SHIM_DISTRIBUTION(geometric_distribution, int)
SHIM_DISTRIBUTION(cauchy_distribution, double)
#undef SHIM_DISTRIBUTION
struct bernoulli_distribution {
    template <class... A> explicit bernoulli_distribution(A...);
    template <class E> bool operator()(E&&);
};

// --- Threads -------------------------------------------------------------------------------------
struct thread {
    struct id {};
    thread();
    template <class F, class... A> explicit thread(F&&, A&&...);
    thread(thread&&);
    thread& operator=(thread&&);
    void join();
    void detach();
    bool joinable() const;
    static unsigned hardware_concurrency();
};
namespace this_thread {
template <class D> void sleep_for(const D&);
void yield();
thread::id get_id();
}
struct mutex { void lock(); void unlock(); bool try_lock(); };
struct recursive_mutex : mutex {};
struct shared_mutex : mutex {};
template <class M> struct lock_guard { explicit lock_guard(M&); };
template <class M> struct unique_lock { explicit unique_lock(M&); void lock(); void unlock(); };
template <class... M> struct scoped_lock { explicit scoped_lock(M&...); };
struct condition_variable { void notify_one(); void notify_all(); template <class... A> void wait(A&&...); };
template <class T> struct future { T get(); void wait(); bool valid() const; };
template <class T> struct promise { future<T> get_future(); template <class... A> void set_value(A&&...); };
enum class launch { async = 1, deferred = 2 };
template <class... A> future<int> async(A&&...);
struct once_flag {};
template <class... A> void call_once(A&&...);
enum memory_order {
    memory_order_relaxed, memory_order_consume, memory_order_acquire, memory_order_release,
    memory_order_acq_rel, memory_order_seq_cst
};
template <class T> struct atomic {
    constexpr atomic() = default;
    constexpr atomic(T) {}
    T operator=(T);
    operator T() const;
    T load(memory_order = memory_order_seq_cst) const;
    void store(T, memory_order = memory_order_seq_cst);
    T exchange(T, memory_order = memory_order_seq_cst);
    template <class... A> bool compare_exchange_strong(T&, T, A...);
    template <class... A> bool compare_exchange_weak(T&, T, A...);
    T fetch_add(T, memory_order = memory_order_seq_cst);
    T fetch_sub(T, memory_order = memory_order_seq_cst);
    T fetch_and(T, memory_order = memory_order_seq_cst);
    T fetch_or(T, memory_order = memory_order_seq_cst);
    T operator++();
    T operator++(int);
    T operator--();
    T operator+=(T);
    T operator-=(T);
};
struct atomic_flag { bool test_and_set(); void clear(); };
typedef atomic<int> atomic_int;
typedef atomic<bool> atomic_bool;
#define ATOMIC_FLAG_INIT {}

// --- complex -------------------------------------------------------------------------------------
template <class T> struct complex {
    typedef T value_type;
    T __re, __im;
    constexpr complex(const T& r = T(), const T& i = T()) : __re(r), __im(i) {}
    template <class U> constexpr complex(const complex<U>& z) : __re(z.real()), __im(z.imag()) {}
    constexpr T real() const { return __re; }
    constexpr T imag() const { return __im; }
    void real(T r) { __re = r; }
    void imag(T i) { __im = i; }
    complex& operator=(const T&);
    template <class U> complex& operator+=(const U&);
    template <class U> complex& operator-=(const U&);
    template <class U> complex& operator*=(const U&);
    template <class U> complex& operator/=(const U&);
};
#define SHIM_ARITHMETIC(op)                                                         \
    template <class T> complex<T> operator op(const complex<T>&, const complex<T>&); \
    template <class T> complex<T> operator op(const complex<T>&, const type_identity_t<T>&); \
    template <class T> complex<T> operator op(const type_identity_t<T>&, const complex<T>&);
SHIM_ARITHMETIC(+) SHIM_ARITHMETIC(-) SHIM_ARITHMETIC(*) SHIM_ARITHMETIC(/)
#undef SHIM_ARITHMETIC
template <class T> complex<T> operator-(const complex<T>&);
template <class T> bool operator==(const complex<T>&, const complex<T>&);
template <class T> bool operator!=(const complex<T>&, const complex<T>&);
#define SHIM_REAL(f) template <class T> T f(const complex<T>&);
#define SHIM_COMPLEX(f) template <class T> complex<T> f(const complex<T>&);
SHIM_REAL(abs) SHIM_REAL(arg) SHIM_REAL(norm) SHIM_REAL(real) SHIM_REAL(imag)
SHIM_COMPLEX(conj) SHIM_COMPLEX(exp) SHIM_COMPLEX(log) SHIM_COMPLEX(sqrt) SHIM_COMPLEX(sin)
SHIM_COMPLEX(cos) SHIM_COMPLEX(tanh) SHIM_COMPLEX(sinh) SHIM_COMPLEX(cosh)
#undef SHIM_REAL
#undef SHIM_COMPLEX
template <class T> complex<T> pow(const complex<T>&, const complex<T>&);
template <class T, class U> complex<T> pow(const complex<T>&, U);
template <class T> complex<T> polar(T, T = T());
inline namespace literals_ { inline namespace complex_literals { complex<double> operator""i(long double); complex<float> operator""if(long double); } }

// --- filesystem ----------------------------------------------------------------------------------
namespace filesystem {
struct path {
    path();
    path(const char*);
    path(const std::string&);
    std::string string() const;
    const char* c_str() const;
    path filename() const;
    path extension() const;
    path stem() const;
    path parent_path() const;
    path operator/(const path&) const;
};
bool exists(const path&);
bool is_directory(const path&);
bool create_directory(const path&);
bool create_directories(const path&);
size_t file_size(const path&);
}
namespace execution {
struct sequenced_policy {};
struct parallel_policy {};
struct parallel_unsequenced_policy {};
inline constexpr sequenced_policy seq{};
inline constexpr parallel_policy par{};
inline constexpr parallel_unsequenced_policy par_unseq{};
}
namespace pmr {}
}
