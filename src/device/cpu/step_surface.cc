#include <fmt/format.h>

#include "device/cpu/steps.h"
#include "math/convert.h"

namespace millwright::device::cpu {
namespace {

class SurfaceStep final : public Step {
 public:
  SurfaceStep(bool load, size_t port, DType storage, int buffer, int64_t elements)
      : load_(load), port_(port), storage_(storage), buffer_(buffer), elements_(elements) {}

  Status Run(const RunContext& context) const override {
    float* floats = context.buffers[static_cast<size_t>(buffer_)];
    std::byte* bytes = (load_ ? context.inputs : context.outputs)[port_].data();
    if (storage_ == DType::kFp16) {
      Fp16* halves = reinterpret_cast<Fp16*>(bytes);
      load_ ? math::ConvertToFloat(elements_, halves, floats)
            : math::ConvertToFp16(elements_, floats, halves);
      return {};
    }
    for (size_t i = 0; i < static_cast<size_t>(elements_); ++i) {
      if (load_) {
        floats[i] = static_cast<float>(LoadElement(storage_, bytes, i));
      } else {
        StoreElement(storage_, bytes, i, static_cast<double>(floats[i]));
      }
    }
    return {};
  }

  std::string Describe() const override {
    return fmt::format("{} {} {} as {}", load_ ? "load input" : "store output", port_, elements_,
                       DTypeName(storage_));
  }

  std::vector<int> Buffers() const override { return {buffer_}; }

 private:
  bool load_;
  size_t port_;
  DType storage_;
  int buffer_;
  int64_t elements_;
};

}  // namespace

std::unique_ptr<Step> MakeLoadSurfaceStep(size_t port, DType storage, int buffer,
                                          int64_t elements) {
  return std::make_unique<SurfaceStep>(true, port, storage, buffer, elements);
}

std::unique_ptr<Step> MakeStoreSurfaceStep(size_t port, DType storage, int buffer,
                                           int64_t elements) {
  return std::make_unique<SurfaceStep>(false, port, storage, buffer, elements);
}

}  // namespace millwright::device::cpu
