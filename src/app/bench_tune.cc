#include "app/bench_tune.h"

#include <fmt/format.h>

#include <algorithm>

namespace millwright::app {
namespace {

std::vector<TunedGemm> ByProduct(const std::vector<GemmUse>& uses) {
  std::vector<TunedGemm> products;
  for (const GemmUse& use : uses) {
    const auto product = math::GemmTable::ProductOf(use.shape);
    const auto found = std::ranges::find(products, product, [](const TunedGemm& tuned) {
      return math::GemmTable::ProductOf(tuned.shape());
    });
    if (found != products.end()) {
      found->uses.push_back(use);
    } else {
      products.push_back({.uses = {use}});
    }
  }
  return products;
}

// The implementations that differ for `tuned`: a library's entry may fall back to another one.
void AddCandidates(math::GemmEngine& engine, TunedGemm& tuned) {
  for (const auto& [kind, name] : math::kGemmKindNames) {
    if (!engine.Has(kind)) continue;
    GemmCandidate candidate{.kind = kind, .implementation = engine.Describe(tuned.shape(), kind)};
    const auto is_it = [&](const GemmCandidate& other) {
      return other.implementation == candidate.implementation;
    };
    if (std::ranges::none_of(tuned.candidates, is_it)) {
      tuned.candidates.push_back(std::move(candidate));
    }
  }
  const std::string fixed = engine.Describe(tuned.shape());
  const auto found = std::ranges::find(tuned.candidates, fixed, &GemmCandidate::implementation);
  if (found != tuned.candidates.end()) {
    tuned.fixed = static_cast<size_t>(found - tuned.candidates.begin());
  }
}

void MeasureCandidates(math::GemmEngine& engine, GemmOperands& operands, double seconds,
                       PeakMeter& peak, TunedGemm& tuned) {
  double gflop = 0;
  for (const GemmUse& use : tuned.uses) gflop += use.gflop();
  std::vector<RatedWork> works;
  for (const GemmCandidate& candidate : tuned.candidates) {
    works.push_back({gflop, [&operands, &engine, &tuned, kind = candidate.kind] {
                       for (const GemmUse& use : tuned.uses) {
                         operands.RunCold(engine, use.shape, kind);
                       }
                     }});
  }
  auto rated = MeasureInTurns(works, seconds, peak);
  for (size_t i = 0; i < rated.size(); ++i) tuned.candidates[i].rated = std::move(rated[i]);
}

}  // namespace

std::string TunedGemm::name() const {
  std::string joined;
  for (const GemmUse& use : uses) joined += (joined.empty() ? "" : ", ") + use.name;
  return joined;
}

size_t TunedGemm::best() const {
  constexpr double kWorthIt = 1.02;
  size_t best = fixed;
  double bar = kWorthIt * candidates[fixed].rated.share.median();
  for (size_t i = 0; i < candidates.size(); ++i) {
    const double share = candidates[i].rated.share.median();
    if (i == fixed || share <= bar) continue;
    best = i;
    bar = share;
  }
  return best;
}

math::GemmTable TuneBench::table() const {
  math::GemmTable table;
  for (const TunedGemm& product : products) {
    table.Set(math::GemmTable::ProductOf(product.shape()), product.candidates[product.best()].kind);
  }
  return table;
}

TuneBench TuneGemms(const model::ModelConfig& config, int64_t rows, double seconds,
                    const Progress& progress) {
  const std::vector<GemmUse> uses = GemmsOfStep(config, rows);
  math::GemmEngine engine;
  GemmOperands operands(uses);
  PeakMeter peak;
  TuneBench bench{.products = ByProduct(uses)};
  const double share = seconds / static_cast<double>(bench.products.size());
  for (TunedGemm& tuned : bench.products) {
    if (progress) progress(fmt::format("tune {}", tuned.name()));
    AddCandidates(engine, tuned);
    MeasureCandidates(engine, operands, share, peak, tuned);
  }
  bench.peak_gflops = peak.gflops();
  bench.cpu_share = peak.cpu_share();
  return bench;
}

std::string ToText(const TuneBench& bench) {
  std::string text = fmt::format(
      "tune, weights from memory; % of the FMA rate beside each (at best {:.1f} GFLOP/s); * taken, "
      "f the fixed rule's\n",
      bench.peak_gflops);
  for (const TunedGemm& p : bench.products) {
    const math::GemmShape& s = p.shape();
    text += fmt::format("  {:>6} {:>6} {:>6} ", s.m, s.n, s.k);
    for (size_t i = 0; i < p.candidates.size(); ++i) {
      text += fmt::format(" {:>8} {:>5.1f}{}{}", math::GemmKindName(p.candidates[i].kind),
                          100 * p.candidates[i].rated.share.median(), i == p.best() ? '*' : ' ',
                          i == p.fixed ? 'f' : ' ');
    }
    text += fmt::format("  {}\n", p.name());
  }
  return text + LoadWarning(bench.cpu_share);
}

nlohmann::json ToJson(const TuneBench& bench) {
  nlohmann::json products = nlohmann::json::array();
  for (const TunedGemm& p : bench.products) {
    nlohmann::json candidates = nlohmann::json::array();
    for (const GemmCandidate& c : p.candidates) {
      candidates.push_back({{"kind", std::string(math::GemmKindName(c.kind))},
                            {"implementation", c.implementation},
                            {"ms_median", c.rated.ms.median()},
                            {"percent_of_rate_beside", 100 * c.rated.share.median()}});
    }
    const math::GemmShape& s = p.shape();
    products.push_back({{"product", p.name()},
                        {"m", s.m},
                        {"n", s.n},
                        {"k", s.k},
                        {"candidates", std::move(candidates)},
                        {"fixed", std::string(math::GemmKindName(p.candidates[p.fixed].kind))},
                        {"taken", std::string(math::GemmKindName(p.candidates[p.best()].kind))}});
  }
  return {
      {"peak_gflops", bench.peak_gflops}, {"cpu_share", bench.cpu_share}, {"products", products}};
}

}  // namespace millwright::app
