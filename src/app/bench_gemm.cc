#include "app/bench_gemm.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/aligned.h"
#include "base/rng.h"
#include "model/tensors.h"

namespace millwright::app {
namespace {

using math::DenseGemm;
using math::GemmShape;

double Flops(const GemmShape& s) {
  return 2.0 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
}

// "wq" of "model.layers.0.self_attn.q_proj.weight": q_proj; "classifier" of what makes the logits.
std::string ShortName(const model::TensorSpec& spec) {
  if (spec.has_vocab_rows()) return "classifier";
  const size_t end = spec.name.rfind('.');
  const size_t begin = spec.name.rfind('.', end - 1);
  return spec.name.substr(begin + 1, end - begin - 1);
}

void AddUse(std::vector<GemmUse>* uses, const std::string& kind, const std::string& weight,
            const GemmShape& shape) {
  for (GemmUse& use : *uses) {
    if (use.shape != shape || !use.name.starts_with(kind)) continue;
    use.name += " " + weight;
    return;
  }
  uses->push_back({kind + " " + weight, shape});
}

AlignedBuffer<float> RandomMatrix(int64_t count, uint64_t stream) {
  AlignedBuffer<float> matrix(static_cast<size_t>(count));
  const Rng rng(1, stream);
  for (size_t i = 0; i < matrix.size(); ++i) {
    matrix[i] = static_cast<float>(rng.Uniform(i) - 0.5);
  }
  return matrix;
}

}  // namespace

std::vector<GemmUse> GemmsOfStep(const model::ModelConfig& config, int64_t rows) {
  std::vector<GemmUse> uses;
  for (const model::TensorSpec& spec : model::TensorTable(config)) {
    const bool classifier = spec.role == model::ClassifierRole(config);
    if (spec.is_norm() || spec.layer > 0 || (spec.has_vocab_rows() && !classifier)) continue;
    const int64_t out = classifier ? rows : spec.shape[0], in = spec.shape[1];
    const std::string name = ShortName(spec);
    AddUse(&uses, "forward", name, DenseGemm(out, config.seq, in, false, false));
    AddUse(&uses, "backward", name, DenseGemm(in, config.seq, out, true, false));
    AddUse(&uses, "gradient", name, DenseGemm(out, in, config.seq, false, true, true));
  }
  const auto kind = [](const GemmUse& use) {
    return use.name.starts_with("forward") ? 0 : use.name.starts_with("backward") ? 1 : 2;
  };
  std::stable_sort(uses.begin(), uses.end(),
                   [&](const GemmUse& a, const GemmUse& b) { return kind(a) < kind(b); });
  return uses;
}

double GemmMeasurement::gflops() const { return Flops(use.shape) * 1e-6 / times.median(); }

GemmBench BenchGemm(const model::ModelConfig& config, int64_t rows, double seconds,
                    const Progress& progress) {
  const std::vector<GemmUse> uses = GemmsOfStep(config, rows);
  math::GemmEngine engine;
  PeakMeter peak;
  GemmBench bench;
  for (const GemmUse& use : uses) {
    if (progress) progress(fmt::format("gemm {}", use.name));
    const GemmShape& s = use.shape;
    const AlignedBuffer<float> a = RandomMatrix(s.m * s.k, 0), b = RandomMatrix(s.k * s.n, 1);
    AlignedBuffer<float> c(static_cast<size_t>(s.m * s.n));
    peak.Measure();
    GemmMeasurement measured{.use = use, .implementation = engine.Describe(s), .times = {}};
    measured.times = Repeat(seconds / static_cast<double>(uses.size()),
                            [&] { engine.Run(s, a.data(), b.data(), c.data()); });
    bench.products.push_back(std::move(measured));
  }
  peak.Measure();
  bench.peak_gflops = peak.gflops();
  bench.cpu_share = peak.cpu_share();
  return bench;
}

std::string ToText(const GemmBench& bench) {
  std::string text = fmt::format("gemm, of a peak of {:.1f} GFLOP/s\n", bench.peak_gflops);
  fmt::format_to(std::back_inserter(text), "  {:>6} {:>6} {:>6}  {:>9} {:>9} {:>6}  {:<28} {}\n",
                 "m", "n", "k", "ms", "GFLOP/s", "%", "implementation", "product");
  for (const GemmMeasurement& p : bench.products) {
    const GemmShape& s = p.use.shape;
    fmt::format_to(std::back_inserter(text),
                   "  {:>6} {:>6} {:>6}  {:>9.3f} {:>9.1f} {:>6.1f}  {:<28} {}\n", s.m, s.n, s.k,
                   p.times.median(), p.gflops(), 100 * p.gflops() / bench.peak_gflops,
                   p.implementation, p.use.name);
  }
  return text + LoadWarning(bench.cpu_share);
}

nlohmann::json ToJson(const GemmBench& bench) {
  nlohmann::json products = nlohmann::json::array();
  for (const GemmMeasurement& p : bench.products) {
    const GemmShape& s = p.use.shape;
    products.push_back({{"product", p.use.name},
                        {"m", s.m},
                        {"n", s.n},
                        {"k", s.k},
                        {"transpose_a", s.transpose_a},
                        {"transpose_b", s.transpose_b},
                        {"accumulate", s.accumulate},
                        {"implementation", p.implementation},
                        {"ms_median", p.times.median()},
                        {"ms_minimum", p.times.minimum()},
                        {"gflops", p.gflops()},
                        {"percent_of_peak", 100 * p.gflops() / bench.peak_gflops}});
  }
  return {
      {"peak_gflops", bench.peak_gflops}, {"cpu_share", bench.cpu_share}, {"products", products}};
}

}  // namespace millwright::app
