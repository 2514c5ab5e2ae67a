// What a recorded run needs besides the kernels: data, launches, measurements. CUDA and C++17 only.
//
//   contents (Philox) -> upload between guard bands -> launch -> outputs, noise, times -> files
//
// Contents must be bit-identical to crossport's validation/generators.py; compile the host side
// with floating-point contraction off.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cfloat>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <numeric>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace driver {

enum class Kind { boolean, i8, u8, i16, u16, i32, u32, i64, u64, f16, bf16, f32, f64 };

inline size_t size_of(Kind kind) {
  switch (kind) {
    case Kind::boolean: case Kind::i8: case Kind::u8: return 1;
    case Kind::i16: case Kind::u16: case Kind::f16: case Kind::bf16: return 2;
    case Kind::i32: case Kind::u32: case Kind::f32: return 4;
    default: return 8;
  }
}

inline bool is_float(Kind kind) {
  return kind == Kind::f16 || kind == Kind::bf16 || kind == Kind::f32 || kind == Kind::f64;
}

// ---- Contents ----------------------------------------------------------------------------------

struct Spec {
  const char* rule;
  uint64_t key[2];
  double x[2];
  long long i[2];
  std::vector<double> values;
};

// Philox4x64-10, the stream that NumPy's random_raw() reads; any position can be looked up.
class Words {
 public:
  Words(const uint64_t key[2], uint64_t position) : position_(position) {
    key_[0] = key[0];
    key_[1] = key[1];
  }

