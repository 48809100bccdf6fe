#include "train/tensor_health.h"

#include <cmath>

#include "math/summary.h"
#include "math/vector.h"

namespace millwright::train {
namespace {

// Elements that a histogram is made of, and its parts: enough to see a shape.
constexpr int64_t kSample = 4096, kBins = 20;

telemetry::TensorSummary Measure(int64_t count, const float* x, double scale, double more_squares) {
  const math::Summary summary = math::Summarize(count, x);
  math::Bins bins = math::CountInBins(count, x, kSample, kBins);
  telemetry::TensorSummary result;
  result.norm = std::sqrt(summary.squares + more_squares) * scale;
  result.largest = summary.largest * scale;
  result.zeros = static_cast<double>(summary.zeros) / static_cast<double>(count);
  result.not_finite = summary.not_finite;
  result.histogram = {bins.low * scale, bins.high * scale, std::move(bins.counts)};
  return result;
}

// The shared row of `exact` compaction counts once for each word that it stands for.
double SharedSquares(const Parameter<float>& p, const data::VocabMap& vocab) {
  if (!p.spec.has_vocab_rows() || !vocab.has_shared_row()) return 0;
  const math::Summary row =
      math::Summarize(p.columns, p.grad.data() + static_cast<size_t>(p.count() - p.columns));
  return row.squares * static_cast<double>(vocab.inactive_count() - 1);
}

}  // namespace

telemetry::TensorsEvent MeasureTensors(const ParameterSet<float>& parameters,
                                       const data::VocabMap& vocab, double gradient_scale) {
  telemetry::TensorsEvent event;
  for (const Parameter<float>& p : parameters.all()) {
    telemetry::TensorHealth tensor;
    tensor.name = p.spec.name;
    tensor.layer = p.spec.layer;
    tensor.elements = p.count();
    tensor.weight = Measure(p.count(), p.value.data(), 1, 0);
    if (p.trained) {
      tensor.gradient = Measure(p.count(), p.grad.data(), gradient_scale, SharedSquares(p, vocab));
    }
    event.tensors.push_back(std::move(tensor));
  }
  return event;
}

}  // namespace millwright::train
