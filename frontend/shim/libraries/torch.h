// PyTorch's C++ side, as extensions use it: enough for their launches and accessors to resolve.
// Tensors are host objects whose calls are lenient; what kernels touch (Half, accessors) has bodies.
#pragma once
#include "../cuda/half.h"
#pragma clang force_cuda_host_device begin
namespace c10 {
enum class ScalarType : signed char {
    Byte, Char, Short, Int, Long, Half, Float, Double, ComplexHalf, ComplexFloat, ComplexDouble, Bool,
    QInt8, QUInt8, QInt32, BFloat16, Float8_e5m2 = 23, Float8_e4m3fn = 24, UInt16 = 27, UInt32, UInt64,
    Undefined
};
// Arithmetic goes through float, as c10's own.
#define SHIM_SMALL_FLOAT(name, inner, widen, narrow)                                        \
    struct alignas(2) name {                                                                \
        inner x;                                                                            \
        name() = default;                                                                   \
        name(float v) : x(narrow(v)) {}                                                     \
        name(const inner& v) : x(v) {}                                                      \
        operator float() const { return widen(x); }                                         \
        explicit operator inner() const { return x; }                                       \
    };                                                                                      \
    inline name operator+(const name& a, const name& b) { return name((float)a + (float)b); } \
    inline name operator-(const name& a, const name& b) { return name((float)a - (float)b); } \
    inline name operator*(const name& a, const name& b) { return name((float)a * (float)b); } \
    inline name operator/(const name& a, const name& b) { return name((float)a / (float)b); } \
    inline name operator-(const name& a) { return name(-(float)a); }                        \
    inline float operator+(name a, float b) { return (float)a + b; }                        \
    inline float operator-(name a, float b) { return (float)a - b; }                        \
    inline float operator*(name a, float b) { return (float)a * b; }                        \
    inline float operator/(name a, float b) { return (float)a / b; }                        \
    inline float operator+(float a, name b) { return a + (float)b; }                        \
    inline float operator-(float a, name b) { return a - (float)b; }                        \
    inline float operator*(float a, name b) { return a * (float)b; }                        \
    inline float operator/(float a, name b) { return a / (float)b; }                        \
    inline name& operator+=(name& a, const name& b) { a = a + b; return a; }                \
    inline name& operator-=(name& a, const name& b) { a = a - b; return a; }                \
    inline name& operator*=(name& a, const name& b) { a = a * b; return a; }                \
    inline name& operator/=(name& a, const name& b) { a = a / b; return a; }
SHIM_SMALL_FLOAT(Half, __half, __half2float, __float2half_rn)
SHIM_SMALL_FLOAT(BFloat16, __nv_bfloat16, __bfloat162float, __float2bfloat16_rn)
#undef SHIM_SMALL_FLOAT
template <class T> struct ArrayRef {
    ArrayRef(std::initializer_list<T>);
    template <class C> ArrayRef(const C&);
    T operator[](size_t) const;
    size_t size() const;
    const T* begin() const;
    const T* end() const;
    const T* data() const;
    template <class... A> std::vector<T> vec(A&&...) const;
};
typedef ArrayRef<long> IntArrayRef;
enum class DeviceType : signed char { CPU, CUDA };
struct Device {
    template <class... A> Device(A&&...);
    bool is_cuda() const; bool is_cpu() const; int index() const; DeviceType type() const;
    bool operator==(const Device&) const; bool operator!=(const Device&) const;
};
struct Scalar { template <class T> Scalar(T); template <class T> T to() const; };
struct MemoryFormat { static const MemoryFormat Contiguous, ChannelsLast, Preserve; };
struct Layout {};
struct TensorOptions {
    template <class... A> TensorOptions(A&&...);
    template <class... A> TensorOptions dtype(A&&...) const;
    template <class... A> TensorOptions device(A&&...) const;
    template <class... A> TensorOptions layout(A&&...) const;
    template <class... A> TensorOptions requires_grad(A&&...) const;
    template <class... A> TensorOptions memory_format(A&&...) const;
};
using std::optional;
using std::nullopt;
namespace cuda {
struct CUDAStream { operator cudaStream_t() const; cudaStream_t stream() const; void synchronize() const; };
CUDAStream getCurrentCUDAStream(int = -1);
CUDAStream getDefaultCUDAStream(int = -1);
CUDAStream getStreamFromPool(bool = false, int = -1);
struct CUDAGuard { template <class T> CUDAGuard(T); };
struct OptionalCUDAGuard { template <class... A> OptionalCUDAGuard(A&&...); };
struct CUDAStreamGuard { template <class T> CUDAStreamGuard(T); };
int current_device();
}
}
namespace at {
using namespace c10;
namespace cuda {
using namespace c10::cuda;
cudaDeviceProp* getCurrentDeviceProperties();
cudaDeviceProp* getDeviceProperties(long);
struct cublasContext* getCurrentCUDABlasHandle();
}
// Sizes and strides travel with the pointer, as kernels take them.
template <class T> struct DefaultPtrTraits { typedef T* PtrType; };
template <class T> struct RestrictPtrTraits { typedef T* __restrict__ PtrType; };
template <class T, size_t N, template <class> class P = DefaultPtrTraits, class I = long>
struct TensorAccessor {
    T* data_; const I* sizes_; const I* strides_;
    TensorAccessor(T* d, const I* n, const I* s) : data_(d), sizes_(n), strides_(s) {}
    I size(I i) const { return sizes_[i]; }
    I stride(I i) const { return strides_[i]; }
    T* data() const { return data_; }
    TensorAccessor<T, N - 1, P, I> operator[](I i) const {
        return TensorAccessor<T, N - 1, P, I>(data_ + strides_[0] * i, sizes_ + 1, strides_ + 1);
    }
};
template <class T, template <class> class P, class I> struct TensorAccessor<T, 1, P, I> {
    T* data_; const I* sizes_; const I* strides_;
    TensorAccessor(T* d, const I* n, const I* s) : data_(d), sizes_(n), strides_(s) {}
    I size(I i) const { return sizes_[i]; }
    I stride(I i) const { return strides_[i]; }
    T* data() const { return data_; }
    T& operator[](I i) const { return data_[strides_[0] * i]; }
};
template <class T, size_t N, template <class> class P = DefaultPtrTraits, class I = long>
struct GenericPackedTensorAccessor {
    T* data_; I sizes_[N]; I strides_[N];
    I size(I i) const { return sizes_[i]; }
    I stride(I i) const { return strides_[i]; }
    T* data() const { return data_; }
    TensorAccessor<T, N - 1, P, I> operator[](I i) const {
        return TensorAccessor<T, N - 1, P, I>(data_ + strides_[0] * i, sizes_ + 1, strides_ + 1);
    }
};
template <class T, template <class> class P, class I> struct GenericPackedTensorAccessor<T, 1, P, I> {
    T* data_; I sizes_[1]; I strides_[1];
    I size(I i) const { return sizes_[i]; }
    I stride(I i) const { return strides_[i]; }
    T* data() const { return data_; }
    T& operator[](I i) const { return data_[strides_[0] * i]; }
};
template <class T, size_t N, template <class> class P = DefaultPtrTraits>
using PackedTensorAccessor32 = GenericPackedTensorAccessor<T, N, P, int>;
template <class T, size_t N, template <class> class P = DefaultPtrTraits>
using PackedTensorAccessor64 = GenericPackedTensorAccessor<T, N, P, long>;
template <class T, size_t N, template <class> class P = DefaultPtrTraits, class I = long>
using PackedTensorAccessor = GenericPackedTensorAccessor<T, N, P, I>;
template <class T, bool> struct shim_acc { typedef float type; };
template <> struct shim_acc<double, true> { typedef double type; };
template <> struct shim_acc<double, false> { typedef double type; };
template <> struct shim_acc<int, true> { typedef long type; };
template <> struct shim_acc<long, true> { typedef long type; };
template <class T, bool cuda> using acc_type = typename shim_acc<T, cuda>::type;
template <class T> using opmath_type = typename shim_acc<T, true>::type;
struct DeprecatedTypeProperties { ScalarType scalarType() const; bool is_cuda() const; operator ScalarType() const; };
#define SHIM_METHODS(M) M(contiguous) M(view) M(reshape) M(permute) M(transpose) M(t) M(clone) M(to)     \
    M(zero_) M(fill_) M(sum) M(mean) M(max) M(min) M(cuda) M(cpu) M(unsqueeze) M(squeeze) M(expand)       \
    M(expand_as) M(view_as) M(flatten) M(select) M(slice) M(narrow) M(index) M(index_select) M(abs)       \
    M(add) M(add_) M(sub) M(mul) M(mul_) M(div) M(div_) M(matmul) M(mm) M(bmm) M(pow) M(sqrt) M(exp)      \
    M(detach) M(toType) M(copy_) M(new_empty) M(new_zeros) M(resize_) M(set_requires_grad) M(grad)         \
    M(requires_grad_) M(masked_fill) M(softmax) M(argmax) M(type_as) M(repeat) M(chunk) M(cumsum) M(neg)
struct Tensor {
    long size(long) const; IntArrayRef sizes() const; long stride(long) const; IntArrayRef strides() const;
    long dim() const; long ndimension() const; long numel() const; long nbytes() const;
    long element_size() const; long itemsize() const; long storage_offset() const;
    ScalarType dtype() const; ScalarType scalar_type() const; TensorOptions options() const;
    Device device() const; int get_device() const; bool is_cuda() const; bool defined() const;
    bool requires_grad() const; bool is_sparse() const; bool has_value() const;
    template <class... A> bool is_contiguous(A&&...) const;
    template <class... A> bool is_same_size(A&&...) const;
    DeprecatedTypeProperties type() const;
    void* data_ptr() const; const void* const_data_ptr() const; void* mutable_data_ptr() const;
    template <class T> T* data_ptr() const; template <class T> T* data() const;
    template <class T> const T* const_data_ptr() const; template <class T> T* mutable_data_ptr() const;
    template <class T> T item() const; template <class T> Tensor operator[](T) const;
    template <class T, size_t N, template <class> class P = DefaultPtrTraits>
    PackedTensorAccessor32<T, N, P> packed_accessor32() const;
    template <class T, size_t N, template <class> class P = DefaultPtrTraits>
    PackedTensorAccessor64<T, N, P> packed_accessor64() const;
    template <class T, size_t N, template <class> class P = DefaultPtrTraits, class I = long>
    GenericPackedTensorAccessor<T, N, P, I> packed_accessor() const;
    template <class T, size_t N> TensorAccessor<T, N> accessor() const;
#define M(f) template <class... A> Tensor f(A&&...) const; Tensor f(IntArrayRef) const;
    SHIM_METHODS(M)
#undef M
    template <class T> Tensor& operator+=(T); template <class T> Tensor& operator*=(T);
};
template <class T> Tensor operator+(const Tensor&, const T&);
template <class T> Tensor operator-(const Tensor&, const T&);
template <class T> Tensor operator*(const Tensor&, const T&);
template <class T> Tensor operator/(const Tensor&, const T&);
typedef ArrayRef<Tensor> TensorList;
#define M(f) template <class... A> Tensor f(A&&...); template <class... A> Tensor f(IntArrayRef, A&&...);
M(empty) M(zeros) M(ones) M(full) M(rand) M(randn) M(randint) M(arange) M(empty_like) M(zeros_like)
M(ones_like) M(full_like) M(rand_like) M(randn_like) M(tensor) M(from_blob) M(cat) M(stack) M(matmul)
M(mm) M(bmm) M(sum) M(mean) M(exp) M(sqrt) M(softmax) M(empty_strided) M(linspace) M(scalar_tensor)
#undef M
#undef SHIM_METHODS
#define K(name, kind) constexpr ScalarType k##name = ScalarType::kind;
K(Byte, Byte) K(UInt8, Byte) K(Char, Char) K(Int8, Char) K(Short, Short) K(Int16, Short) K(Int, Int)
K(Int32, Int) K(Long, Long) K(Int64, Long) K(Half, Half) K(Float16, Half) K(Float, Float) K(Bool, Bool)
K(Float32, Float) K(Double, Double) K(Float64, Double) K(BFloat16, BFloat16)
K(Float8_e4m3fn, Float8_e4m3fn) K(Float8_e5m2, Float8_e5m2) K(UInt32, UInt32)
#undef K
constexpr DeviceType kCUDA = DeviceType::CUDA, kCPU = DeviceType::CPU;
template <ScalarType> struct shim_type { typedef float type; };
#define K(name, kind) template <> struct shim_type<ScalarType::name> { typedef kind type; };
K(Byte, unsigned char) K(Char, signed char) K(Short, short) K(Int, int) K(Long, long) K(Half, c10::Half)
K(Double, double) K(Bool, bool) K(BFloat16, c10::BFloat16)
#undef K
template <class T> T gpuAtomicAdd(T* p, T v) { return atomicAdd(p, v); }
template <class T> T ceil_div(T a, T b) { return (a + b - 1) / b; }
}
template <class T> T gpuAtomicAdd(T* p, T v) { return atomicAdd(p, v); }
template <class T> void gpuAtomicAddNoReturn(T* p, T v) { atomicAdd(p, v); }
namespace torch {
using namespace at;
using std::nullopt;
using std::optional;
namespace nn {}
namespace autograd {}
namespace indexing { struct Slice { template <class... A> Slice(A&&...); }; struct NoneT {}; const NoneT None; }
namespace cuda { using namespace at::cuda; bool is_available(); void synchronize(int = -1); }
TensorOptions dtype(ScalarType);
TensorOptions device(const Device&);
template <class... A> void manual_seed(A&&...);
template <class F> F* wrap_pybind_function(F&);
}
namespace pybind11 {
struct arg { arg(const char*); template <class T> arg& operator=(T&&); };
struct module_ { template <class... A> module_& def(A&&...); template <class... A> module_& attr(A&&...); };
typedef module_ module;
}
namespace py = pybind11;
#pragma clang force_cuda_host_device end