  uint64_t next() {
    uint64_t block = position_ / 4 + 1;  // NumPy steps the counter before its first block.
    if (block != block_) fill(block);
    return words_[position_++ % 4];
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  int64_t below(uint64_t bound) { return static_cast<int64_t>(((next() >> 32) * bound) >> 32); }

 private:
  static void multiply(uint64_t a, uint64_t b, uint64_t* high, uint64_t* low) {
    unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
    *high = static_cast<uint64_t>(product >> 64);
    *low = static_cast<uint64_t>(product);
  }
  void fill(uint64_t block) {
    uint64_t c[4] = {block, 0, 0, 0}, k0 = key_[0], k1 = key_[1];
    for (int round = 0; round < 10; ++round) {
      uint64_t hi0, lo0, hi1, lo1;
      multiply(0xD2E7470EE14C6C93ull, c[0], &hi0, &lo0);
      multiply(0xCA5A826395121157ull, c[2], &hi1, &lo1);
      uint64_t n0 = hi1 ^ c[1] ^ k0, n2 = hi0 ^ c[3] ^ k1;
      c[0] = n0;
      c[1] = lo1;
      c[2] = n2;
      c[3] = lo0;
      k0 += 0x9E3779B97F4A7C15ull;
      k1 += 0xBB67AE8584CAA73Bull;
    }
    std::memcpy(words_, c, sizeof c);
    block_ = block;
  }
  uint64_t key_[2];
  uint64_t position_;
  uint64_t block_ = 0;
  uint64_t words_[4];
};

inline uint16_t to_half(double v) {
  uint16_t sign = std::signbit(v) ? 0x8000 : 0;
  if (std::isnan(v)) return sign | 0x7e00;
  double a = std::fabs(v);
  if (std::isinf(a)) return sign | 0x7c00;
  if (a == 0) return sign;
  int e;
  std::frexp(a, &e);
  int quantum = std::max(e - 11, -24);
  double units = std::nearbyint(std::ldexp(a, -quantum));
  double rounded = std::ldexp(units, quantum);
  if (rounded >= 65520.0) return sign | 0x7c00;
  if (rounded < 0x1p-14) return sign | static_cast<uint16_t>(std::ldexp(rounded, 24));
  std::frexp(rounded, &e);
  int mantissa = static_cast<int>(std::ldexp(rounded, 11 - e)) - 1024;
  return sign | static_cast<uint16_t>((e + 14) << 10) | static_cast<uint16_t>(mantissa);
}

inline uint16_t to_bfloat(double v) {
  if (std::isnan(v)) return 0x7fc0;
  float f = static_cast<float>(v);
  uint32_t w;
  std::memcpy(&w, &f, 4);
  return static_cast<uint16_t>((w + 0x7fffu + ((w >> 16) & 1u)) >> 16);
}

inline double to_double(Kind kind, const void* at) {
  switch (kind) {
    case Kind::f32: { float v; std::memcpy(&v, at, 4); return v; }
    case Kind::f64: { double v; std::memcpy(&v, at, 8); return v; }
    case Kind::bf16: {
      uint16_t h; std::memcpy(&h, at, 2);
      uint32_t w = static_cast<uint32_t>(h) << 16; float v; std::memcpy(&v, &w, 4);
      return v;
    }
    case Kind::f16: {
      uint16_t h; std::memcpy(&h, at, 2);
      int e = (h >> 10) & 31, m = h & 1023;
      double v = e == 31 ? (m ? NAN : INFINITY) : e == 0 ? std::ldexp(m, -24) : std::ldexp(m + 1024, e - 25);
      return h & 0x8000 ? -v : v;
    }
    default: return 0;
  }
}

inline void store(Kind kind, uint8_t* base, size_t i, double f, int64_t n, bool from_float) {
  uint8_t* at = base + i * size_of(kind);
  if (is_float(kind)) {
    double v = from_float ? f : static_cast<double>(n);
    if (kind == Kind::f32) { float w = static_cast<float>(v); std::memcpy(at, &w, 4); }
    if (kind == Kind::f64) std::memcpy(at, &v, 8);
    if (kind == Kind::f16) { uint16_t w = to_half(v); std::memcpy(at, &w, 2); }
    if (kind == Kind::bf16) { uint16_t w = to_bfloat(v); std::memcpy(at, &w, 2); }
    return;
  }
  int64_t v = from_float ? static_cast<int64_t>(f) : n;
  std::memcpy(at, &v, size_of(kind));  // Little endian: the low bytes are the wrapped value.
}

inline void parallel(size_t count, const std::function<void(size_t, size_t)>& body) {
  size_t workers = count < 65536 ? 1 : std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  for (size_t w = 0; w < workers; ++w) {
    threads.emplace_back(body, count * w / workers, count * (w + 1) / workers);
  }
  for (auto& t : threads) t.join();
}

inline double tiny(Kind kind) {
  return kind == Kind::f16 ? 0x1p-24 : kind == Kind::bf16 ? 0x1p-133 : kind == Kind::f32 ? 0x1p-149 : 0x1p-1074;
}
inline double least_normal(Kind kind) {
  return kind == Kind::f16 ? 0x1p-14 : kind == Kind::f64 ? DBL_MIN : 0x1p-126;
}
inline double largest(Kind kind) {
  return kind == Kind::f16 ? 65504.0 : kind == Kind::bf16 ? 0x1.fep127 : kind == Kind::f32 ? FLT_MAX : DBL_MAX;
}

inline void normal(const Spec& spec, size_t count, std::vector<double>& out) {
  out.assign(count, 0.0);
  parallel(count, [&](size_t first, size_t last) {
    for (int k = 0; k < 12; ++k) {
      Words words(spec.key, k * count + first);
      for (size_t i = first; i < last; ++i) out[i] += words.unit();
    }
    for (size_t i = first; i < last; ++i) out[i] = spec.x[0] + spec.x[1] * (out[i] - 6.0);
  });
}

inline void generate(const Spec& spec, Kind kind, size_t count, uint8_t* base) {
  std::string rule = spec.rule;
  auto each = [&](const std::function<void(Words&, size_t)>& body) {
    parallel(count, [&](size_t first, size_t last) {
      Words words(spec.key, first);
      for (size_t i = first; i < last; ++i) body(words, i);
    });
  };
  auto put = [&](size_t i, double v) { store(kind, base, i, v, 0, true); };
  auto put_int = [&](size_t i, int64_t v) { store(kind, base, i, 0, v, false); };
  uint64_t span = spec.i[1] < spec.i[0] ? 0 : static_cast<uint64_t>(spec.i[1] - spec.i[0] + 1);

  if (rule == "uniform" || rule == "sorted") {
    if (is_float(kind) && rule == "uniform") {
      each([&](Words& w, size_t i) { put(i, spec.x[0] + (spec.x[1] - spec.x[0]) * w.unit()); });
    } else if (is_float(kind)) {
      std::vector<double> made(count);
      each([&](Words& w, size_t i) { made[i] = spec.x[0] + (spec.x[1] - spec.x[0]) * w.unit(); });
      std::sort(made.begin(), made.end());
      for (size_t i = 0; i < count; ++i) put(i, made[i]);
    } else {
      std::vector<int64_t> made(count, 0);
      if (span) each([&](Words& w, size_t i) { made[i] = spec.i[0] + w.below(span); });
      if (rule == "sorted") std::sort(made.begin(), made.end());
      for (size_t i = 0; i < count; ++i) put_int(i, made[i]);
    }
  } else if (rule == "normal") {
    std::vector<double> made;
    normal(spec, count, made);
    for (size_t i = 0; i < count; ++i) put(i, made[i]);
  } else if (rule == "skew") {
    parallel(count, [&](size_t first, size_t last) {
      Words signs(spec.key, first), sizes(spec.key, count + first);
      for (size_t i = first; i < last; ++i) {
        double sign = signs.next() & 1 ? 1.0 : -1.0;
        put(i, sign * spec.x[0] * 0.001 / (sizes.unit() + 1e-6));
      }
    });
  } else if (rule == "exact") {
    each([&](Words& w, size_t i) { put(i, static_cast<double>(spec.i[0] + w.below(span))); });
  } else if (rule == "special") {
    std::vector<double> plain;
    normal(spec, count, plain);
    double t = tiny(kind), m = least_normal(kind), b = largest(kind);
    const double odd[13] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, t, -t, 3 * t, m, b, -b, 1.0, -1.0};
    Words pick(spec.key, 12 * count), chosen(spec.key, 13 * count);
    for (size_t i = 0; i < count; ++i) {
      bool picked = pick.below(4) == 0;
      double v = odd[chosen.below(13)];
      put(i, picked ? v : plain[i]);
    }
  } else if (rule == "nonfinite") {
    std::vector<double> plain;
    normal(spec, count, plain);
    double t = tiny(kind);
    const double odd[8] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, t, -3 * t, 1.0};
    Words pick(spec.key, 12 * count), chosen(spec.key, 13 * count);
    for (size_t i = 0; i < count; ++i) {
      bool picked = pick.below(8) == 0;
      double v = odd[chosen.below(8)];
      put(i, picked ? v : plain[i]);
    }
  } else if (rule == "bits") {
    size_t bytes = count * size_of(kind), whole = bytes / 8 + 1;
    std::vector<uint64_t> raw(whole);
    parallel(whole, [&](size_t first, size_t last) {
      Words words(spec.key, first);
      for (size_t i = first; i < last; ++i) raw[i] = words.next();
    });
    std::memcpy(base, raw.data(), bytes);
    if (kind == Kind::boolean) for (size_t i = 0; i < count; ++i) base[i] &= 1;
  } else if (rule == "const") {
    for (size_t i = 0; i < count; ++i) is_float(kind) ? put(i, spec.x[0]) : put_int(i, spec.i[0]);
  } else if (rule == "zeros") {
    std::memset(base, 0, count * size_of(kind));
  } else if (rule == "iota") {
    for (size_t i = 0; i < count; ++i) put_int(i, static_cast<int64_t>(i) * spec.i[1] + spec.i[0]);
  } else if (rule == "permutation") {
    std::vector<uint64_t> draw(count);
    each([&](Words& w, size_t i) { draw[i] = w.next(); });
    std::vector<int64_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return draw[a] < draw[b]; });
    for (size_t i = 0; i < count; ++i) put_int(i, order[i]);
  } else if (rule == "choice") {
    each([&](Words& w, size_t i) { put(i, spec.values[w.below(spec.values.size())]); });
  } else if (rule == "offsets") {
    std::vector<int64_t> made(count > 2 ? count - 2 : 0);
    Words words(spec.key, 0);
    for (auto& v : made) v = words.below(static_cast<uint64_t>(spec.i[0]) + 1);
    std::sort(made.begin(), made.end());
    for (size_t i = 0; i < count; ++i) {
      put_int(i, i == 0 ? 0 : i == count - 1 ? spec.i[0] : made[i - 1]);
    }
  } else if (rule == "identity") {
    size_t side = static_cast<size_t>(std::sqrt(static_cast<double>(count)));
    side = std::max<size_t>(side, 1);
    for (size_t i = 0; i < count; ++i) put(i, i % (side + 1) == 0 ? 1.0 : 0.0);
  } else {
    std::fprintf(stderr, "no generator %s\n", spec.rule);
    std::exit(2);
  }
}

