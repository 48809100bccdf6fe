#include "train/parameters.h"

namespace millwright::train {
namespace {

constexpr size_t kRoles = static_cast<size_t>(model::TensorRole::kLmHead) + 1;
constexpr size_t kParts = 3;

}  // namespace

int64_t FullEmbeddingRow(const data::VocabMap& vocab, int64_t row) {
  const auto& active = vocab.active();
  if (vocab.mode() == data::VocabMode::kFull) return row;
  if (row < static_cast<int64_t>(active.size())) return active[static_cast<size_t>(row)];
  // Active ids ascend, so the first gap is the first inactive word.
  int64_t id = 0;
  while (id < static_cast<int64_t>(active.size()) && active[static_cast<size_t>(id)] == id) ++id;
  return id;
}

template <class T>
ParameterSet<T>::ParameterSet(const model::ModelConfig& config, const data::VocabMap& vocab,
                              const ParameterOptions& options)
    : index_(kParts * kRoles * static_cast<size_t>(config.layers + 1), SIZE_MAX),
      layers_(config.layers) {
  std::vector<model::TensorSpec> table = model::TensorTable(config);
  if (options.lora.enabled()) {
    for (model::TensorSpec& spec : model::AdapterTable(config, options.lora)) {
      table.push_back(std::move(spec));
    }
  }
  for (model::TensorSpec& spec : table) {
    Parameter<T> parameter;
    parameter.rows = spec.is_norm() ? 1 : spec.shape[0];
    parameter.columns = spec.is_norm() ? spec.shape[0] : spec.shape[1];
    if (spec.has_vocab_rows()) parameter.rows = vocab.rows();
    const auto count = static_cast<size_t>(parameter.count());
    parameter.value = AlignedBuffer<T>(count);
    parameter.trained = options.gradients && (!options.trained || options.trained(spec));
    if (parameter.trained) parameter.grad = AlignedBuffer<T>(count);
    if (parameter.trained && options.moments == Moments::kFull) {
      parameter.m = AlignedBuffer<T>(count);
      parameter.v = AlignedBuffer<T>(count);
    } else if (parameter.trained && options.moments == Moments::kBf16) {
      parameter.m_bf16 = AlignedBuffer<Bf16>(count);
      parameter.v_bf16 = AlignedBuffer<Bf16>(count);
    }
    index_[Slot(spec.role, spec.layer, spec.part)] = parameters_.size();
    parameter.spec = std::move(spec);
    parameters_.push_back(std::move(parameter));
  }
}

template <class T>
void ParameterSet<T>::Init(uint64_t seed, const data::VocabMap& vocab) {
  for (Parameter<T>& p : parameters_) {
    if (p.spec.part != model::LoraPart::kNone) {
      model::InitAdapter(p.spec, seed, p.value.data());
      continue;
    }
    if (!p.spec.has_vocab_rows()) {
      model::InitRows(p.spec, seed, 0, p.rows, p.value.data());
      continue;
    }
    for (int64_t row = 0; row < p.rows; ++row) {
      const int64_t full = FullEmbeddingRow(vocab, row);
      model::InitRows(p.spec, seed, full, full + 1, p.value.data() + row * p.columns);
    }
  }
}

template <class T>
size_t ParameterSet<T>::Slot(model::TensorRole role, int64_t layer, model::LoraPart part) const {
  const size_t row = static_cast<size_t>(part) * kRoles + static_cast<size_t>(role);
  return row * static_cast<size_t>(layers_ + 1) + static_cast<size_t>(layer + 1);
}

template <class T>
Parameter<T>& ParameterSet<T>::Get(model::TensorRole role, int64_t layer, model::LoraPart part) {
  return parameters_[index_[Slot(role, layer, part)]];
}

template <class T>
const Parameter<T>* ParameterSet<T>::Find(model::TensorRole role, int64_t layer,
                                          model::LoraPart part) const {
  const size_t index = index_[Slot(role, layer, part)];
  return index < parameters_.size() ? &parameters_[index] : nullptr;
}

template <class T>
int64_t ParameterSet<T>::count() const {
  int64_t total = 0;
  for (const Parameter<T>& p : parameters_) total += p.count();
  return total;
}

template <class T>
int64_t ParameterSet<T>::trained_count() const {
  int64_t total = 0;
  for (const Parameter<T>& p : parameters_) total += p.trained ? p.count() : 0;
  return total;
}

template class ParameterSet<float>;
template class ParameterSet<double>;

}  // namespace millwright::train