#define TORCH_EXTENSION_NAME shim_extension
#define PYBIND11_MODULE(name, m) static void shim_bindings_##m(pybind11::module_& m)
struct shim_library { template <class... A> shim_library& def(A&&...); template <class... A> shim_library& impl(A&&...); };
#define TORCH_LIBRARY(name, m) static void shim_library_##name(shim_library& m)
#define TORCH_LIBRARY_FRAGMENT(name, m) static void shim_fragment_##name(shim_library& m)
#define TORCH_LIBRARY_IMPL(name, key, m) static void shim_library_##name##key(shim_library& m)
#define TORCH_CHECK(condition, ...) ((void)(condition))
#define TORCH_CHECK_EQ(a, b) ((void)((a) == (b)))
#define TORCH_INTERNAL_ASSERT(condition, ...) ((void)(condition))
#define AT_ASSERTM(condition, ...) ((void)(condition))
#define AT_ASSERT(condition, ...) ((void)(condition))
#define AT_CHECK(condition, ...) ((void)(condition))
#define AT_ERROR(...) ((void)0)
#define TORCH_WARN(...) ((void)0)
#define AT_CUDA_CHECK(call) ((void)(call))
#define C10_CUDA_CHECK(call) ((void)(call))
#define C10_CUDA_KERNEL_LAUNCH_CHECK() ((void)0)
#define C10_WARP_SIZE 32
#define C10_HOST_DEVICE __host__ __device__
#define C10_DEVICE __device__
#define C10_LAUNCH_BOUNDS_1(n) __launch_bounds__(n)
#define C10_LAUNCH_BOUNDS_2(n, m) __launch_bounds__(n, m)
#define C10_UNLIKELY(e) (e)
#define C10_LIKELY(e) (e)
#define TORCH_API
#define CUDA_KERNEL_LOOP(i, n) for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += blockDim.x * gridDim.x)

