#include "train/export.h"

#include <cstring>

namespace millwright::train {

void ExpandEmbedding(const model::TensorSpec& spec, const data::VocabMap& vocab, uint64_t seed,
                     std::span<const float> rows, std::span<float> out) {
  const int64_t dim = spec.shape.back();
  for (int64_t word = 0; word < vocab.vocab(); ++word) {
    float* row = out.data() + word * dim;
    int64_t source = vocab.Row(static_cast<int32_t>(word));
    if (source < 0 && vocab.has_shared_row()) source = vocab.rows() - 1;
    if (source < 0) {
      model::InitRows(spec, seed, word, word + 1, row);
    } else {
      std::memcpy(row, rows.data() + source * dim, static_cast<size_t>(dim) * sizeof(float));
    }
  }
}

checkpoint::TensorSource FullTensors(const ParameterSet<float>& parameters,
                                     const data::VocabMap& vocab, uint64_t seed,
                                     const model::LoraConfig& lora) {
  return [&parameters, &vocab, seed, &lora](const model::TensorSpec& spec,
                                            std::span<float> out) -> Status {
    const auto* p = parameters.Find(spec.role, spec.layer, model::LoraPart::kNone);
    if (p == nullptr) return Failed("tensor {} is not a parameter of this network", spec.name);
    if (spec.has_vocab_rows()) {
      ExpandEmbedding(spec, vocab, seed, p->value.span(), out);
      return {};
    }
    std::memcpy(out.data(), p->value.data(), out.size_bytes());
    if (!lora.Adapts(spec.role)) return {};
    const auto* a = parameters.Find(spec.role, spec.layer, model::LoraPart::kA);
    const auto* b = parameters.Find(spec.role, spec.layer, model::LoraPart::kB);
    model::MergeAdapter(lora.rank, lora.scale(), a->value.span(), b->value.span(), out);
    return {};
  };
}

checkpoint::TensorSource AdapterTensors(const ParameterSet<float>& parameters) {
  return [&parameters](const model::TensorSpec& spec, std::span<float> out) -> Status {
    const auto* p = parameters.Find(spec.role, spec.layer, spec.part);
    if (p == nullptr) return Failed("tensor {} is not a parameter of this network", spec.name);
    std::memcpy(out.data(), p->value.data(), out.size_bytes());
    return {};
  };
}

}  // namespace millwright::train
