#include "device/reference/reference_device.h"

#include <utility>

#include "base/threads.h"
#include "device/host_device.h"
#include "device/ports.h"
#include "device/reference/evaluator.h"
#include "mil/verify.h"

namespace millwright::device {
namespace {

// The surface's elements as an array of the port's type.
Result<ArrayPtr> ReadSurface(Surface* surface) {
  const Result<Surface::Mapping> mapping = surface->Map(Access::kRead);
  if (!mapping) return mapping.error();
  const SurfaceDesc& desc = surface->desc();
  mil::Array array{desc.type, std::vector<double>(static_cast<size_t>(desc.type.elements()))};
  for (size_t i = 0; i < array.data.size(); ++i) {
    array.data[i] = LoadElement(desc.storage, mapping->bytes().data(), i);
  }
  return std::make_shared<const mil::Array>(std::move(array));
}

Status WriteSurface(const mil::Array& array, const Numerics& numerics, Surface* surface) {
  const Result<Surface::Mapping> mapping = surface->Map(Access::kWrite);
  if (!mapping) return mapping.error();
  const DType storage = surface->desc().storage;
  for (size_t i = 0; i < array.data.size(); ++i) {
    StoreElement(storage, mapping->bytes().data(), i, numerics.Round(array.data[i], storage));
  }
  return {};
}

class ReferenceCall final : public Call {
 public:
  ReferenceCall(const Evaluator& evaluator, std::span<Surface* const> inputs,
                std::span<Surface* const> outputs)
      : evaluator_(evaluator),
        inputs_(inputs.begin(), inputs.end()),
        outputs_(outputs.begin(), outputs.end()) {}

  Status Run() override {
    std::vector<ArrayPtr> inputs;
    for (Surface* surface : inputs_) {
      Result<ArrayPtr> array = ReadSurface(surface);
      if (!array) return array.error();
      inputs.push_back(*std::move(array));
    }
    const Result<std::vector<ArrayPtr>> outputs = evaluator_.Run(std::move(inputs));
    if (!outputs) return outputs.error();
    for (size_t i = 0; i < outputs_.size(); ++i) {
      Status status = WriteSurface(*(*outputs)[i], evaluator_.numerics(), outputs_[i]);
      if (!status) return status;
    }
    return {};
  }

 private:
  const Evaluator& evaluator_;
  std::vector<Surface*> inputs_;
  std::vector<Surface*> outputs_;
};

class ReferenceExecutable final : public Executable {
 public:
  explicit ReferenceExecutable(Evaluator evaluator) : evaluator_(std::move(evaluator)) {}

  Result<std::unique_ptr<Call>> Bind(std::span<Surface* const> inputs,
                                     std::span<Surface* const> outputs) override {
    const DType storage = FloatStorage(evaluator_.numerics().precision());
    const Status status = CheckPorts(evaluator_.function(), inputs, outputs, storage);
    if (!status) return status.error();
    return std::unique_ptr<Call>(new ReferenceCall(evaluator_, inputs, outputs));
  }

 private:
  Evaluator evaluator_;
};

Caps CapsOf(const DeviceOptions& options) {
  Caps caps;
  caps.storage = FloatStorage(options.precision);
  caps.dtype = caps.storage == DType::kFp16 ? DType::kFp16 : DType::kFp32;
  caps.wraps_host_memory = true;
  return caps;
}

class ReferenceDevice final : public HostDevice {
 public:
  explicit ReferenceDevice(const DeviceOptions& options)
      : HostDevice(CapsOf(options)),
        numerics_(options.precision, options.ane_rules, options.products) {}

  std::string_view name() const override { return "reference"; }
  const ProductCounters* products() const override { return numerics_.counters(); }

  Result<std::unique_ptr<Executable>> Compile(const mil::Program& program,
                                              const mil::WeightStore& weights) override {
    if (Status status = mil::Verify(program); !status) return status.error();
    Result<Evaluator> evaluator = Evaluator::Create(program.main(), weights, numerics_);
    if (!evaluator) return evaluator.error();
    return std::unique_ptr<Executable>(new ReferenceExecutable(*std::move(evaluator)));
  }

 private:
  Numerics numerics_;
};

}  // namespace

Result<std::unique_ptr<Device>> OpenReferenceDevice(const DeviceOptions& options) {
  if (HasRoundedProducts(options.precision)) {
    return BadInput("--precision {}: only the cpu device has it", PrecisionName(options.precision));
  }
  if (options.vector_weights != DType::kFp32) {
    return BadInput("--weights {}: only the cpu device has it", DTypeName(options.vector_weights));
  }
  if (options.threads > 0) SetThreads(options.threads);
  return std::unique_ptr<Device>(new ReferenceDevice(options));
}

}  // namespace millwright::device