// Each type that a dispatch may choose is one instance of what it launches.
#define SHIM_TYPE(T, ...) { using scalar_t [[maybe_unused]] = T; __VA_ARGS__(); }
#define SHIM_OF(S) at::shim_type<S>::type
#define SHIM_FLOATS(...) SHIM_TYPE(double, __VA_ARGS__) SHIM_TYPE(float, __VA_ARGS__)
#define SHIM_WHOLES(...) SHIM_TYPE(unsigned char, __VA_ARGS__) SHIM_TYPE(signed char, __VA_ARGS__) \
    SHIM_TYPE(short, __VA_ARGS__) SHIM_TYPE(int, __VA_ARGS__) SHIM_TYPE(long, __VA_ARGS__)
#define AT_DISPATCH_FLOATING_TYPES(t, n, ...) [&] { SHIM_FLOATS(__VA_ARGS__) }()
#define AT_DISPATCH_FLOATING_TYPES_AND_HALF(t, n, ...) \
    [&] { SHIM_FLOATS(__VA_ARGS__) SHIM_TYPE(c10::Half, __VA_ARGS__) }()
#define AT_DISPATCH_FLOATING_TYPES_AND(s, t, n, ...) \
    [&] { SHIM_FLOATS(__VA_ARGS__) SHIM_TYPE(SHIM_OF(s), __VA_ARGS__) }()