inline void poison(Kind kind, size_t count, uint8_t* base) {
  size_t bytes = count * size_of(kind);
  for (size_t i = 0; i < bytes; ++i) {
    uint32_t word = static_cast<uint32_t>((i / 4 * 0x9E3779B97F4A7C15ull) >> 40) | 0xFFC00000u;
    base[i] = kind == Kind::boolean ? 0 : static_cast<uint8_t>(word >> (8 * (i % 4)));
  }
  if (kind == Kind::boolean) {
    for (size_t i = 0; i < bytes; ++i) {
      uint32_t word = static_cast<uint32_t>((i / 4 * 0x9E3779B97F4A7C15ull) >> 40) | 0xFFC00000u;
      base[i] = (word >> (8 * (i % 4))) & 1;
    }
  }
}

// Sum of mixed words: depends on every byte and its place, and NumPy computes it quickly too.
inline uint64_t checksum(const uint8_t* data, size_t bytes) {
  uint64_t sum = bytes;
  for (size_t i = 0; i * 8 < bytes; ++i) {
    uint64_t w = 0;
    std::memcpy(&w, data + i * 8, std::min<size_t>(8, bytes - i * 8));
    w ^= i * 0x9E3779B97F4A7C15ull;
    w *= 0xBF58476D1CE4E5B9ull;
    w ^= w >> 32;
    w *= 0x94D049BB133111EBull;
    sum += w;
  }
  return sum;
}

