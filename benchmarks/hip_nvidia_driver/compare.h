// A launch of the original and one of the port, in turn, on the same data of one device.
//
//   checked case   outputs compared byte for byte; both kept where they differ
//   timed case     original, port, original, port...: cold L2, device events, medians later
#pragma once

#include "driver_runtime.h"

namespace driver {

struct Launch {
  const void* kernel;
  dim3 grid, block;
  size_t shared;
  void** args;
  bool cooperative;

  void operator()() const {
    if (cooperative) DRIVER_CHECK(cudaLaunchCooperativeKernel(kernel, grid, block, args, shared, 0));
    else DRIVER_CHECK(cudaLaunchKernel(kernel, grid, block, args, shared, 0));
  }
};

class Comparison : public Session {
 public:
  Comparison(const Options& options, std::string name, bool is_bench)
      : Session(options, name, is_bench), options_(options), name_(name), is_bench_(is_bench) {}

  // The port's own copy of a device variable.
  void twin(Buffer& b, const void* symbol) {
    void* at = nullptr;
    DRIVER_CHECK(cudaGetSymbolAddress(&at, symbol));
    twins_.push_back({&b, static_cast<uint8_t*>(at)});
  }

  void compare(Launch original, Launch port) {
    for (const Launch& one : {original, port}) {
      if (one.shared > 48 * 1024) {
        DRIVER_CHECK(cudaFuncSetAttribute(one.kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                          static_cast<int>(one.shared)));
      }
    }
    if (is_bench_) times(original, port);
    else outputs(original, port);
  }

 private:
  struct Twin {
    Buffer* buffer;
    uint8_t* device;
  };

  void reset() {
    for (auto& b : buffers_) upload(b);
    for (auto& t : twins_) {
      DRIVER_CHECK(cudaMemcpy(t.device, t.buffer->initial.data(), t.buffer->bytes(),
                              cudaMemcpyHostToDevice));
    }
  }

  std::vector<uint8_t> contents(Buffer& b, bool of_port) {
    for (auto& t : twins_) {
      if (of_port && t.buffer == &b) {
        std::vector<uint8_t> now(b.bytes());
        DRIVER_CHECK(cudaMemcpy(now.data(), t.device, b.bytes(), cudaMemcpyDeviceToHost));
        return now;
      }
    }
    return download(b);
  }

  std::vector<std::vector<uint8_t>> after(const Launch& launch, bool of_port) {
    reset();
    launch();
    DRIVER_CHECK(cudaDeviceSynchronize());
    std::vector<std::vector<uint8_t>> made;
    for (auto& b : buffers_) made.push_back(contents(b, of_port));
    std::vector<uint8_t> guard = guard_bytes(), seen(GUARD);
    for (auto& b : buffers_) {
      if (b.is_symbol) continue;
      for (uint8_t* at : {b.block, b.device + b.bytes()}) {
        DRIVER_CHECK(cudaMemcpy(seen.data(), at, GUARD, cudaMemcpyDeviceToHost));
        broken_ += seen != guard;
      }
    }
    return made;
  }

  void outputs(const Launch& original, const Launch& port) {
    auto theirs = after(original, false), again = after(original, false);
    int broken_before = broken_;
    auto mine = after(port, true);
    size_t differing = 0, restless = 0;
    for (size_t i = 0; i < mine.size(); ++i) {
      differing += mine[i] != theirs[i];
      restless += again[i] != theirs[i];
    }
    size_t i = 0;
    for (auto& b : buffers_) {
      if (differing && b.role != 'i') save(b.name + ".bin", mine[i].data(), mine[i].size());
      ++i;
    }
    std::printf("{\"case\": \"%s\", \"arrays\": %zu, \"differing\": %zu, \"original_differs_from_itself\": %zu, "
                "\"guards_broken\": %d}\n",
                name_.c_str(), mine.size(), differing, restless, broken_ - broken_before);
    std::fflush(stdout);
  }

  float one(const Launch& launch) {
    for (auto& b : buffers_) if (b.role == 'b') upload(b);
    DRIVER_CHECK(cudaMemsetAsync(flush_, 1, FLUSH, 0));
    DRIVER_CHECK(cudaEventRecord(begin_));
    launch();
    DRIVER_CHECK(cudaEventRecord(end_));
    DRIVER_CHECK(cudaEventSynchronize(end_));
    float ms;
    DRIVER_CHECK(cudaEventElapsedTime(&ms, begin_, end_));
    return ms * 1000.0f;
  }

  void times(const Launch& original, const Launch& port) {
    DRIVER_CHECK(cudaMalloc(&flush_, FLUSH));
    DRIVER_CHECK(cudaEventCreate(&begin_));
    DRIVER_CHECK(cudaEventCreate(&end_));
    reset();
    one(original), one(port);
    std::vector<float> theirs, mine;
    for (int r = 0; r < PAIRS; ++r) {
      // Who goes first changes, so that neither always runs on the warmer clock.
      if (r % 2 == 0) { theirs.push_back(one(original)); mine.push_back(one(port)); }
      else { mine.push_back(one(port)); theirs.push_back(one(original)); }
    }
    std::printf("{\"case\": \"%s\", \"original_us\": [", name_.c_str());
    for (size_t i = 0; i < theirs.size(); ++i) std::printf("%s%.3f", i ? ", " : "", theirs[i]);
    std::printf("], \"port_us\": [");
    for (size_t i = 0; i < mine.size(); ++i) std::printf("%s%.3f", i ? ", " : "", mine[i]);
    std::printf("]}\n");
    std::fflush(stdout);
    cudaFree(flush_);
  }

  static constexpr int PAIRS = 40;
  const Options& options_;
  std::string name_;
  bool is_bench_;
  std::vector<Twin> twins_;
  void* flush_ = nullptr;
  cudaEvent_t begin_, end_;
  int broken_ = 0;
};

}  // namespace driver