#define AT_DISPATCH_FLOATING_TYPES_AND2(s, u, t, n, ...) \
    [&] { SHIM_FLOATS(__VA_ARGS__) SHIM_TYPE(SHIM_OF(s), __VA_ARGS__) SHIM_TYPE(SHIM_OF(u), __VA_ARGS__) }()
#define AT_DISPATCH_REDUCED_FLOATING_TYPES(t, n, ...) \
    [&] { SHIM_TYPE(c10::Half, __VA_ARGS__) SHIM_TYPE(c10::BFloat16, __VA_ARGS__) }()
#define AT_DISPATCH_INTEGRAL_TYPES(t, n, ...) [&] { SHIM_WHOLES(__VA_ARGS__) }()
#define AT_DISPATCH_ALL_TYPES(t, n, ...) [&] { SHIM_FLOATS(__VA_ARGS__) SHIM_WHOLES(__VA_ARGS__) }()
#define AT_DISPATCH_ALL_TYPES_AND(s, t, n, ...) \
    [&] { SHIM_FLOATS(__VA_ARGS__) SHIM_WHOLES(__VA_ARGS__) SHIM_TYPE(SHIM_OF(s), __VA_ARGS__) }()
#define AT_DISPATCH_ALL_TYPES_AND2(s, u, t, n, ...)                                          \
    [&] { SHIM_FLOATS(__VA_ARGS__) SHIM_WHOLES(__VA_ARGS__) SHIM_TYPE(SHIM_OF(s), __VA_ARGS__) \
          SHIM_TYPE(SHIM_OF(u), __VA_ARGS__) }()
#define AT_DISPATCH_INDEX_TYPES(t, n, ...) \
    [&] { { using index_t = int; __VA_ARGS__(); } { using index_t = long; __VA_ARGS__(); } }()
