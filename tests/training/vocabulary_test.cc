// Vocabulary compaction changes the cost of a step, not its result.
#include <gtest/gtest.h>

#include "app/open_device.h"
#include "base/tolerance.h"
#include "data/token_list.h"
#include "tests/training/tiny_models.h"
#include "train/network.h"
#include "train/optimizer.h"

namespace millwright::testing {
namespace {

using data::VocabMap;
using data::VocabMode;

constexpr int64_t kVocab = 29;

class Compaction : public ::testing::Test {
 protected:
  struct Run {
    std::unique_ptr<device::Device> device;
    std::unique_ptr<train::Network<double>> network;
  };

  static std::unique_ptr<Run> Open(VocabMode mode, bool tied = true) {
    model::ModelConfig config = tied ? TinyMha() : Untied(TinyMha());
    config.vocab = kVocab;
    auto run = std::make_unique<Run>();
    run->device = std::move(*app::OpenDevice("reference", {.precision = Precision::kExact}));
    std::vector<int32_t> active;
    if (mode != VocabMode::kFull) active = Active();
    auto network = train::Network<double>::Create(*run->device, {.config = config},
                                                  *VocabMap::FromActive(mode, kVocab, active));
    EXPECT_TRUE(network.ok());
    run->network = std::move(*network);
    run->network->parameters().Init(5, run->network->vocab());
    return run;
  }

  static std::vector<int32_t> Active() { return {1, 2, 5, 8, 13, 21, 22, 28}; }

  // In `full`, every inactive word starts from the row that they share in `exact`.
  static void ShareInactiveRows(train::Network<double>& full, train::Network<double>& exact) {
    for (auto& to : full.parameters().all()) {
      if (!to.spec.has_vocab_rows()) continue;
      const auto& from = exact.parameters().Get(to.spec.role);
      for (int32_t word = 0; word < kVocab; ++word) {
        int64_t row = exact.vocab().Row(word);
        if (row < 0) row = exact.vocab().rows() - 1;
        std::copy_n(from.value.data() + row * from.columns, from.columns,
                    to.value.data() + word * to.columns);
      }
    }
  }

  // Loss of a micro-step on active words, then an update.
  static double Step(train::Network<double>& network, int64_t step) {
    std::vector<int32_t> words, rows(static_cast<size_t>(network.config().seq + 1));
    const Rng rng(3, static_cast<uint64_t>(step));
    for (size_t i = 0; i < rows.size(); ++i)
      words.push_back(Active()[rng.Below(i, Active().size())]);
    EXPECT_TRUE(network.vocab().MapTokens(words, rows).ok());
    const std::span<const int32_t> all(rows);
    const double loss = *network.LossAndGradient(all.first(all.size() - 1), all.subspan(1), 1.0);
    const auto norms = train::MeasureGradients(network.parameters(), network.vocab(), 1.0);
    train::Update(network.parameters(), norms,
                  {.lr = 0.05, .clip = 0.1, .weight_decay = 0.1, .adam_step = step + 1});
    EXPECT_TRUE(network.StageWeights().ok());
    return loss;
  }
};

class CompactionOf : public Compaction, public ::testing::WithParamInterface<bool> {};

TEST_P(CompactionOf, ExactEqualsFull) {
  const auto exact = Open(VocabMode::kExact, GetParam());
  const auto full = Open(VocabMode::kFull, GetParam());
  ShareInactiveRows(*full->network, *exact->network);
  ASSERT_TRUE(exact->network->StageWeights().ok() && full->network->StageWeights().ok());
  const double tolerance = Gamma(DType::kFp64, 1 << 16);
  for (int64_t step = 0; step < 12; ++step) {
    EXPECT_NEAR(Step(*exact->network, step), Step(*full->network, step), tolerance) << step;
  }
  for (const auto& p : full->network->parameters().all()) {
    const auto& q = exact->network->parameters().Get(p.spec.role, p.spec.layer);
    if (!p.spec.has_vocab_rows()) {
      EXPECT_LE((NormError<double, double>(q.value.span(), p.value.span())), tolerance)
          << p.spec.name;
      continue;
    }
    for (int32_t word = 0; word < kVocab; ++word) {
      int64_t row = exact->network->vocab().Row(word);
      if (row < 0) row = exact->network->vocab().rows() - 1;
      const auto columns = static_cast<size_t>(p.columns);
      const std::span<const double> a(q.value.data() + row * q.columns, columns);
      const std::span<const double> b(p.value.data() + word * p.columns, columns);
      EXPECT_LE((NormError<double, double>(a, b)), tolerance) << "word " << word;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Classifier, CompactionOf, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Tied" : "Untied"; });

TEST_F(Compaction, ActiveDropsTheOtherWords) {
  const auto active = Open(VocabMode::kActive);
  const auto exact = Open(VocabMode::kExact);
  ASSERT_TRUE(active->network->StageWeights().ok() && exact->network->StageWeights().ok());
  EXPECT_EQ(active->network->vocab().rows(), 8);
  EXPECT_EQ(exact->network->vocab().rows(), 9);
  // Fewer words to be wrong about: the loss is lower, by less than ln(vocab / active).
  const double a = Step(*active->network, 0), e = Step(*exact->network, 0);
  EXPECT_LT(a, e);
  EXPECT_LT(e - a, 2 * std::log(static_cast<double>(kVocab) / 8));
}

}  // namespace
}  // namespace millwright::testing