// ---- Device ------------------------------------------------------------------------------------

inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "driver: %s: %s\n", what, cudaGetErrorString(status));
  std::exit(3);
}
#define DRIVER_CHECK(call) ::driver::check((call), #call)

constexpr size_t GUARD = 1024;
constexpr size_t FLUSH = size_t(256) << 20;

struct Buffer {
  std::string name;
  Kind kind;
  size_t count;
  char role;            // 'i' in, 'o' out, 'b' both
  bool is_symbol, is_ordered;
  uint8_t* block = nullptr;    // guard, contents, guard
  uint8_t* device = nullptr;   // the address a kernel gets
  std::vector<uint8_t> initial;
  size_t bytes() const { return count * size_of(kind); }
};

template <typename... P>
constexpr bool fits(void (*)(P...), std::initializer_list<size_t> sizes) {
  size_t expected[] = {sizeof(P)..., 0};
  if (sizes.size() != sizeof...(P)) return false;
  size_t i = 0;
  for (size_t size : sizes) {
    if (size != expected[i++]) return false;
  }
  return true;
}

struct Options {
  std::string out = "results";
  bool once = false, checked_only = false, inputs_only = false;
  int noise = 20, timed = 20;
};

class Session {
 public:
  Session(const Options& options, std::string name, bool is_bench)
      : options_(options), name_(std::move(name)), is_bench_(is_bench) {}

  ~Session() {
    for (auto& b : buffers_) if (b.block) cudaFree(b.block);
    for (auto t : textures_) cudaDestroyTextureObject(t);
    for (auto a : arrays_) cudaFreeArray(a);
  }

  Buffer& array(const char* name, Kind kind, size_t count, char role, const Spec& spec,
                bool is_ordered = true, const void* symbol = nullptr) {
    buffers_.push_back({name, kind, count, role, symbol != nullptr, is_ordered});
    Buffer& b = buffers_.back();
    b.initial.resize(b.bytes());
    if (role == 'o') poison(kind, count, b.initial.data());
    else generate(spec, kind, count, b.initial.data());
    if (options_.inputs_only) {
      std::printf("%s %s %016llx\n", name_.c_str(), name,
                  static_cast<unsigned long long>(checksum(b.initial.data(), b.bytes())));
      return b;
    }
    if (symbol) {
      void* at = nullptr;
      DRIVER_CHECK(cudaGetSymbolAddress(&at, symbol));
      b.device = static_cast<uint8_t*>(at);
    } else {
      DRIVER_CHECK(cudaMalloc(&b.block, b.bytes() + 2 * GUARD));
      b.device = b.block + GUARD;
      std::vector<uint8_t> guard = guard_bytes();
      DRIVER_CHECK(cudaMemcpy(b.block, guard.data(), GUARD, cudaMemcpyHostToDevice));
      DRIVER_CHECK(cudaMemcpy(b.device + b.bytes(), guard.data(), GUARD, cudaMemcpyHostToDevice));
    }
    upload(b);
    return b;
  }

