#include "sample/weights.h"

namespace millwright::sample {

Result<Weights> Weights::Read(const model::ModelConfig& config,
                              const checkpoint::TensorSource& source) {
  auto valid = model::Validate(config);
  if (!valid) return valid.error();
  Weights weights;
  weights.classifier_ = model::ClassifierRole(config);
  for (const model::TensorSpec& spec : model::TensorTable(config)) {
    AlignedBuffer<float> tensor(static_cast<size_t>(NumElements(spec.shape)));
    auto status = source(spec, tensor.span());
    if (!status) return status.error();
    weights.tensors_[{spec.role, spec.layer}] = std::move(tensor);
  }
  return weights;
}

}  // namespace millwright::sample
