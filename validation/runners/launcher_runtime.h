// What a generated launcher needs: arrays from files between guard bands, launches, a reply.
//
//   calls/<n>/<array>.bin -> device, guards and all -> launch -> back into the same file
//
// In HIP's words; on an NVIDIA machine those are CUDA's (hip_on_nvidia/hip/hip_runtime.h).
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace launcher {

constexpr size_t GUARD = 4096;  // As in exchange.py.

inline std::vector<std::string>& replies() {
  static std::vector<std::string> rows;
  return rows;
}

inline void write_replies() {
  std::FILE* f = std::fopen("reply.json.part", "w");
  if (!f) std::exit(4);
  std::fputs("[", f);
  for (size_t i = 0; i < replies().size(); ++i) std::fprintf(f, "%s%s", i ? ",\n" : "", replies()[i].c_str());
  std::fputs("]\n", f);
  std::fclose(f);
  std::rename("reply.json.part", "reply.json");
}

inline uint32_t crc32(const std::vector<uint8_t>& data) {
  static uint32_t table[256];
  if (!table[1]) {
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int k = 0; k < 8; ++k) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
      table[i] = c;
    }
  }
  uint32_t c = 0xFFFFFFFFu;
  for (uint8_t byte : data) c = table[(c ^ byte) & 255] ^ (c >> 8);
  return c ^ 0xFFFFFFFFu;
}

class Call {
 public:
  explicit Call(int number) : folder_("calls/" + std::to_string(number) + "/") {}
  ~Call() {
    for (auto& a : arrays_) if (a.block) (void)hipFree(a.block);
  }

  // The device address of an array.
  void* array(const char* name, size_t bytes) {
    Array a = read(name, bytes);
    check(hipMalloc(reinterpret_cast<void**>(&a.block), bytes + 2 * GUARD));
    if (failed()) return nullptr;
    check(hipMemcpy(a.block, a.data.data(), a.data.size(), hipMemcpyHostToDevice));
    a.device = a.block + GUARD;
    arrays_.push_back(a);
    return a.device;
  }

  // A device variable of the candidate: no guards around it.
  void variable(const char* name, size_t bytes, void* address) {
    Array a = read(name, bytes);
    a.device = static_cast<uint8_t*>(address);
    check(hipMemcpy(a.device, a.data.data() + GUARD, bytes, hipMemcpyHostToDevice));
    arrays_.push_back(a);
  }

  void launch(const void* kernel, dim3 grid, dim3 block, size_t shared, void** args, bool cooperative) {
    if (shared > 48 * 1024) {
      check(hipFuncSetAttribute(kernel, hipFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)));
    }
    hipEvent_t begin, end;
    check(hipEventCreate(&begin));
    check(hipEventCreate(&end));
    if (!failed()) {
      check(hipEventRecord(begin));
      check(cooperative ? hipLaunchCooperativeKernel(kernel, grid, block, args, static_cast<unsigned>(shared), 0)
                        : hipLaunchKernel(kernel, grid, block, args, shared, 0));
      check(hipEventRecord(end));
      check(hipDeviceSynchronize());
    }
    float ms = 0;
    if (!failed()) check(hipEventElapsedTime(&ms, begin, end));
    std::string sums;
    for (auto& a : arrays_) {
      if (failed()) break;
      if (a.block) check(hipMemcpy(a.data.data(), a.block, a.data.size(), hipMemcpyDeviceToHost));
      else check(hipMemcpy(a.data.data() + GUARD, a.device, a.data.size() - 2 * GUARD, hipMemcpyDeviceToHost));
      std::FILE* f = std::fopen((folder_ + a.name + ".bin").c_str(), "r+b");
      if (!f || std::fwrite(a.data.data(), 1, a.data.size(), f) != a.data.size()) fail("cannot write " + a.name);
      if (f) std::fclose(f);
      sums += (sums.empty() ? "\"" : ", \"") + a.name + "\": " + std::to_string(crc32(a.data));
    }
    if (failed()) replies().push_back("{\"status\": \"failed\", \"message\": \"" + why_ + "\"}");
    else replies().push_back("{\"status\": \"ok\", \"faults\": [], \"sums\": {" + sums + "}, \"times_us\": [" +
                             std::to_string(ms * 1000) + "]}");
    write_replies();
    // A device that faulted stays so: what is left cannot be run here.
    if (failed()) std::exit(5);
  }

 private:
  struct Array {
    std::string name;
    std::vector<uint8_t> data;
    uint8_t* block = nullptr;
    uint8_t* device = nullptr;
  };

  Array read(const char* name, size_t bytes) {
    Array a;
    a.name = name;
    a.data.resize(bytes + 2 * GUARD);
    std::FILE* f = std::fopen((folder_ + a.name + ".bin").c_str(), "rb");
    if (!f || std::fread(a.data.data(), 1, a.data.size(), f) != a.data.size()) fail("cannot read " + a.name);
    if (f) std::fclose(f);
    return a;
  }
  void check(hipError_t status) {
    if (status != hipSuccess) fail(hipGetErrorString(status));
  }
  void fail(const std::string& why) {
    if (why_.empty()) why_ = why;
  }
  bool failed() const { return !why_.empty(); }

  std::string folder_, why_;
  std::vector<Array> arrays_;
};

}  // namespace launcher