  cudaTextureObject_t texture(const Buffer& b, int width, int height, int channels, bool linear,
                              cudaTextureAddressMode address, bool normalized) {
    if (options_.inputs_only) return 0;
    cudaResourceDesc resource{};
    cudaTextureDesc desc{};
    int bits = static_cast<int>(size_of(b.kind)) * 8;
    cudaChannelFormatKind format = is_float(b.kind) ? cudaChannelFormatKindFloat
        : (b.kind == Kind::i8 || b.kind == Kind::i16 || b.kind == Kind::i32) ? cudaChannelFormatKindSigned
                                                                            : cudaChannelFormatKindUnsigned;
    cudaChannelFormatDesc channel = cudaCreateChannelDesc(
        bits, channels > 1 ? bits : 0, channels > 2 ? bits : 0, channels > 2 ? bits : 0, format);
    if (height == 0) {
      resource.resType = cudaResourceTypeLinear;
      resource.res.linear.devPtr = b.device;
      resource.res.linear.desc = channel;
      resource.res.linear.sizeInBytes = b.bytes();
    } else {
      cudaArray_t store;
      DRIVER_CHECK(cudaMallocArray(&store, &channel, width, height));
      arrays_.push_back(store);
      size_t row = static_cast<size_t>(width) * channels * size_of(b.kind);
      DRIVER_CHECK(cudaMemcpy2DToArray(store, 0, 0, b.device, row, row, height, cudaMemcpyDeviceToDevice));
      resource.resType = cudaResourceTypeArray;
      resource.res.array.array = store;
    }
    for (auto& mode : desc.addressMode) mode = address;
    desc.filterMode = linear ? cudaFilterModeLinear : cudaFilterModePoint;
    desc.readMode = cudaReadModeElementType;
    desc.normalizedCoords = normalized;
    cudaTextureObject_t object;
    DRIVER_CHECK(cudaCreateTextureObject(&object, &resource, &desc, nullptr));
    textures_.push_back(object);
    return object;
  }

