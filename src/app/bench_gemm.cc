#include "app/bench_gemm.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/bench_operands.h"
#include "model/tensors.h"

namespace millwright::app {
namespace {

using math::DenseGemm;
using math::GemmShape;

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

// kvBwd and ffnBwdW13t are sums of two products, of which the second adds to the first.
bool AddsToAnother(const model::TensorSpec& spec) {
  return spec.role == model::TensorRole::kWv || spec.role == model::TensorRole::kW3;
}

struct Sizes {
  int64_t weight = 0, first = 0, second = 0;
};

// Of a weight's gradient, c is the weight and the others are activations; else a is the weight.
bool IsGradient(const GemmShape& s) { return s.transpose_b; }

Sizes SizesOf(const GemmShape& s) {
  const int64_t a = s.m * s.k, b = s.k * s.n, c = s.m * s.n;
  return IsGradient(s) ? Sizes{c, a, b} : Sizes{a, b, c};
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
    AddUse(&uses, "backward", name,
           DenseGemm(in, config.seq, out, true, false, AddsToAnother(spec)));
    AddUse(&uses, "gradient", name, DenseGemm(out, in, config.seq, false, true, true));
  }
  const auto kind = [](const GemmUse& use) {
    return use.name.starts_with("forward") ? 0 : use.name.starts_with("backward") ? 1 : 2;
  };
  std::stable_sort(uses.begin(), uses.end(),
                   [&](const GemmUse& a, const GemmUse& b) { return kind(a) < kind(b); });
  return uses;
}

double GemmUse::gflop() const {
  return 2e-9 * static_cast<double>(shape.m) * static_cast<double>(shape.n) *
         static_cast<double>(shape.k);
}

GemmOperands::GemmOperands(const std::vector<GemmUse>& uses) {
  Sizes most{.weight = static_cast<int64_t>(kBeyondCaches)};
  for (const GemmUse& use : uses) {
    const Sizes sizes = SizesOf(use.shape);
    most.weight = std::max(most.weight, sizes.weight);
    most.first = std::max(most.first, sizes.first);
    most.second = std::max(most.second, sizes.second);
  }
  pool_ = RandomValues(static_cast<size_t>(most.weight), 1.0, 0);
  first_ = RandomValues(static_cast<size_t>(most.first), 1.0, 1);
  second_ = RandomValues(static_cast<size_t>(most.second), 1.0, 2);
}

void GemmOperands::Run(math::GemmEngine& engine, const GemmShape& shape, math::GemmKind kind,
                       float* weight) {
  if (IsGradient(shape)) return engine.Run(shape, first_.data(), second_.data(), weight, kind);
  engine.Run(shape, weight, first_.data(), second_.data(), kind);
}

void GemmOperands::RunCold(math::GemmEngine& engine, const GemmShape& shape, math::GemmKind kind) {
  constexpr size_t kAlign = 1024;  // floats: a part begins with a page, as a tensor does
  const auto size = static_cast<size_t>(SizesOf(shape).weight);
  if (next_ + size > pool_.size()) next_ = 0;
  Run(engine, shape, kind, pool_.data() + next_);
  next_ += (size + kAlign - 1) / kAlign * kAlign;
}

void GemmOperands::RunWarm(math::GemmEngine& engine, const GemmShape& shape, math::GemmKind kind) {
  Run(engine, shape, kind, pool_.data());
}

double GemmMeasurement::gflops(const Rated& rated) const {
  return use.gflop() * 1e3 / rated.ms.median();
}

GemmBench BenchGemm(math::GemmEngine& engine, const model::ModelConfig& config, int64_t rows,
                    double seconds, const Progress& progress) {
  const std::vector<GemmUse> uses = GemmsOfStep(config, rows);
  GemmOperands operands(uses);
  PeakMeter peak;
  GemmBench bench;
  for (const GemmUse& use : uses) {
    if (progress) progress(fmt::format("gemm {}", use.name));
    constexpr auto kKind = math::GemmKind::kAuto;
    GemmMeasurement measured{.use = use, .implementation = engine.Describe(use.shape)};
    auto rated =
        MeasureInTurns({{use.gflop(), [&] { operands.RunCold(engine, use.shape, kKind); }},
                        {use.gflop(), [&] { operands.RunWarm(engine, use.shape, kKind); }}},
                       seconds / static_cast<double>(uses.size()), peak);
    measured.cold = std::move(rated[0]);
    measured.warm = std::move(rated[1]);
    bench.products.push_back(std::move(measured));
  }
  bench.peak_gflops = peak.gflops();
  bench.cpu_share = peak.cpu_share();
  return bench;
}

std::string ToText(const GemmBench& bench) {
  std::string text = fmt::format(
      "gemm, weights from memory and from a cache; % of the best FMA rate ({:.1f} GFLOP/s), and of "
      "the rate beside each\n",
      bench.peak_gflops);
  text +=
      fmt::format("  {:>6} {:>6} {:>6}  {:>9} {:>8} {:>6} {:>7}  {:>8} {:>6} {:>7}  {:<24} {}\n",
                  "m", "n", "k", "ms", "GFLOP/s", "% best", "% beside", "GFLOP/s", "% best",
                  "% beside", "implementation", "product");
  for (const GemmMeasurement& p : bench.products) {
    const GemmShape& s = p.use.shape;
    const double cold = p.gflops(p.cold), warm = p.gflops(p.warm);
    text += fmt::format(
        "  {:>6} {:>6} {:>6}  {:>9.3f} {:>8.1f} {:>6.1f} {:>8.1f}  {:>8.1f} {:>6.1f} {:>8.1f}  "
        "{:<24} {}\n",
        s.m, s.n, s.k, p.cold.ms.median(), cold, 100 * cold / bench.peak_gflops,
        100 * p.cold.share.median(), warm, 100 * warm / bench.peak_gflops,
        100 * p.warm.share.median(), p.implementation, p.use.name);
  }
  return text + LoadWarning(bench.cpu_share);
}

nlohmann::json ToJson(const GemmBench& bench) {
  nlohmann::json products = nlohmann::json::array();
  for (const GemmMeasurement& p : bench.products) {
    const auto figures = [&](const Rated& rated) -> nlohmann::json {
      return {{"ms_median", rated.ms.median()},
              {"ms_minimum", rated.ms.minimum()},
              {"gflops", p.gflops(rated)},
              {"percent_of_peak", 100 * p.gflops(rated) / bench.peak_gflops},
              {"percent_of_rate_beside", 100 * rated.share.median()}};
    };
    const GemmShape& s = p.use.shape;
    products.push_back({{"product", p.use.name},
                        {"m", s.m},
                        {"n", s.n},
                        {"k", s.k},
                        {"transpose_a", s.transpose_a},
                        {"transpose_b", s.transpose_b},
                        {"accumulate", s.accumulate},
                        {"implementation", p.implementation},
                        {"cold", figures(p.cold)},
                        {"warm", figures(p.warm)}});
  }
  return {
      {"peak_gflops", bench.peak_gflops}, {"cpu_share", bench.cpu_share}, {"products", products}};
}

}  // namespace millwright::app