  void measure(const void* kernel, dim3 grid, dim3 block, size_t shared, void** args, bool cooperative) {
    if (options_.inputs_only) return;
    if (shared > 48 * 1024) {
      DRIVER_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                        static_cast<int>(shared)));
    }
    auto launch = [&] {
      if (cooperative) DRIVER_CHECK(cudaLaunchCooperativeKernel(kernel, grid, block, args, shared, 0));
      else DRIVER_CHECK(cudaLaunchKernel(kernel, grid, block, args, shared, 0));
    };
    launch();
    DRIVER_CHECK(cudaDeviceSynchronize());
    if (options_.once) return;
    inspect();
    if (!is_bench_) repeat(launch);
    time(launch);
    write_record(kernel, grid, block, shared);
  }

 protected:
  static std::vector<uint8_t> guard_bytes() {
    std::vector<uint8_t> bytes(GUARD);
    for (size_t i = 0; i < GUARD; ++i) bytes[i] = static_cast<uint8_t>(0xC5 ^ (i * 37));
    return bytes;
  }

  void upload(Buffer& b) {
    DRIVER_CHECK(cudaMemcpy(b.device, b.initial.data(), b.bytes(), cudaMemcpyHostToDevice));
  }

  std::vector<uint8_t> download(const Buffer& b) {
    std::vector<uint8_t> now(b.bytes());
    DRIVER_CHECK(cudaMemcpy(now.data(), b.device, b.bytes(), cudaMemcpyDeviceToHost));
    return now;
  }

  void inspect() {
    std::vector<uint8_t> guard = guard_bytes(), seen(GUARD);
    for (auto& b : buffers_) {
      if (!b.is_symbol) {
        for (uint8_t* at : {b.block, b.device + b.bytes()}) {
          DRIVER_CHECK(cudaMemcpy(seen.data(), at, GUARD, cudaMemcpyDeviceToHost));
          if (seen != guard) broken_guards_.push_back(b.name);
        }
      }
      std::vector<uint8_t> now = download(b);
      if (b.role == 'i') {
        if (now != b.initial) changed_inputs_.push_back(b.name);
      } else {
        first_.push_back(now);
        output_sums_.push_back(checksum(now.data(), now.size()));
        if (!is_bench_) save(b.name + ".bin", now.data(), now.size());
      }
    }
  }

  template <typename Launch>
  void repeat(const Launch& launch) {
    std::vector<std::vector<double>> low, high;
    for (size_t o = 0; o < first_.size(); ++o) {
      low.emplace_back();
      high.emplace_back();
      differing_.push_back(0);
    }
    for (int r = 0; r < options_.noise; ++r) {
      for (auto& b : buffers_) if (b.role != 'i') upload(b);
      launch();
      DRIVER_CHECK(cudaDeviceSynchronize());
      size_t o = 0;
      for (auto& b : buffers_) {
        if (b.role == 'i') continue;
        std::vector<uint8_t> now = download(b);
        if (b.is_ordered && now != first_[o]) {
          size_t width = size_of(b.kind);
          if (is_float(b.kind) && low[o].empty()) {
            for (size_t i = 0; i < b.count; ++i) low[o].push_back(to_double(b.kind, &first_[o][i * width]));
            high[o] = low[o];
          }
          size_t count = 0;
          for (size_t i = 0; i < b.count; ++i) {
            if (std::memcmp(&now[i * width], &first_[o][i * width], width) != 0) ++count;
            if (!is_float(b.kind)) continue;
            double v = to_double(b.kind, &now[i * width]);
            low[o][i] = std::fmin(low[o][i], v);
            high[o][i] = std::fmax(high[o][i], v);
          }
          differing_[o] = std::max(differing_[o], count);
        }
        ++o;
      }
    }
    size_t o = 0;
    for (auto& b : buffers_) {
      if (b.role == 'i') continue;
      if (!low[o].empty()) {
        save(b.name + ".low.bin", low[o].data(), low[o].size() * 8);
        save(b.name + ".high.bin", high[o].data(), high[o].size() * 8);
      }
      ++o;
    }
  }

  template <typename Launch>
  void time(const Launch& launch) {
    static void* flush = nullptr;
    if (!flush) DRIVER_CHECK(cudaMalloc(&flush, FLUSH));
    cudaEvent_t begin, end;
    DRIVER_CHECK(cudaEventCreate(&begin));
    DRIVER_CHECK(cudaEventCreate(&end));
    for (int r = 0; r < options_.timed; ++r) {
      for (auto& b : buffers_) if (b.role == 'b') upload(b);
      DRIVER_CHECK(cudaMemsetAsync(flush, r & 255, FLUSH, 0));
      DRIVER_CHECK(cudaEventRecord(begin));
      launch();
      DRIVER_CHECK(cudaEventRecord(end));
      DRIVER_CHECK(cudaEventSynchronize(end));
      float ms;
      DRIVER_CHECK(cudaEventElapsedTime(&ms, begin, end));
      times_.push_back(ms * 1000.0);
    }
    cudaEventDestroy(begin);
    cudaEventDestroy(end);
  }

  void save(const std::string& what, const void* data, size_t bytes) {
    std::string path = options_.out + "/" + name_ + "." + what;
    std::FILE* f = std::fopen(path.c_str(), "wb");
    if (!f || std::fwrite(data, 1, bytes, f) != bytes) {
      std::fprintf(stderr, "driver: cannot write %s\n", path.c_str());
      std::exit(4);
    }
    std::fclose(f);
  }

  void write_record(const void* kernel, dim3 grid, dim3 block, size_t shared) {
    cudaFuncAttributes a{};
    DRIVER_CHECK(cudaFuncGetAttributes(&a, kernel));
    int resident = 0;
    DRIVER_CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(
        &resident, kernel, block.x * block.y * block.z, shared));
    std::string path = options_.out + "/" + name_ + ".json";
    std::FILE* f = std::fopen(path.c_str(), "w");
    if (!f) std::exit(4);
    std::fprintf(f, "{\"case\": \"%s\", \"grid\": [%u, %u, %u], \"block\": [%u, %u, %u], \"shared_bytes\": %zu,\n",
                 name_.c_str(), grid.x, grid.y, grid.z, block.x, block.y, block.z, shared);
    std::fprintf(f, " \"registers\": %d, \"static_shared_bytes\": %zu, \"local_bytes\": %zu, \"blocks_per_multiprocessor\": %d,\n",
                 a.numRegs, a.sharedSizeBytes, a.localSizeBytes, resident);
    auto list = [&](const char* key, const std::vector<std::string>& names) {
      std::fprintf(f, " \"%s\": [", key);
      for (size_t i = 0; i < names.size(); ++i) std::fprintf(f, "%s\"%s\"", i ? ", " : "", names[i].c_str());
      std::fprintf(f, "],\n");
    };
    list("broken_guards", broken_guards_);
    list("changed_inputs", changed_inputs_);
    std::fprintf(f, " \"arrays\": {");
    size_t o = 0;
    for (size_t k = 0; k < buffers_.size(); ++k) {
      auto& b = buffers_[k];
      std::fprintf(f, "%s\n  \"%s\": {\"before\": \"%016llx\"", k ? "," : "", b.name.c_str(),
                   static_cast<unsigned long long>(checksum(b.initial.data(), b.bytes())));
      if (b.role != 'i') {
        std::fprintf(f, ", \"after\": \"%016llx\"", static_cast<unsigned long long>(output_sums_[o]));
        if (!is_bench_) std::fprintf(f, ", \"differing\": %zu", differing_[o]);
        ++o;
      }
      std::fprintf(f, "}");
    }
    std::fprintf(f, "},\n \"noise_repeats\": %d, \"cold_times_us\": [", is_bench_ ? 0 : options_.noise);
    for (size_t i = 0; i < times_.size(); ++i) std::fprintf(f, "%s%.3f", i ? ", " : "", times_[i]);
    std::fprintf(f, "]}\n");
    std::fclose(f);
  }

  const Options& options_;
  std::string name_;
  bool is_bench_;
  std::deque<Buffer> buffers_;
  std::vector<cudaTextureObject_t> textures_;
  std::vector<cudaArray_t> arrays_;
  std::vector<std::vector<uint8_t>> first_;
  std::vector<uint64_t> output_sums_;
  std::vector<size_t> differing_;
  std::vector<std::string> broken_guards_, changed_inputs_;
  std::vector<double> times_;
};

template <typename T>
const void* symbol_of(const T& symbol) {
  return reinterpret_cast<const void*>(&symbol);
}

inline void print_device(const std::string& path) {
  cudaDeviceProp p{};
  int device = 0, driver = 0, runtime = 0, clock = 0, memory_clock = 0;
  DRIVER_CHECK(cudaGetDevice(&device));
  DRIVER_CHECK(cudaGetDeviceProperties(&p, device));
  DRIVER_CHECK(cudaDriverGetVersion(&driver));
  DRIVER_CHECK(cudaRuntimeGetVersion(&runtime));
  cudaDeviceGetAttribute(&clock, cudaDevAttrClockRate, device);
  cudaDeviceGetAttribute(&memory_clock, cudaDevAttrMemoryClockRate, device);
  std::FILE* f = std::fopen(path.c_str(), "w");
  if (!f) std::exit(4);
  std::fprintf(f,
               "{\"name\": \"%s\", \"compute_capability\": \"%d.%d\", \"multiprocessors\": %d,\n"
               " \"l2_bytes\": %d, \"memory_bytes\": %zu, \"clock_khz\": %d, \"memory_clock_khz\": %d,\n"
               " \"memory_bus_bits\": %d, \"driver\": %d, \"runtime\": %d}\n",
               p.name, p.major, p.minor, p.multiProcessorCount, p.l2CacheSize, p.totalGlobalMem, clock,
               memory_clock, p.memoryBusWidth, driver, runtime);
  std::fclose(f);
}

struct Entry {
  const char* name;
  bool is_bench;
  void (*run)(const Options&);
};

inline int main_of(int argc, char** argv, const std::vector<Entry>& entries) {
  Options options;
  std::vector<std::string> wanted;
  for (int i = 1; i < argc; ++i) {
    std::string a = argv[i];
    if (a == "--once") options.once = true;
    else if (a == "--checked") options.checked_only = true;
    else if (a == "--inputs") options.inputs_only = true;
    else if (a == "--list") { for (auto& e : entries) std::printf("%s%s\n", e.name, e.is_bench ? " bench" : ""); return 0; }
    else if (a == "--out" && i + 1 < argc) options.out = argv[++i];
    else wanted.push_back(a);
  }
  if (!options.once && !options.inputs_only) print_device(options.out + "/device.json");
  for (auto& e : entries) {
    bool chosen = wanted.empty() || std::find(wanted.begin(), wanted.end(), e.name) != wanted.end();
    if (chosen && !(options.checked_only && e.is_bench)) e.run(options);
  }
  return 0;
}

}  // namespace driver
